"""The data of a chart that a reader points at: means over trials with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spikebench.report import wording
from spikebench.report.column import Column
from spikebench.report.declared import CEILING
from spikebench.report.layout import Layout
from spikebench.report.source import is_read
from spikebench.report.table import Row, Section
from spikebench.stats import Interval

Mark = tuple[float, float | None, float | None, int]
"""Mean, lower and upper bound (None for fewer than two trials), and the number of trials."""


@dataclass(frozen=True)
class Chart:
    """One chart: ``data`` is what the page's script reads, as JSON values."""

    name: str
    label: str
    data: Mapping[str, object]


def marks(intervals: Mapping[str, Interval], columns: Sequence[Column]) -> dict[str, Mark]:
    """The marks of a row, by metric."""
    return {
        column.metric: (found.mean, found.low, found.high, found.n)
        for column in columns
        if (found := intervals.get(column.metric)) is not None
    }


def metrics(columns: Sequence[Column], had: Iterable[Mapping[str, Mark]]) -> list[dict[str, str]]:
    """The metrics that a chart can show: those with a value in a row at least."""
    seen = {name for row in had for name in row}
    return [{"name": c.metric, "label": c.header} for c in columns if c.metric in seen]


def of_section(section: Section, layout: Layout, name: str) -> Chart | None:
    """A section's chart, a row a cell; None where nothing was measured.

    The generator's own ceiling is left to the table, as in the plots.
    """
    rows = [row for row in section.rows if row.cell.candidate != CEILING]
    had = [marks(row.intervals, layout.columns) for row in rows]
    if not any(had):
        return None
    shown = [
        {"name": _name(row, layout), "hollow": hollow(row), "marks": one}
        for row, one in zip(rows, had, strict=True)
    ]
    data = {
        "metrics": metrics(layout.columns, had),
        "first": section.scenario.analysis.metric if section.scenario else layout.headline,
        "groups": [{"name": section.name, "rows": shown}],
        "group": "",
    }
    return Chart(name, f"{section.name}: a metric of every cell", data)


def hollow(row: Row) -> bool:
    """Whether a row's mark is hollow: an emulator's, or read elsewhere."""
    return row.cell.fidelity == "emulator" or is_read(row.cell)


def _name(row: Row, layout: Layout) -> str:
    cell = row.cell
    chosen = [value for value in layout.chosen(cell.params) if value]
    told = filter(None, (f"{cell.candidate} ({cell.client})", *chosen, _rest(row, layout)))
    return ", ".join(told)


def _rest(row: Row, layout: Layout) -> str:
    return wording.params(layout.shared(row.cell.params))
