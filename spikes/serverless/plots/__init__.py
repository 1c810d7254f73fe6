"""Plots of cold starts: their phases, what memory makes of them, and how they get warm.

Readable without colour: hatches tell phases apart, marks and strokes tell levers apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from spikebench.report.drawing import Drawing
from spikebench.report.table import Section, Table
from spikes.serverless.plots.panels import by_invoke, by_memory, invokes_of, memory_of
from spikes.serverless.plots.phases import phases_of
from spikes.serverless.plots.rows import HEADLINE, main_state, measured, page_caches

__all__ = ["drawings"]


def drawings(table: Table) -> list[Drawing]:
    """The plots of each scenario that has a measured cell.

    ``plot-<scenario>`` has the phases at the scenario's own size and page cache, another page cache
    has a plot of its own; ``-memory`` and ``-invokes`` stand where there is something to show.
    """
    return [
        drawing
        for section in table.sections
        if any(HEADLINE in row.intervals for row in measured(section))
        for drawing in _of(section)
    ]


def _of(section: Section) -> Iterator[Drawing]:
    stem, state = f"plot-{section.name}", main_state(section)
    for page_cache in page_caches(section):
        suffix = "" if page_cache == state.page_cache else f"-{page_cache}"
        other = state.with_page_cache(page_cache)
        yield Drawing(f"{stem}{suffix}", partial(phases_of, section, other))
    if memory := by_memory(section, state):
        yield Drawing(f"{stem}-memory", partial(memory_of, section, state, memory))
    if invokes := by_invoke(section, state):
        yield Drawing(f"{stem}-invokes", partial(invokes_of, section, state, invokes))
