"""A request to the engine whose answer is waited for in a trial's one loop, beside all else.

The Docker library blocks until an engine has answered, which for a start is after the container's
process has begun: a stamp would come too late, or from another thread.
"""

from __future__ import annotations

import io
import selectors
import socket
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import cast

Answered = Callable[[int, bytes, int], None]
"""Is given status (0: the engine broke off), body, and when the last byte arrived, in ns."""

_RECEIVE_BYTES = 1 << 16
_HEAD_END = b"\r\n\r\n"


class Call:
    """One POST without a body to an engine at ``address``; ``answered`` is called at its end.

    Sent when it is made. Raises OSError where the engine cannot be reached.
    """

    def __init__(
        self,
        address: str | tuple[str, int],
        path: str,
        selector: selectors.BaseSelector,
        answered: Answered,
        timeout_s: float,
    ) -> None:
        self._selector = selector
        self._answered = answered
        self._received = b""
        self._socket = _connected(address, timeout_s)
        head = f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n"
        try:
            self._socket.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())
        except OSError:
            self._socket.close()
            raise
        selector.register(self._socket, selectors.EVENT_READ, self._read)

    def await_head(self) -> None:
        """Wait until the engine has begun to answer; raises OSError where it does not in time."""
        while _HEAD_END not in self._received:
            data = self._socket.recv(_RECEIVE_BYTES)
            if not data:
                raise ConnectionError("the engine broke off")
            self._received += data

    def close(self) -> None:
        """Let it be; safe to call twice."""
        if self._socket.fileno() >= 0:
            self._selector.unregister(self._socket)
            self._socket.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        at_ns = time.monotonic_ns()
        if data:
            self._received += data
            return
        self.close()
        self._answered(*_parsed(self._received), at_ns)


class _Received:
    """What ``HTTPResponse`` takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def _parsed(data: bytes) -> tuple[int, bytes]:
    try:
        with HTTPResponse(cast(socket.socket, _Received(data)), method="POST") as response:
            response.begin()
            return response.status, response.read()
    except (HTTPException, ValueError):
        return 0, b"the engine broke off"


def _connected(address: str | tuple[str, int], timeout_s: float) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout_s)
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(timeout_s)
    try:
        connected.connect(address)
    except OSError:
        connected.close()
        raise
    return connected
