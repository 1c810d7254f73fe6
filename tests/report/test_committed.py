"""The tables in the repository are what today's code makes of the records beside them.

What depends on the day is left out: how old a price is, and so whatever it is a part of.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from spikebench.discovery import find_spike
from spikebench.record import read_records, run_path
from spikebench.report import text, write

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
COSTS = "cost_"

Rows = list[dict[str, str]]


def committed(spike: str, name: str) -> Rows:
    with (RESULTS / spike / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def made(spike: str, run_id: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The table of a committed run, made anew."""
    monkeypatch.chdir(ROOT)
    found = find_spike(spike)
    records = read_records(run_path(spike, run_id, RESULTS))
    return text(records, found.read_scenarios(), kind, found.candidates, found.layout)


def without_costs(rows: Rows) -> Rows:
    return [row for row in rows if not row["metric"].startswith(COSTS)]


@pytest.mark.parametrize("spike", ["messaging", "serverless"])
def test_a_table_is_made_of_the_records_beside_it(
    spike: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    had = committed(spike, "table.csv")
    measured = {row["run_id"] for row in had if row["fidelity"] not in ("published", "model")}
    (run_id,) = measured
    anew = list(csv.DictReader(io.StringIO(made(spike, run_id, "csv", monkeypatch))))
    assert without_costs(anew) == without_costs(had)


def test_the_table_of_faults_is_made_of_the_records_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several runs, put together."""
    monkeypatch.chdir(ROOT)
    found = find_spike("messaging")
    named = {run for row in committed("messaging", "faults.csv") for run in row["run_id"].split()}
    records = [
        r for run in sorted(named) for r in read_records(run_path("messaging", run, RESULTS))
    ]
    write("messaging", records, found.read_scenarios(), tmp_path, found.candidates, found.layout)
    for name in ("faults.md", "faults.csv"):
        assert (tmp_path / name).read_text() == (RESULTS / "messaging" / name).read_text()
