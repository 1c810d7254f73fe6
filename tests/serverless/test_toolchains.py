"""Where a language's toolchain is looked for, and what is said where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.wheel import pip_environ
from spikes.serverless.function import Build
from spikes.serverless.runtimes import go, node, rust
from spikes.serverless.runtimes.go import Go
from spikes.serverless.runtimes.node import NodeJs
from spikes.serverless.runtimes.python import read_pins
from spikes.serverless.runtimes.rust import Rust
from spikes.serverless.runtimes.tool import run_tool
from spikes.serverless.runtimes.wheel import Wheel, unpack_wheel

HELLO = Build("hello")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def _tool(folder: Path, name: str, script: str = "exit 0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tool = folder / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    return tool


def _go(folder: Path, version: str) -> str:
    _tool(folder / "bin", "go")
    (folder / "VERSION").write_text(f"go{version}\ntime 2026-01-01T00:00:00Z\n")
    return str(folder / "bin")


def test_no_cargo_is_a_reason_with_what_mends_it(cache: Cache) -> None:
    presence = Rust({"PATH": ""}).presence(HELLO, cache)
    assert not presence.ready
    assert not presence.obtainable
    assert "no cargo" in presence.detail
    assert presence.mend == rust.MEND
    with pytest.raises(TargetError, match=r"no cargo on PATH.*rustup"):
        Rust({"PATH": ""}).build(HELLO, cache, print)


def test_a_cargo_that_fails_is_none(tmp_path: Path, cache: Cache) -> None:
    _tool(tmp_path / "bin", "cargo", "echo no default toolchain >&2; exit 1")
    presence = Rust({"PATH": str(tmp_path / "bin")}).presence(HELLO, cache)
    assert not presence.obtainable


def test_what_cargo_says_reaches_the_reader(tmp_path: Path, cache: Cache) -> None:
    script = 'test "$1" = --version && echo cargo 1.95.0 && exit 0\n'
    script += 'test "$1" = fetch && exit 0\necho "error: rustc 1.60 is too old" >&2; exit 101'
    path = f"{_tool(tmp_path / 'bin', 'cargo', script).parent}:/usr/bin:/bin"
    with pytest.raises(TargetError, match=r"rustc 1\.60 is too old.*rustup update") as caught:
        Rust({"PATH": path}).build(HELLO, cache, print)
    assert not isinstance(caught.value, ArtefactError)
    assert [folder.name for folder in (cache.root / "serverless").iterdir()] == []


def test_crates_that_cannot_be_fetched_are_an_artefact_error(tmp_path: Path, cache: Cache) -> None:
    script = 'test "$1" = --version && echo cargo 1.95.0 && exit 0\necho offline >&2; exit 1'
    path = f"{_tool(tmp_path / 'bin', 'cargo', script).parent}:/usr/bin:/bin"
    with pytest.raises(ArtefactError, match="could not be fetched: offline"):
        Rust({"PATH": path}).build(HELLO, cache, print)


def test_the_machines_go_is_taken_where_it_is_new_enough(tmp_path: Path, cache: Cache) -> None:
    path = _go(tmp_path / "go", "1.99.1")
    presence = Go({"PATH": path}).presence(HELLO, cache)
    assert (presence.ready, presence.obtainable) == (False, True)
    assert presence.detail == f"Go 1.99.1, {tmp_path / 'go'}"


@pytest.mark.parametrize("version", ["1.9.9", "1.25"])
def test_an_old_go_is_passed_over_for_a_pinned_one(
    version: str, tmp_path: Path, cache: Cache
) -> None:
    presence = Go({"PATH": _go(tmp_path / "go", version)}).presence(HELLO, cache)
    assert (presence.ready, presence.obtainable) == (False, True)
    assert presence.detail == f"Go {go.WHEEL.version} from the Python index"


def test_without_a_compiler_node_cannot_be_had(tmp_path: Path, cache: Cache) -> None:
    for tool in ("cc", "c++", "make", "tar", "xz"):
        _tool(tmp_path / "bin", tool)
    presence = NodeJs({"PATH": str(tmp_path / "bin")}).presence(HELLO, cache)
    assert not presence.obtainable
    assert presence.detail == "aws-lambda-ric must be compiled: no cmake"
    assert presence.mend == "apt-get install build-essential cmake xz-utils"


def test_a_wheel_that_is_not_the_pinned_one_is_refused(cache: Cache) -> None:
    wrong = Wheel("six==1.17.0", 1, ("0" * 64,))
    with pytest.raises(ArtefactError, match=r"six==1\.17\.0 could not be fetched"):
        unpack_wheel(wrong, cache, print)
    assert list((cache.root / "serverless").iterdir()) == []


@pytest.mark.parametrize("pinned", [go.WHEEL, node.NODE], ids=lambda w: w.requirement)
def test_a_wheel_is_pinned_for_more_than_one_platform(pinned: Wheel) -> None:
    assert len(set(pinned.sha256)) >= 4
    assert all(len(value) == 64 for value in pinned.sha256)


def test_pip_is_spared_our_constraints() -> None:
    assert pip_environ({"PIP_CONSTRAINT": "x", "PIP_CERT": "y"}) == {"PIP_CERT": "y"}


def test_pins_are_read_from_a_lock_file(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# a comment\nsix==1.17.0 \\\n    --hash=sha256:00\nzipp==3.1\n")
    assert read_pins(lock) == {"six": "1.17.0", "zipp": "3.1"}
    assert read_pins(tmp_path / "none.txt") == {}


def test_a_tool_that_cannot_be_started_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="/none/such: No such file"):
        run_tool(["/none/such"], tmp_path, {}, TargetError)


def test_a_tools_errors_are_told_before_its_last_lines(tmp_path: Path) -> None:
    tool = _tool(tmp_path, "tool", "echo 'error: the cause' >&2\necho 'see the log' >&2\nexit 1")
    with pytest.raises(TargetError, match=r"^error: the cause$"):
        run_tool([tool], tmp_path, {}, TargetError)


def test_node_trusts_what_a_closed_network_has_all_programs_trust() -> None:
    told = NodeJs({"PATH": "/bin", "SSL_CERT_FILE": "/etc/own.pem"})._with_node(Path("/node"))
    assert told["NODE_EXTRA_CA_CERTS"] == "/etc/own.pem"
    kept = NodeJs({"SSL_CERT_FILE": "/etc/own.pem", "NODE_EXTRA_CA_CERTS": "/mine.pem"})
    assert kept._with_node(Path("/node"))["NODE_EXTRA_CA_CERTS"] == "/mine.pem"
    assert "NODE_EXTRA_CA_CERTS" not in NodeJs({})._with_node(Path("/node"))
