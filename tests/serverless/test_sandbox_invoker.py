"""The client that invokes sends each request once; the one that controls may try again."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from spikebench.target.sandbox.budget import Budget
from spikes.serverless.sandbox.invoke import Call, Invoker, Void, open_invoker
from tests.synthetic.aws import ACCOUNT, LAMBDA_PRICES

CALL = Call("f", "$LATEST", 512, "x86_64", 1, b"{}", None)


class _Throttling(BaseHTTPRequestHandler):
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"Type": "User", "message": "Rate Exceeded."}'
        self.send_response(429)
        self.send_header("x-amzn-ErrorType", "TooManyRequestsException")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    _Throttling.asked = 0
    with HTTPServer(("127.0.0.1", 0), _Throttling) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_throttled_invoke_is_sent_once(endpoint: str) -> None:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = open_invoker("eu-west-2", 1, {"endpoint_url": endpoint, **keys})
    try:
        with pytest.raises(Void, match=r"throttled: .*Rate Exceeded"):
            Invoker(client, Budget(LAMBDA_PRICES), ACCOUNT).invoke(CALL, cold=True)
    finally:
        client.close()
    assert _Throttling.asked == 1


def test_it_waits_longer_than_any_invoke_may_take() -> None:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    assert open_invoker("eu-west-2", 900, keys).meta.config.read_timeout > 900
