"""HTTP/1.1 requests out of a socket's bytes: what runtime interface clients send, and no more.

A reader of our own, because what it takes lies between a response's first and last byte: libcurl in
the Java, Python and Node.js clients sends head and body apart, and what a general parser takes over
the head (h11: tens of microseconds) would be added to those three and not to Go's and Rust's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LARGEST_HEAD_BYTES = 65_536
LARGEST_BODY_BYTES = 32 * 1024 * 1024
"""Lambda takes 6 MB of a response (quota "Invocation payload"); what is larger can be told too."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.([01])")
_FIELD = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[^\x00-\x20\x7f](?:[^\x00-\x08\x0a-\x1f\x7f]*"
    rb"[^\x00-\x20\x7f])?)?)[ \t]*"
)
_COUNT = re.compile(r"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")


class MalformedRequestError(Exception):
    """What was sent is no HTTP/1.1 request; ``status`` is the answer it deserves."""

    def __init__(self, reason: str, status: str = "400 Bad Request") -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Request:
    """One whole request. Names of headers are in lower case; repeated ones are joined by commas."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True)
class _Head:
    method: str
    path: str
    headers: Mapping[str, str]
    minor: int

    @property
    def keep_alive(self) -> bool:
        options = {each.strip().lower() for each in self.headers.get("connection", "").split(",")}
        return "keep-alive" in options if self.minor == 0 else "close" not in options

    @property
    def expects_continue(self) -> bool:
        return self.minor == 1 and self.headers.get("expect", "").lower() == "100-continue"


class RequestReader:
    """Takes bytes as they come, in pieces of any size, and gives requests as they are whole."""

    def __init__(self, largest_body_bytes: int = LARGEST_BODY_BYTES) -> None:
        self._largest = largest_body_bytes
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._body = bytearray()
        self._left = 0  # of the body, or of the chunk in hand with its line end
        self._chunked = self._in_trailers = False

    @property
    def awaits_continue(self) -> bool:
        """Whether the client has sent a head and waits for leave to send the body."""
        untouched = not self._buffer and not self._body
        return self._head is not None and self._head.expects_continue and untouched

    def feed(self, data: bytes) -> list[Request]:
        """Return the requests that ``data`` completes; raise MalformedRequestError."""
        self._buffer += data
        requests = []
        while (request := self._next()) is not None:
            requests.append(request)
        return requests

    def _next(self) -> Request | None:
        if self._head is None:
            self._head = self._read_head()
        if self._head is None or not (self._read_chunks() if self._chunked else self._read_body()):
            return None
        head, body = self._head, bytes(self._body)
        self._head = None
        self._body.clear()
        self._chunked = self._in_trailers = False
        return Request(head.method, head.path, head.headers, body, head.keep_alive)

    def _read_head(self) -> _Head | None:
        while self._buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: blank lines before a request
            del self._buffer[:2]
        text = self._take_through(b"\r\n\r\n")
        if text is None:
            return None
        first, *lines = text.split(b"\r\n")
        if (found := _REQUEST_LINE.fullmatch(first)) is None:
            raise MalformedRequestError(f"{first[:80]!r} is no request line")
        head = _Head(found[1].decode(), found[2].decode(), _fields(lines), int(found[3]))
        self._expect_body(head)
        return head

    def _expect_body(self, head: _Head) -> None:
        coding, length = (head.headers.get(n) for n in ("transfer-encoding", "content-length"))
        self._left = 0
        if coding is not None:
            if coding.lower() != "chunked" or length is not None or head.minor == 0:
                raise MalformedRequestError("a body's length is given in no way that is allowed")
            self._chunked = True
        elif length is not None:
            if _COUNT.fullmatch(length) is None:
                raise MalformedRequestError(f"content-length is {length[:40]!r}")
            self._left = self._allowed(int(length))

    def _allowed(self, size_bytes: int) -> int:
        if size_bytes > self._largest:
            raise MalformedRequestError("the body is too large", "413 Content Too Large")
        return size_bytes

    def _read_body(self) -> bool:
        piece = self._buffer[: self._left]
        del self._buffer[: self._left]
        self._body += piece
        self._left -= len(piece)
        return self._left == 0

    def _read_chunks(self) -> bool:
        while not self._in_trailers:
            if self._left == 0 and not self._read_chunk_size():
                return False
            if not self._in_trailers and not self._read_chunk():
                return False
        return self._read_trailers()

    def _read_chunk_size(self) -> bool:
        line = self._take_through(b"\r\n")
        if line is None:
            return False
        if (found := _CHUNK_SIZE.fullmatch(line)) is None:
            raise MalformedRequestError(f"{line[:40]!r} is no size of a chunk")
        size = int(found[1], 16)
        self._allowed(len(self._body) + size)
        self._left = size + 2 if size else 0
        self._in_trailers = size == 0
        return True

    def _read_chunk(self) -> bool:
        data = max(0, min(self._left - 2, len(self._buffer)))
        self._body += self._buffer[:data]
        del self._buffer[:data]
        self._left -= data
        if self._left > 2 or len(self._buffer) < 2:
            return False
        if not self._buffer.startswith(b"\r\n"):
            raise MalformedRequestError("a chunk is longer than it said")
        del self._buffer[:2]
        self._left = 0
        return True

    def _read_trailers(self) -> bool:
        while (line := self._take_through(b"\r\n")) is not None:
            if not line:
                return True
            _fields([line])
        return False

    def _take_through(self, end: bytes) -> bytes | None:
        place = self._buffer.find(end, 0, LARGEST_HEAD_BYTES)
        if place < 0:
            if len(self._buffer) >= LARGEST_HEAD_BYTES:
                raise MalformedRequestError("a head without end", "431 Header Fields Too Large")
            return None
        text = bytes(self._buffer[:place])
        del self._buffer[: place + len(end)]
        return text


def _fields(lines: list[bytes]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        if (found := _FIELD.fullmatch(line)) is None:
            raise MalformedRequestError(f"{line[:80]!r} is no header")
        name, value = found[1].decode().lower(), found[2].decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields
