"""The endpoint, as runtime interface clients speak to it: real sockets on loopback."""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from spikes.serverless.happening import Happening
from spikes.serverless.runtime_api import Endpoint

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


class Bench:
    """An endpoint, run by the test as a trial runs it, and clients of its own."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.happened: list[Happening] = []
        self.endpoint = Endpoint(self.selector, self.happened.append)
        self.clients: list[socket.socket] = []

    def client(self) -> socket.socket:
        host, port = self.endpoint.address.split(":")
        self.clients.append(socket.create_connection((host, int(port)), timeout=10))
        return self.clients[-1]

    def run_until(self, happenings: int = 0) -> None:
        """Run it until so many things have happened; without a number, until it is idle."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            ready = self.selector.select(0.05)
            for key, _ in ready:
                key.data()
            if len(self.happened) >= happenings > 0 or (not ready and not happenings):
                return
        raise AssertionError(f"only {self.happened}")

    def close(self) -> None:
        self.endpoint.close()
        self.endpoint.close()
        for client in self.clients:
            client.close()
        assert not self.selector.get_map()
        self.selector.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with closing(Bench()) as bench:
        yield bench


def response(client: socket.socket) -> tuple[bytes, dict[str, str], bytes]:
    """Status line, headers and body of the one response that has been sent to ``client``."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    while len(body) < int(headers["Content-Length"]):
        body += client.recv(65_536)
    return status.encode(), headers, body


def post(path: str, body: bytes, extra: str = "") -> bytes:
    head = f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_an_event_goes_to_the_call_that_waits(bench: Bench) -> None:
    client = bench.client()
    before = time.monotonic_ns()
    client.sendall(NEXT)
    bench.run_until(1)
    asked = bench.happened[0]
    assert asked.kind == "next"
    assert asked.peer_port == client.getsockname()[1]
    request_id, written_ns = bench.endpoint.hand(b'{"a": 1}', 30.0)
    assert before <= asked.at_ns <= written_ns <= time.monotonic_ns()
    status, headers, body = response(client)
    assert status == b"HTTP/1.1 200 OK"
    assert body == b'{"a": 1}'
    assert headers["Lambda-Runtime-Aws-Request-Id"] == request_id
    assert headers["Lambda-Runtime-Invoked-Function-Arn"].startswith("arn:aws:lambda:")
    assert headers["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
    left_s = int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time()
    assert 0 < left_s <= 30


def ask(bench: Bench, client: socket.socket, event: bytes = b"{}") -> str:
    """Have ``client`` ask for an event and get it; return its id."""
    client.sendall(NEXT)
    bench.run_until(len(bench.happened) + 1)
    request_id, _ = bench.endpoint.hand(event, 30.0)
    assert response(client)[2] == event
    return request_id


def test_a_response_whose_body_comes_apart_is_stamped_at_its_last_byte(bench: Bench) -> None:
    client = bench.client()
    request_id = ask(bench, client)
    whole = post(f"invocation/{request_id}/response", b'"done"')
    client.sendall(whole[:-6])
    bench.run_until()
    client.sendall(whole[-6:-1])
    bench.run_until()
    assert [each.kind for each in bench.happened] == ["next"]
    before_last_ns = time.monotonic_ns()
    client.sendall(whole[-1:])
    bench.run_until(2)
    answered = bench.happened[1]
    assert (answered.kind, answered.request_id) == ("response", request_id)
    assert answered.body == b'"done"'
    assert answered.at_ns >= before_last_ns
    assert response(client)[0] == b"HTTP/1.1 202 Accepted"
    assert ask(bench, client) != request_id


def test_a_chunked_response_and_one_on_another_connection(bench: Bench) -> None:
    asking, answering = bench.client(), bench.client()
    request_id = ask(bench, asking)
    head = post(f"invocation/{request_id}/response", b"").replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked"
    )
    answering.sendall(head + b"2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n")
    bench.run_until(2)
    assert bench.happened[1].body == b"[1]"


def test_a_client_that_waits_for_leave_gets_it_once(bench: Bench) -> None:
    client = bench.client()
    request_id = ask(bench, client)
    whole = post(f"invocation/{request_id}/response", b"ok", "Expect: 100-continue\r\n")
    client.sendall(whole[:-2])
    bench.run_until()
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(whole[-2:])
    bench.run_until(2)
    assert response(client)[0] == b"HTTP/1.1 202 Accepted"


def test_a_large_event_and_a_large_response(bench: Bench) -> None:
    client = bench.client()
    client.sendall(NEXT)
    bench.run_until(1)
    event = b'"' + b"e" * 100_000 + b'"'
    request_id, _ = bench.endpoint.hand(event, 30.0)
    assert response(client)[2] == event
    answer = b'"' + b"a" * 6_000_000 + b'"'
    whole = memoryview(post(f"invocation/{request_id}/response", answer))
    client.setblocking(False)
    while whole:
        try:
            whole = whole[client.send(whole) :]
        except BlockingIOError:
            bench.run_until()
    bench.run_until(2)
    assert bench.happened[1].body == answer


@pytest.mark.parametrize(
    ("path", "kind"),
    [("init/error", "init_error"), ("restore/error", "restore_error")],
)
def test_errors_outside_invokes_are_told_with_their_body(
    bench: Bench, path: str, kind: str
) -> None:
    client = bench.client()
    body = json.dumps({"errorType": "E", "errorMessage": "m"}).encode()
    client.sendall(post(path, body))
    bench.run_until(1)
    assert (bench.happened[0].kind, bench.happened[0].body) == (kind, body)
    assert response(client)[0] == b"HTTP/1.1 202 Accepted"


def test_an_error_of_an_invoke(bench: Bench) -> None:
    client = bench.client()
    request_id = ask(bench, client)
    client.sendall(post(f"invocation/{request_id}/error", b"{}"))
    bench.run_until(2)
    assert (bench.happened[1].kind, bench.happened[1].request_id) == ("error", request_id)


def test_a_restored_snapshot_is_let_on_at_once(bench: Bench) -> None:
    client = bench.client()
    client.sendall(NEXT.replace(b"invocation", b"restore"))
    bench.run_until(1)
    assert bench.happened[0].kind == "restore_next"
    assert response(client)[0] == b"HTTP/1.1 200 OK"
    assert not bench.endpoint.waiting


def test_an_answer_counts_once_and_only_to_an_event_in_hand(bench: Bench) -> None:
    client = bench.client()
    request_id = ask(bench, client)
    for wanted, each in (("202", request_id), ("400", request_id), ("400", "unheard-of")):
        client.sendall(post(f"invocation/{each}/response", b"1"))
        bench.run_until()
        assert wanted in response(client)[0].decode()
    assert [each.kind for each in bench.happened] == ["next", "response"]
    assert len(bench.endpoint.refused) == 2


def test_what_the_api_has_not_is_not_found_and_remembered(bench: Bench) -> None:
    client = bench.client()
    client.sendall(b"POST /2020-01-01/extension/register HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    bench.run_until()
    assert response(client)[0] == b"HTTP/1.1 404 Not Found"
    assert bench.endpoint.refused == ["POST /2020-01-01/extension/register"]


def test_a_client_that_speaks_no_http_is_told_and_dropped(bench: Bench) -> None:
    client = bench.client()
    client.sendall(b"\x16\x03\x01 TLS\r\n\r\n")
    bench.run_until()
    assert response(client)[0] == b"HTTP/1.1 400 Bad Request"
    assert client.recv(1) == b""


def test_a_call_whose_client_has_gone_waits_no_more(bench: Bench) -> None:
    first, second = bench.client(), bench.client()
    first.sendall(NEXT)
    bench.run_until(1)
    first.close()
    second.sendall(NEXT)
    bench.run_until(2)
    bench.run_until()
    assert bench.endpoint.waiting == 1
    bench.endpoint.hand(b"{}", 1.0)
    assert response(second)[2] == b"{}"
    with pytest.raises(RuntimeError, match="no call"):
        bench.endpoint.hand(b"{}", 1.0)


def test_the_endpoint_is_on_loopback_alone(bench: Bench) -> None:
    assert bench.endpoint.address.startswith("127.0.0.1:")
