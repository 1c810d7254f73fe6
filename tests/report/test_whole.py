"""A file is written whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from spikebench.errors import RecordError
from spikebench.report import write
from spikebench.report.whole import put
from tests.report.synthetic import run, scenario


def test_what_is_put_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "table.md"
    path.write_text("earlier, and longer")
    assert put(path, b"new") == path
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def fill(monkeypatch: pytest.MonkeyPatch, after_bytes: int) -> None:
    """Have the disk fill up after that many bytes of any file."""
    whole = Path.write_bytes

    def half(path: Path, content: bytes) -> int:
        if len(content) <= after_bytes:
            return whole(path, content)
        whole(path, content[:after_bytes])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)


def test_a_full_disk_leaves_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.md"
    path.write_text("earlier")
    fill(monkeypatch, after_bytes=1)
    with pytest.raises(OSError, match="No space left"):
        put(path, b"new")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("after_bytes", [10, 20_000])
def test_a_table_on_a_full_disk_is_one_clear_error_and_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after_bytes: int
) -> None:
    scenarios, records = {"change-data": scenario()}, list(run())
    write("messaging", records[:18], scenarios, tmp_path)
    earlier = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    fill(monkeypatch, after_bytes)
    with pytest.raises(
        RecordError,
        match=r"No space left.*intact: make room.*run: spikebench table messaging --write$",
    ):
        write("messaging", records, scenarios, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(earlier)
    assert (tmp_path / "plot-change-data.svg").read_bytes() == earlier["plot-change-data.svg"]
