"""A Runtime API that hands out one event: what a function does with it, and whether it says so."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from spikes.serverless.function import Function

TIMEOUT_S = 60.0
_REQUEST = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"


@dataclass
class Exchange:
    """What passed between a function and the Runtime API."""

    event: Any
    answer: Any = None
    failure: str = ""
    marked: bool = False
    handed_out: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


def invoke(function: Function, event: Any, folder: Path) -> Exchange:
    """Start a function, give it one event, and end it once it has answered and asked for more."""
    exchange = Exchange(event)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, _serving(exchange) as address:
        pipe = Path(scratch) / "mark"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        log = Path(scratch) / "log"
        try:
            with _running(function, address, pipe, log):
                arrived = exchange.answered.wait(TIMEOUT_S)
            exchange.marked = os.read(reader, 16) == b"1"
        finally:
            os.close(reader)
        if not arrived:
            exchange.failure = f"no answer in {TIMEOUT_S} s: {log.read_text()}"
    return exchange


@contextmanager
def _running(function: Function, address: str, pipe: Path, log: Path) -> Iterator[None]:
    ours = {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "SPIKEBENCH_MARK": str(pipe),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            function.command,
            cwd=function.folder,
            env={**function.environ, **ours},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _serving(exchange: Exchange) -> Iterator[str]:
    class Bound(_RuntimeApi):
        pass

    Bound.exchange = exchange
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        exchange.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _RuntimeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    exchange: Exchange

    def do_GET(self) -> None:
        if self.exchange.handed_out.is_set():
            self.exchange.answered.set()
            self.exchange.ended.wait()
            self.close_connection = True
            return
        self.exchange.handed_out.set()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": _REQUEST,
            "Lambda-Runtime-Deadline-Ms": "4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-2:0:function:f",
        }
        self._send(200, json.dumps(self.exchange.event).encode(), headers)

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith(f"/{_REQUEST}/response"):
            self.exchange.answer = json.loads(body)
        else:
            self.exchange.failure = f"{self.path}: {body.decode()}"
            self.exchange.answered.set()
        self._send(202, b"{}", {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
