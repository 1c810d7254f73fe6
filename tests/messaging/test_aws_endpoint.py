"""Who answers at an endpoint: AWS itself, an emulator that gives its name, or one that does not."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spikebench.target.ports import free_ports
from spikes.messaging.aws_endpoint import emulator, health, is_aws, on_loopback
from spikes.messaging.candidates.aws import server_version
from spikes.messaging.servers.images import ministack_answers

SAID = {"services": {"sqs": "available"}, "version": "1.5.17"}


class Pages(ThreadingHTTPServer):
    """Serves ``page`` as ministack's health page, and nothing else."""

    page = json.dumps(SAID).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Page(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        found = self.path == "/_ministack/health"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(self.server.page if found else b"")

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


@pytest.fixture
def pages() -> Iterator[Pages]:
    with Pages(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_emulator_is_told_by_name_and_version(pages: Pages) -> None:
    connection = {"endpoint_url": pages.url, "region": "eu-west-1"}
    assert server_version(connection, "Amazon SQS") == "Amazon SQS (ministack 1.5.17)"
    assert ministack_answers(connection)


def test_aws_itself_is_told_by_its_region() -> None:
    for url in ("", "https://sqs.eu-west-2.amazonaws.com"):
        connection = {"endpoint_url": url, "region": "eu-west-2"}
        assert server_version(connection, "Amazon SQS") == "Amazon SQS (eu-west-2)"


@pytest.mark.parametrize("page", [b"", b"fine", b"[]"])
def test_who_does_not_give_a_name_is_an_emulator(pages: Pages, page: bytes) -> None:
    pages.page = page
    assert health(pages.url) is None
    assert emulator(pages.url) == "an emulator"
    assert emulator(f"{pages.url}/elsewhere") == "an emulator"


def test_nobody_answers_where_nobody_is() -> None:
    (port,) = free_ports(1)
    assert not ministack_answers({"endpoint_url": f"http://127.0.0.1:{port}"})


def test_a_proxy_for_the_outside_world_is_not_asked_for_this_machine(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    assert ministack_answers({"endpoint_url": pages.url})


@pytest.mark.parametrize(
    ("url", "aws", "here"),
    [
        ("https://sqs.eu-west-1.amazonaws.com", True, False),
        ("https://sqs.cn-north-1.amazonaws.com.cn", True, False),
        ("https://amazonaws.com.example.org", False, False),
        ("http://localhost:4566", False, True),
        ("http://[::1]:4566", False, True),
        ("http://10.0.0.1:4566", False, False),
    ],
)
def test_addresses_are_told_apart(url: str, aws: bool, here: bool) -> None:
    assert (is_aws(url), on_loopback(url)) == (aws, here)
