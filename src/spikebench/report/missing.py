"""Why a figure is not there: no ``—`` of a table is without its reason."""

from __future__ import annotations

from spikebench.report.source import is_read
from spikebench.report.table import Row

NOT_READ = "not among what was read"
NOT_MEASURED = "not measured in this cell"
NO_INTERVAL = "an interval takes two trials"


def missing(row: Row, metric: str) -> list[str]:
    """Why a row has no figure of ``metric``, for a footnote: what its trials say of it, if they do.

    Nothing for a row that has one, and for one without a trial that counts: why stands beside their
    number.
    """
    if metric in row.intervals or not row.cell.valid:
        return []
    had = row.cell.metrics.get(metric)
    if had is not None and had.note:
        return [had.note]
    return [NOT_READ if is_read(row.cell) else NOT_MEASURED]


def unbounded(row: Row, metric: str) -> list[str]:
    """Why a row has no interval of ``metric``: it has no figure, or that of one trial."""
    found = row.intervals.get(metric)
    if found is None:
        return missing(row, metric)
    return [] if found.low is not None and found.high is not None else [NO_INTERVAL]
