"""Which rows of a section a plot is about: the size of their functions, their page cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf, log
from typing import Self

from spikebench.report.declared import CEILING
from spikebench.report.source import is_read
from spikebench.report.table import Row, Section
from spikes.serverless.scenario import ColdStart

HEADLINE = "cold_start"

STATE = ("memory_mb", "page_cache")
"""Parameters that are no answer, but where an answer is tried."""


@dataclass(frozen=True)
class State:
    """A function's size in MB and the page cache that it starts with."""

    memory_mb: float
    page_cache: str

    def with_page_cache(self, page_cache: str) -> Self:
        """The same size with another page cache."""
        return replace(self, page_cache=page_cache)

    def __str__(self) -> str:
        """In words, for a heading."""
        return f"{self.memory_mb:,.0f} MB, page cache {self.page_cache}"


def measured(section: Section) -> list[Row]:
    """The rows that were measured here, or were to be."""
    return [row for row in section.rows if row.cell.candidate != CEILING and not is_read(row.cell)]


def was_tried(row: Row) -> bool:
    """Whether it could be had here at all; the table says of the others why not."""
    return any(trial.status != "unavailable" for trial in row.cell.records)


def read(section: Section) -> list[Row]:
    """The rows that somebody else measured."""
    return [row for row in section.rows if is_read(row.cell) and HEADLINE in row.intervals]


def state_of(row: Row) -> State:
    """A row's state: as swept, else as its scenario has it for all; 0 MB where neither is known."""
    had, scenario = dict(row.cell.params), row.scenario
    own = scenario if isinstance(scenario, ColdStart) and not is_read(row.cell) else None
    memory_mb = had.get("memory_mb") or (own.memory_mb if own else 0)
    return State(float(memory_mb), had.get("page_cache") or (own.page_cache if own else "warm"))


def main_state(section: Section) -> State:
    """The state a scenario is about; where a run has no such size, the nearest one that it has."""
    scenario, sizes = section.scenario, set(_sizes(section))
    if not isinstance(scenario, ColdStart):
        return State(max(sizes), "warm")
    return State(nearest(scenario.memory_mb, sizes), scenario.page_cache)


def _sizes(section: Section) -> Iterator[float]:
    yield from (state_of(row).memory_mb for row in measured(section) if HEADLINE in row.intervals)


def nearest(memory_mb: float, sizes: Iterable[float]) -> float:
    """The size nearest to ``memory_mb`` by ratio; one that is not known only where all are."""
    return min(sizes, key=lambda size: abs(log(size / memory_mb)) if size else inf)


def page_caches(section: Section) -> list[str]:
    """The states of the page cache that have a measured row."""
    had = (state_of(row).page_cache for row in measured(section) if HEADLINE in row.intervals)
    return sorted(set(had))


def lever(row: Row) -> str:
    """The row's lever; empty where it has none."""
    return dict(row.cell.params).get("lever", "")


def heading(section: Section, what: str) -> str:
    """The scenario and what is drawn of it, in two lines."""
    title = section.scenario.title if section.scenario else ""
    return f"{section.name}: {title}\n{what}" if title else f"{section.name}\n{what}"
