import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.endpoint import EndpointRecipe
from spikebench.target.ports import free_ports
from spikebench.target.software import Cores

CORES = Cores([0], [0])


def _read(value: str, environ: Mapping[str, str]) -> PrivateConnection:  # noqa: ARG001
    password, address = value.split("@")
    host, _, port = address.partition(":")
    if not port.isdigit():
        raise ValueError("it has no port")
    return PrivateConnection(host=host, port=port, password=password)


def _recipe(value: str | None) -> EndpointRecipe:
    return EndpointRecipe(
        variable="EXAMPLE_URL",
        example="password@host:1",
        read=_read,
        address=lambda c: (c["host"], int(c["port"])),
        environ={} if value is None else {"EXAMPLE_URL": value},
        timeout_s=1,
    )


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


def test_an_unset_variable_is_absent_with_a_mend(cache: Cache) -> None:
    found = _recipe(None).presence(cache)
    assert (found.ready, found.obtainable) == (False, False)
    assert found.mend == "export EXAMPLE_URL=password@host:1"


def test_a_set_variable_is_present_without_its_secret(cache: Cache) -> None:
    found = _recipe("s3cret@broker:5").presence(cache)
    assert found.ready
    assert found.detail == "broker:5 (EXAMPLE_URL)"


def test_a_malformed_value_is_one_error_without_the_value(cache: Cache) -> None:
    recipe = _recipe("s3cret@broker")
    with pytest.raises(
        TargetError, match=r"EXAMPLE_URL: it has no port.*password@host:1"
    ) as caught:
        recipe.start(cache, CORES, print)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert not recipe.presence(cache).ready
    assert "s3cret" not in recipe.presence(cache).detail
    assert recipe.presence(cache).detail == str(caught.value)


def test_an_endpoint_that_does_not_answer_is_named_without_its_secret(cache: Cache) -> None:
    (port,) = free_ports(1)
    with pytest.raises(TargetError, match=f"127.0.0.1:{port}, which EXAMPLE_URL names") as caught:
        _recipe(f"s3cret@127.0.0.1:{port}").start(cache, CORES, print)
    assert "s3cret" not in str(caught.value)


def test_an_endpoint_is_used_and_left_alone(cache: Cache) -> None:
    said = list[str]()
    with socket.create_server(("127.0.0.1", 0)) as server:
        recipe = _recipe(f"s3cret@127.0.0.1:{server.getsockname()[1]}")
        running = recipe.start(cache, CORES, said.append)
        for act in (running.pause, running.resume, running.stop, running.stop):
            act()
    assert running.alive()
    assert running.connection["password"] == "s3cret"
    assert (running.startup_s, running.cpu_s(), running.peak_rss_bytes()) == (None, None, None)
    assert "s3cret" not in f"{running!r} {recipe!r} {said}"
