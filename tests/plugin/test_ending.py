"""What pytest-benchmark cannot save is one clear error of a run, and a stranger's is its own."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spikebench.errors import RecordError
from spikebench.plugin.ending import Ending

FULL = OSError(errno.ENOSPC, "No space left on device")


def end(ours: bool, storage: Path | None, error: OSError | None) -> list[RecordError]:
    """End a session in which saving raises ``error``; return what was told."""
    told: list[RecordError] = []
    benchmarks = SimpleNamespace(storage=SimpleNamespace(path=storage) if storage else None)
    session: Any = SimpleNamespace(config=SimpleNamespace(_benchmarksession=benchmarks))
    ending = Ending(lambda _: ours, lambda _, error: told.append(error))
    others = ending.pytest_sessionfinish(session)
    next(others)
    with pytest.raises(StopIteration):
        others.throw(error) if error else others.send([])
    return told


def test_without_an_error_nothing_is_told() -> None:
    assert end(ours=True, storage=None, error=None) == []


def test_a_half_saved_file_goes_and_whole_ones_stay(tmp_path: Path) -> None:
    folder = tmp_path / "Linux"
    folder.mkdir()
    (folder / "0001.json").write_text("{}")
    (folder / "0002.json").write_text('{"machine')
    (told,) = end(ours=True, storage=tmp_path, error=FULL)
    assert str(told).startswith(f"{tmp_path}: pytest-benchmark could not save")
    assert "No space left" in str(told)
    assert [path.name for path in folder.iterdir()] == ["0001.json"]
    end(ours=True, storage=tmp_path, error=FULL)
    assert [path.name for path in folder.iterdir()] == ["0001.json"]


def test_without_a_storage_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.json").write_text("{")
    monkeypatch.chdir(tmp_path)
    (told,) = end(ours=True, storage=None, error=FULL)
    assert str(told).startswith("results: pytest-benchmark could not save")
    assert (tmp_path / "mine.json").exists()


def test_a_session_that_is_none_of_ours_ends_as_it_would(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        end(ours=False, storage=tmp_path, error=FULL)
