"""What a reader must know of a row: all that a table's footnotes say of it, in their order."""

from __future__ import annotations

from collections.abc import Iterator

from spikebench.report import wording
from spikebench.report.layout import Layout
from spikebench.report.table import Row


def remarks(row: Row, layout: Layout) -> list[str]:
    """Return each remark once: fidelity, the spike's own, counts, void trials, drift.

    Why a figure is missing, and what a requirement turned on, is not among them.
    """
    return list(dict.fromkeys(_remarks(row, layout)))


def _remarks(row: Row, layout: Layout) -> Iterator[str]:
    yield from (*wording.about(row), *layout.remarks(row))
    for one in layout.counts:
        yield from one.remarks(row)
    yield from (*wording.why_void(row), *wording.drifts(row))
