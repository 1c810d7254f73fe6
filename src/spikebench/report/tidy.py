"""The tidy table: a row per cell and metric, for machines and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from spikebench.report.source import source
from spikebench.report.table import Row, Table
from spikebench.stats import Interval, fingerprint

CELL = ("spike", "scenario", "candidate", "client", "target", "fidelity")
MEASURE = ("metric", "unit", "better", "n", "void", "median", "ci_low", "ci_high", "cv")
ORIGIN = ("run_id", "environment", "params", "reason", "noise_free")
COLUMNS = (*CELL, *MEASURE, *ORIGIN)


def to_csv(table: Table) -> str:
    """Return the table as CSV.

    ``ci_low`` and ``ci_high`` bound the geometric mean over trials at 95 %; they and ``cv`` are
    empty for a single trial. ``void`` counts trials that ran and may not count. A metric withheld
    in every trial, and a cell that has none, keep a row with ``n`` 0 and the reason.
    ``environment`` is the machine's fingerprint, or the source of what was not measured here;
    ``params`` is what was swept. ``noise_free`` is 1 for
    what was counted, message by message, and 0 for what was measured.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for section in table.sections:
        for row in section.rows:
            writer.writerows(_lines(row))
    return text.getvalue()


def _lines(row: Row) -> Iterator[dict[str, object]]:
    if not row.cell.metrics:
        yield {**_cell(row), "n": 0, "reason": "; ".join(row.cell.reasons)}
    for name, metric in sorted(row.cell.metrics.items()):
        line = {**_cell(row), "metric": name, "unit": metric.unit, "better": metric.better}
        line["noise_free"] = int(metric.noise_free)
        if name in row.intervals:
            yield {**line, **_figures(row.intervals[name])}
        else:
            yield {**line, "n": 0, "reason": metric.note}


def _cell(row: Row) -> dict[str, object]:
    first = row.cell.first
    return {
        "spike": first.spike,
        "scenario": first.scenario,
        "candidate": first.candidate,
        "client": first.client,
        "target": first.target,
        "fidelity": first.fidelity,
        "void": row.cell.void,
        "run_id": first.run_id,
        "environment": source(row.cell) or fingerprint(first),
        "params": row.params,
    }


def _figures(found: Interval) -> dict[str, object]:
    return {
        "n": found.n,
        "median": _number(found.median),
        "ci_low": _number(found.low),
        "ci_high": _number(found.high),
        "cv": _number(found.cv),
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
