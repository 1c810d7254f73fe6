"""The tidy table: a row per cell and metric, for machines and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping

from spikebench.record.trials import COUNTED
from spikebench.report import wording
from spikebench.report.layout import Layout
from spikebench.report.remarks import remarks
from spikebench.report.source import source
from spikebench.report.table import Row, Table
from spikebench.stats import Interval, fingerprint

CELL = ("spike", "scenario", "candidate", "client", "target", "fidelity")
MEASURE = ("metric", "unit", "better", "n", "void", "median", "ci_low", "ci_high", "cv")
ORIGIN = ("run_id", "environment", "params", "reason", "noise_free")
SAID = ("total", "leads", "requirement", "notes")
COLUMNS = (*CELL, *MEASURE, *ORIGIN, *SAID)


def to_csv(table: Table) -> str:
    """Return the table as CSV.

    ``ci_low`` and ``ci_high`` bound the geometric mean over trials at 95 %; they and ``cv`` are
    empty for a single trial. ``void`` counts trials that ran and may not count. A metric withheld
    in every trial, and a cell that has none, keep a row with ``n`` 0 and the reason.
    ``environment`` is the machine's fingerprint, or the source of what was not measured here;
    ``params`` is what was swept. ``noise_free`` is 1 for what was counted, message by message, and
    0 for what was measured; ``total`` is the sum of what was counted. ``leads`` is 1 where a
    verdict supports that it is the best of its group; ``requirement`` is the cell's, ``notes`` what
    a reader must know of the cell, its void trials among it.
    """
    return csv_of(rows(table))


def csv_of(found: Iterable[Mapping[str, object]]) -> str:
    """Return rows as CSV: numbers of six digits, empty where there is nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in row.items()} for row in found)
    return text.getvalue()


def json_of(found: Iterable[Mapping[str, object]]) -> str:
    """Return rows as a JSON list of objects, every one with all of ``COLUMNS``, typed.

    Numbers are whole; what is not there is null. ``params`` maps each parameter to its value.
    """
    whole = [{name: row.get(name) for name in COLUMNS} for row in found]
    return json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def rows(table: Table, metrics: Collection[str] = ()) -> Iterator[dict[str, object]]:
    """Yield a row for each cell and metric, typed; only some ``metrics`` where any are named.

    A cell that has none keeps a row of its own.
    """
    for section in table.sections:
        for row in section.rows:
            yield from (
                line
                for line in _lines(row, table.layout)
                if not metrics or "metric" not in line or line["metric"] in metrics
            )


def _text(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={each}" for name, each in sorted(value.items()))
    return "" if value is None else value


def _lines(row: Row, layout: Layout) -> Iterator[dict[str, object]]:
    cell = {**_cell(row), "notes": "; ".join(_notes(row, layout))}
    if not row.cell.metrics:
        yield {**cell, "n": 0, "reason": "; ".join(row.cell.reasons)}
    for name, metric in sorted(row.cell.metrics.items()):
        line = {**cell, "metric": name, "unit": metric.unit, "better": metric.better}
        line["noise_free"] = metric.noise_free
        line["leads"] = name in row.best
        if name in row.intervals:
            counted = {"total": int(sum(row.cell.values(name)))} if metric.unit == COUNTED else {}
            yield {**line, **_figures(row.intervals[name]), **counted}
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
        "run_id": " ".join(row.cell.run_ids),
        "environment": source(row.cell) or fingerprint(first),
        "params": first.params,
        "requirement": row.judgement.outcome if row.judgement else None,
    }


def _notes(row: Row, layout: Layout) -> list[str]:
    """What the table's footnotes say of a cell, but for what stands in a column of its own."""
    elsewhere = [source(row.cell), *([] if row.cell.valid else wording.why_void(row))]
    found = (*remarks(row, layout), *wording.why_judged(row.judgement))
    return [note for note in found if note not in elsewhere]


def _figures(found: Interval) -> dict[str, object]:
    return {
        "n": found.n,
        "median": found.median,
        "ci_low": found.low,
        "ci_high": found.high,
        "cv": found.cv,
    }
