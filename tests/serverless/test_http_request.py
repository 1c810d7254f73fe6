"""Requests out of bytes that come in any pieces, held against h11, a parser of others."""

from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikes.serverless.http_request import (
    LARGEST_HEAD_BYTES,
    MalformedRequestError,
    Request,
    RequestReader,
)

TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABC-_0123456789", min_size=1, max_size=12)
VALUES = st.text("abc XYZ:;,/\t0123", max_size=20).map(str.strip)
BODIES = st.binary(max_size=200)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A request as bytes, and its body."""
    body = draw(BODIES)
    own = draw(st.lists(st.tuples(TOKENS.map(lambda name: f"X-{name}"), VALUES), max_size=4))
    lines = ["POST /2018-06-01/runtime/invocation/1/response HTTP/1.1", "Host: 127.0.0.1:9001"]
    lines += [f"{name}: {value}" for name, value in own]
    if draw(st.booleans()):
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        return head.encode() + body, body
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
    edges = [0, *cuts, len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges) if a < b]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""])
    trailers = draw(st.sampled_from([b"", b"Lambda-Runtime-Function-Error-Type: x\r\n"]))
    return head.encode() + chunks + b"0\r\n" + trailers + b"\r\n", body


def by_h11(data: bytes) -> Request:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    head, body = connection.next_event(), b""
    assert isinstance(head, h11.Request)
    while isinstance(event := connection.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    fields: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode(), value.decode("latin-1")
        fields[key] = f"{fields[key]}, {text}" if key in fields else text
    keeps = connection.our_state is not h11.MUST_CLOSE
    return Request(head.method.decode(), head.target.decode(), fields, body, keeps)


def in_pieces(data: bytes, cuts: list[int]) -> list[Request]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    reader, found = RequestReader(), list[Request]()
    for begin, end in pairwise(edges):
        found += reader.feed(data[begin:end])
    return found


@given(messages(), st.lists(st.integers(0, 900), max_size=8))
def test_a_request_is_what_h11_takes_it_for_however_it_is_cut(
    message: tuple[bytes, bytes], cuts: list[int]
) -> None:
    data, body = message
    (request,) = in_pieces(data, cuts)
    assert request == by_h11(data)
    assert request.body == body


@given(st.lists(messages(), min_size=2, max_size=4), st.lists(st.integers(0, 2000), max_size=8))
def test_requests_one_after_the_other_are_kept_apart(
    several: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    found = in_pieces(b"".join(data for data, _ in several), cuts)
    assert [request.body for request in found] == [body for _, body in several]


@given(messages())
def test_a_request_is_not_there_before_its_last_byte(message: tuple[bytes, bytes]) -> None:
    data, _ = message
    reader = RequestReader()
    assert reader.feed(data[:-1]) == []
    assert len(reader.feed(data[-1:])) == 1


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_whatever_comes_is_read_or_refused(data: bytes, cuts: list[int]) -> None:
    try:
        found = in_pieces(data, cuts)
    except MalformedRequestError:
        return
    assert all(request.method and request.path for request in found)


@given(messages(), st.integers(0, 100), st.integers(0, 255))
def test_a_spoilt_head_is_read_or_refused(
    message: tuple[bytes, bytes], place: int, byte: int
) -> None:
    data = bytearray(message[0])
    data[place % len(data)] = byte
    try:
        found = RequestReader().feed(bytes(data))
    except MalformedRequestError:
        return
    assert all(request.method and request.path for request in found)


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", "400"),
        (b"GET / HTTP/2.0\r\n\r\n", "400"),
        (b"GET /a b HTTP/1.1\r\n\r\n", "400"),
        (HEAD + b"no colon\r\n\r\n", "400"),
        (HEAD + b"a: b\r\n folded: yes\r\n\r\n", "400"),
        (HEAD + b"Content-Length: -1\r\n\r\n", "400"),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", "413"),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", "400"),
        (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "400"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "400"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", "413"),
        (HEAD + b"a: " + b"x" * LARGEST_HEAD_BYTES, "431"),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, status: str) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        RequestReader().feed(data)
    assert caught.value.status.startswith(status)


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.1", "Connection: TE, Close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: keep-alive\r\n", True),
    ],
)
def test_whether_the_connection_is_kept(version: str, connection: str, kept: bool) -> None:
    (request,) = RequestReader().feed(f"GET / HTTP/{version}\r\n{connection}\r\n".encode())
    assert request.keep_alive is kept


def test_a_client_that_waits_for_leave_is_known_until_it_sends() -> None:
    reader = RequestReader()
    head = HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert reader.feed(head[:-1]) == []
    assert not reader.awaits_continue
    reader.feed(head[-1:])
    assert reader.awaits_continue
    reader.feed(b"o")
    assert not reader.awaits_continue
    (request,) = reader.feed(b"k")
    assert request.body == b"ok"
    assert not reader.awaits_continue
