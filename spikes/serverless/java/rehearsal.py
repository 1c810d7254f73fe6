"""One run of a function through initialisation and one invoke, at build time: nothing is timed.

The JVM learns from it what belongs into an archive, and we learn whether the archive is used.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

from spikebench.errors import TargetError

_VERSION = "/2018-06-01/runtime"
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"
_TIMEOUT_S = 300.0
_MEMORY_MB = "1769"


def rehearse(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    event: bytes,
    *,
    orderly: bool = True,
) -> bytes:
    """Start a function, give it one event, end it in order, and return what it answered.

    Where it is not to be ``orderly``, it is killed: CRIU does not hand a signal on.
    Raise TargetError with its last words where it ends, or says that it failed, before it answers,
    or where it does neither for five minutes.
    """
    with _endpoint(event) as endpoint, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ)
            | {
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{endpoint.server_port}",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": _MEMORY_MB,
                "SPIKEBENCH_MARK": os.devnull,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            answered = _await_answer(process, endpoint)
            if orderly:
                _end(process)
        finally:
            process.kill()
            process.wait()
        if not answered or endpoint.failed:
            raise TargetError(f"{_what_happened(process, endpoint)}: {_tail(log)}")
        return endpoint.answer


class _Endpoint(ThreadingHTTPServer):
    """Lambda's Runtime API for one invoke; whoever asks for a second event waits for the end."""

    daemon_threads = True

    def __init__(self, event: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = event
        self.given = False
        self.answer = b""
        self.failed = False
        self.settled = threading.Event()
        self.over = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A function that ends breaks its connections: no news, and nothing to print."""

    def settle(self, answer: bytes, failed: bool) -> None:
        self.answer, self.failed = answer, failed
        self.settled.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Endpoint

    def do_GET(self) -> None:
        if self.server.given:
            self.server.over.wait()
            self.close_connection = True
            return
        self.server.given = True
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", _REQUEST_ID)
        self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:spike",
        )
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.event)))
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self) -> None:
        content = self._content()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()
        answered = self.path == f"{_VERSION}/invocation/{_REQUEST_ID}/response"
        self.server.settle(content, failed=not answered)

    def _content(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = list[bytes]()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _endpoint(event: bytes) -> Iterator[_Endpoint]:
    endpoint = _Endpoint(event)
    thread = threading.Thread(target=endpoint.serve_forever)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.over.set()
        endpoint.shutdown()
        thread.join()
        endpoint.server_close()


def _await_answer(process: subprocess.Popen[bytes], endpoint: _Endpoint) -> bool:
    waited_s = 0.0
    while waited_s < _TIMEOUT_S:
        if endpoint.settled.wait(0.1):
            return True
        if process.poll() is not None:
            return endpoint.settled.is_set()
        waited_s += 0.1
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it as a server is ended: a JVM writes its archive on its way out."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _what_happened(process: subprocess.Popen[bytes], endpoint: _Endpoint) -> str:
    if endpoint.failed:
        return f"the function answered with an error: {endpoint.answer.decode(errors='replace')}"
    if process.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM):
        return f"the function did not answer within {_TIMEOUT_S:.0f} s"
    return f"the function ended with exit code {process.returncode} before it answered"


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace").strip()[-2000:]
