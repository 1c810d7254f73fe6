"""The serverless spike's own decision: levers as options, and one that is judged, not measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from spikebench.decision.assess import Assessment, assess
from spikebench.decision.publish import check, publish
from spikebench.discovery import find_spike
from spikebench.record import Record, RecordFile, run_path
from tests.serverless.cold_starts import record

ROOT = Path(__file__).parents[2]

TODAY = date(2026, 1, 31)

COLD_MS = {
    ("java-21", "lambda-flags"): 2400.0,
    ("java-21", "appcds+c1"): 1100.0,
    ("java-25", "lambda-flags"): 3600.0,
    ("java-25", "aot-cache+c1"): 700.0,
}
"""Made up, and evidence of nothing; 3,000 ms are allowed."""


def starts(**swept: object) -> Iterator[Record]:
    for (candidate, lever), cold_ms in COLD_MS.items():
        for block in range(6):
            ms = cold_ms * (1 + 0.01 * block)
            values = {
                "runtime_up": ms * 0.1,
                "init": ms * 0.8,
                "first_invoke": ms * 0.1,
                "cold_start": ms,
                "peak_memory": ms / 10,
            }
            yield record(
                candidate,
                lever,
                block,
                values,
                scenario="spring",
                client="java-ric",
                params={"lever": lever, **swept},
                series={"invoke_ms": [ms * 0.1, 9.0, 8.0, 7.0]},
            )


def assessed(folder: Path, **swept: object) -> Assessment:
    path = run_path("serverless", "20260101-000000", folder)
    with RecordFile(path) as file:
        for one in starts(**swept):
            file.append(one)
    return assess(find_spike("serverless", ROOT), [path])


@pytest.mark.parametrize(
    "swept", [{}, {"memory_mb": 1769}, {"memory_mb": 1769, "page_cache": "warm"}]
)
def test_levers_are_options_and_who_is_too_slow_is_out(
    tmp_path: Path, swept: dict[str, object]
) -> None:
    """Rows are found whether the size was swept or is the scenario's own."""
    found = assessed(tmp_path, **swept)
    out = [option.name for option in found.decision.options if found.is_out(option)]
    assert out == ["java-25"]
    cold = {
        option.name: entry.value
        for option, entry in zip(found.matrix.options, found.matrix.entries[0], strict=True)
    }
    assert cold["java-25-aot"] == pytest.approx(700 * 1.025, rel=0.01)
    assert cold["fargate"] is None
    assert len(found.matrix.ranked) == 4


def test_another_size_is_another_row(tmp_path: Path) -> None:
    found = assessed(tmp_path, memory_mb=512)
    assert found.held["java-21"][0].reason == "no such row in this run"


def test_cost_is_priced_from_the_trials_and_the_record_holds(tmp_path: Path) -> None:
    assessed(tmp_path)
    spike = find_spike("serverless", ROOT)
    path = publish(spike, tmp_path, TODAY).written[0]
    text = path.read_text()
    assert path.name == "0001-java-on-lambda.md"
    assert "USD a million at list prices, spring" in text
    assert re.search(
        r"on Fargate: [0-9.]+ USD a month and [0-9.]+ USD a million invocations at list prices, "
        r"not measured, 2 tasks of 0\.5 vCPU and 1 GB",
        text,
    )
    assert "(judged, not measured here)" in text
    assert check(spike, tmp_path, TODAY).path == path
