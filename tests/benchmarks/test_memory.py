from __future__ import annotations

import pytest

from benchmarks.memory import growth_of

MB = 1_000_000


def test_steady_memory_is_flat() -> None:
    row = growth_of([200 * MB, 201 * MB, 199 * MB, 200 * MB, 201 * MB, 199 * MB])
    assert row.low is not None
    assert row.high is not None
    assert row.low < 1 < row.high
    assert row.verdict.startswith("met")


def test_growth_is_the_end_of_the_line_over_its_beginning() -> None:
    row = growth_of([100 * MB + each * 10 * MB for each in range(11)])
    assert row.ratio == pytest.approx(2.0)
    assert row.verdict == "not met"
    assert "+10.00 MB a segment" in row.note
