"""An endpoint of AWS Lambda's Runtime API, 2018-06-01, on loopback, with exact timestamps.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

It has no thread: the trial that waits for something runs it, in the one loop that also sees the
mark and the end of the process, so that no hand-over between threads stands between an arrival and
its stamp. What error remains in a stamp:

- An arrival is stamped when ``recv`` has returned: later than the last byte's arrival in the kernel
  by our waking up (tens of microseconds on an idle core, more where the core is taken).
- A client that sends head and body apart may find us still reading the head: late by up to 20 µs.
- An event is stamped just before the call that writes it, for a caller's clock starts there: the
  kernel's share of the writing, about 10 µs, counts as the function's.
"""

from __future__ import annotations

import json
import re
import secrets
import selectors
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from spikes.serverless.happening import Deliver, Happening, Kind
from spikes.serverless.http_request import MalformedRequestError, Request, RequestReader

ARN = "arn:aws:lambda:us-east-1:012345678912:function:spikebench"
SEND_TIMEOUT_S = 10.0
"""For how long a client may leave an event unread before its connection is given up."""

_RECEIVE_BYTES = 1 << 18
_VERSION = "/2018-06-01/runtime"
_ANSWERED = re.compile(rf"{_VERSION}/invocation/([^/]+)/(response|error)")
_FIXED: dict[tuple[str, str], Kind] = {
    ("GET", f"{_VERSION}/invocation/next"): "next",
    ("GET", f"{_VERSION}/restore/next"): "restore_next",
    ("POST", f"{_VERSION}/init/error"): "init_error",
    ("POST", f"{_VERSION}/restore/error"): "restore_error",
}
_ACCEPTED = b'{"status":"OK"}\n'


@dataclass(eq=False)
class _Connection:
    peer: socket.socket
    port: int
    reader: RequestReader = field(default_factory=RequestReader)
    told_to_continue: bool = False


class Endpoint:
    """Listens on ``address``; a context manager that closes every socket it opened.

    Its sockets are registered with ``selector``, each with a callable to be called when it is
    ready; calls of the runtime's go to ``deliver``. ``port`` is 0 for any that is free.
    ``refused`` lists what was asked for that the Runtime API has not.
    """

    def __init__(
        self, selector: selectors.BaseSelector, deliver: Deliver, *, port: int = 0
    ) -> None:
        self._selector = selector
        self._deliver = deliver
        self._connections: set[_Connection] = set()
        self._waiting: deque[_Connection] = deque()
        self._in_hand: set[str] = set()
        self.refused: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self._listener.setblocking(False)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every socket; safe to call twice."""
        for connection in tuple(self._connections):
            self._drop(connection)
        if self._listener.fileno() >= 0:
            self._selector.unregister(self._listener)
            self._listener.close()

    @property
    def waiting(self) -> int:
        """How many calls for the next event are open."""
        return len(self._waiting)

    def hand(self, event: bytes, timeout_s: float) -> tuple[str, int]:
        """Give ``event`` to the call that waits longest; return its id and when it was written.

        ``timeout_s`` is what is left to the function until its deadline. Raises RuntimeError where
        no call waits, OSError where the client is gone or does not read.
        """
        if not self._waiting:
            raise RuntimeError("no call for the next event is open")
        connection = self._waiting.popleft()
        request_id = str(uuid.uuid4())
        self._in_hand.add(request_id)
        payload = _event_head(request_id, len(event), timeout_s) + event
        written_ns = time.monotonic_ns()
        try:
            connection.peer.sendall(payload)
        except OSError:
            self._drop(connection)
            raise
        return request_id, written_ns

    def _accept(self) -> None:
        try:
            peer, address = self._listener.accept()
        except OSError:  # gone again before we came
            return
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.settimeout(SEND_TIMEOUT_S)
        connection = _Connection(peer, address[1])
        self._connections.add(connection)
        self._selector.register(peer, selectors.EVENT_READ, self._reading(connection))

    def _reading(self, connection: _Connection) -> Callable[[], None]:
        return lambda: self._read(connection)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.peer.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        at_ns = time.monotonic_ns()
        if not data:
            self._drop(connection)
            return
        with suppress(OSError):
            self._take(connection, data, at_ns)
            return
        self._drop(connection)

    def _take(self, connection: _Connection, data: bytes, at_ns: int) -> None:
        try:
            requests = connection.reader.feed(data)
        except MalformedRequestError as error:
            self.refused.append(str(error))
            connection.peer.sendall(_response(error.status, _error("Malformed", str(error)), False))
            self._drop(connection)
            return
        for request in requests:
            connection.told_to_continue = False
            self._serve(connection, request, at_ns)
        if connection.reader.awaits_continue and not connection.told_to_continue:
            connection.told_to_continue = True
            connection.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _serve(self, connection: _Connection, request: Request, at_ns: int) -> None:
        path = request.path.partition("?")[0]
        kind = _FIXED.get((request.method, path))
        if kind is not None:
            happening = Happening(kind, at_ns, body=request.body, peer_port=connection.port)
            self._serve_fixed(connection, request, happening)
        elif request.method == "POST" and (found := _ANSWERED.fullmatch(path)) is not None:
            self._serve_answer(connection, request, found[1], found[2], at_ns)
        else:
            self.refused.append(f"{request.method} {request.path}")
            self._answer(connection, request, "404 Not Found", _error("NotFound", request.path))

    def _serve_fixed(self, connection: _Connection, request: Request, call: Happening) -> None:
        if call.kind == "next":
            self._waiting.append(connection)
            self._deliver(call)
            return
        self._deliver(call)
        if call.kind == "restore_next":
            self._answer(connection, request, "200 OK", b"")
        else:
            self._answer(connection, request, "202 Accepted", _ACCEPTED)

    def _serve_answer(
        self, connection: _Connection, request: Request, request_id: str, kind: str, at_ns: int
    ) -> None:
        if request_id not in self._in_hand:
            self.refused.append(f"POST {kind} to {request_id}, which is not in hand")
            text = _error("InvalidRequestID", "Invalid request ID")
            self._answer(connection, request, "400 Bad Request", text)
            return
        self._in_hand.remove(request_id)
        said: Kind = "response" if kind == "response" else "error"
        self._deliver(Happening(said, at_ns, request_id, request.body, connection.port))
        self._answer(connection, request, "202 Accepted", _ACCEPTED)

    def _answer(self, connection: _Connection, request: Request, status: str, body: bytes) -> None:
        connection.peer.sendall(_response(status, body, request.keep_alive))
        if not request.keep_alive:
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        with suppress(ValueError):
            self._waiting.remove(connection)
        self._selector.unregister(connection.peer)
        connection.peer.close()


def _event_head(request_id: str, length: int, timeout_s: float) -> bytes:
    deadline_ms = int((time.time() + timeout_s) * 1000)
    trace = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: application/json\r\n"
        f"Lambda-Runtime-Aws-Request-Id: {request_id}\r\n"
        f"Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {ARN}\r\n"
        f"Lambda-Runtime-Trace-Id: {trace};Parent={secrets.token_hex(8)};Sampled=0\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def _response(status: str, body: bytes, keep_alive: bool) -> bytes:
    close = "" if keep_alive else "Connection: close\r\n"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{close}\r\n"
    )
    return head.encode() + body


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
