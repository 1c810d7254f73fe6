from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.gobench import read

TEXT = """\
goos: linux
note: before
BenchmarkCRC/poly=IEEE/size=1kB-8   300   44.6 ns/op   336.5 MB/s   2 allocs/op
PASS
note: after

BenchmarkPlain   1   7 ns/op
"""


def test_results_are_read_with_their_note_and_in_benchstats_units(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text(TEXT)
    first, second = read(path)
    assert (first.file, first.note, first.name) == ("old.txt", "before", "CRC/poly=IEEE/size=1kB-8")
    assert first.values == pytest.approx({"sec/op": 44.6e-9, "B/s": 336.5e6, "allocs/op": 2.0})
    assert (first.part("poly"), first.part("size"), first.part("align")) == ("IEEE", "1kB", "")
    assert first.without("poly") == "CRC/size=1kB-8"
    assert (second.note, second.name, second.without("poly")) == ("after", "Plain", "Plain")
