"""Plots of cold starts: their phases, what memory makes of them, and how they get warm.

Readable without colour: hatches tell phases apart, marks and strokes tell levers apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spikebench.report.figure import save
from spikebench.report.table import Section, Table
from spikes.serverless.plots.panels import by_invoke, by_memory, invokes_of, memory_of
from spikes.serverless.plots.phases import phases_of
from spikes.serverless.plots.rows import HEADLINE, main_state, measured, page_caches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]


def draw(table: Table, folder: Path) -> list[Path]:
    """Draw each scenario that has a measured cell; return the files written, SVG and PNG of each.

    ``plot-<scenario>`` has the phases at the scenario's own size and page cache, another page cache
    has a plot of its own; ``-memory`` and ``-invokes`` stand where there is something to show.
    Raises OSError where the folder cannot be written.
    """
    return [
        path
        for section in table.sections
        if any(HEADLINE in row.intervals for row in measured(section))
        for suffix, figure in _figures(section)
        for path in save(figure, folder / f"plot-{section.name}{suffix}")
    ]


def _figures(section: Section) -> Iterator[tuple[str, Figure]]:
    state = main_state(section)
    for page_cache in page_caches(section):
        suffix = "" if page_cache == state.page_cache else f"-{page_cache}"
        yield suffix, phases_of(section, state.with_page_cache(page_cache))
    if memory := by_memory(section, state):
        yield "-memory", memory_of(section, state, memory)
    if invokes := by_invoke(section, state):
        yield "-invokes", invokes_of(section, state, invokes)
