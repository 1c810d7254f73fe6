"""Our endpoint beside AWS's own Runtime Interface Emulator."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psutil
import pytest

from benchmarks.cold_start import emulated_init_ms, our_init_ms
from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikes.serverless import rie as rie_module
from spikes.serverless.rie import Emulator, rie
from spikes.serverless.synthetic import Behaviour, synthetic

SLEEP_MS = 300


def silent(_: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def executable() -> Path:
    return rie(Cache.open(), silent)


@pytest.mark.slow
def test_both_agree_that_init_took_at_least_what_it_slept(executable: Path, tmp_path: Path) -> None:
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    function = synthetic(tmp_path, Behaviour(init_s=SLEEP_MS / 1e3))
    assert our_init_ms(function) >= SLEEP_MS
    assert emulated_init_ms(executable, function) >= SLEEP_MS
    assert {each.pid for each in psutil.Process().children(recursive=True)} == before
    assert not list(Path(tempfile.gettempdir()).glob("spikebench-rie-*"))


@pytest.mark.slow
def test_an_emulator_that_was_not_asked_has_nothing_to_tell(
    executable: Path, tmp_path: Path
) -> None:
    with (
        Emulator(executable, synthetic(tmp_path)) as emulator,
        pytest.raises(TargetError, match="told 0 times"),
    ):
        emulator.init_ms()


@pytest.mark.slow
def test_a_damaged_executable_is_fetched_again(executable: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    damaged = cache.folder("rie") / executable.name
    damaged.write_bytes(b"not it")
    said: list[str] = []
    assert rie(cache, said.append) == damaged
    assert damaged.read_bytes() == executable.read_bytes()
    assert damaged.stat().st_mode & 0o111
    assert len(said) == 1
    assert rie(cache, said.append) == damaged
    assert len(said) == 1
    assert [path.name for path in damaged.parent.iterdir()] == [damaged.name]


def test_other_machines_have_none(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="not riscv64"):
        rie(Cache(tmp_path), silent, "riscv64")


def test_a_line_of_either_kind_is_read() -> None:
    lines = "x\nINIT REPORT(durationMs: 379.763000)\n"
    assert rie_module._INIT.findall(lines) == ["379.763000"]
    full = "INIT REPORT(initType: on-demand, durationMs: 12.50, status: success)"
    assert rie_module._INIT.findall(full) == ["12.50"]
