"""The table of faults as grids: what became of every message while something broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from spikebench.report import faults
from spikebench.report.column import count, figure
from spikebench.report.faults import Fault
from spikebench.report.timeline import Plot, plots
from spikebench.scenario.model import Scenario
from spikebench.site.grid import Grid, Heading, Line, Notes, Place, number, words
from spikebench.site.slug import slug

WORDS = 5
"""How many columns of the header, from the left, are words and not counts."""

History = Callable[[Fault], tuple[str, str]]
"""From a fault to the words and the address of its history; empty where it has none."""


@dataclass(frozen=True)
class Broken:
    """One scenario of faults; ``left_out`` says which faults could not be put in, and why."""

    name: str
    anchor: str
    title: str
    question: str
    grid: Grid
    left_out: tuple[str, ...]
    plots: tuple[Plot, ...]


def show(
    found: Mapping[str, Sequence[Fault]], scenarios: Mapping[str, Scenario], history: History
) -> list[Broken]:
    """Make a grid a scenario; ``history`` says where each row's earlier runs stand."""
    drawn = plots(found)
    return [
        Broken(
            name,
            slug(name),
            scenarios[name].title,
            scenarios[name].question,
            _grid(name, each, history),
            tuple(faults.left_out(each)),
            drawn[name],
        )
        for name, each in found.items()
    ]


def _grid(name: str, each: Sequence[Fault], history: History) -> Grid:
    notes = Notes()
    headings = [Heading(text, figures=i >= WORDS, choice=i < WORDS) for i, text in _header()]
    lines = tuple(Line(tuple(_places(fault, notes, history))) for fault in faults.put_in(each))
    return Grid(
        f"{slug(name)}-faults",
        f"{name}: a row a fault and cell",
        (*headings, Heading("history")),
        lines,
        tuple(notes.reasons),
    )


def _header() -> Iterator[tuple[int, str]]:
    return enumerate(("candidate", "fault", *faults.HEADER[2:]))


def _places(fault: Fault, notes: Notes, history: History) -> Iterator[Place]:
    cell, counts = fault.cell, fault.counts
    yield words(cell.candidate, notes=notes.numbers(fault.remarks))
    yield from (words(text) for text in (fault.kind, cell.client, cell.target, cell.fidelity))
    yield number(str(len(cell.valid)), len(cell.valid))
    for name in faults.SHOWN_COUNTS:
        yield number(count(counts[name]), counts[name])
    for name in ("recovery_s", "longest_gap_s"):
        seconds = fault.longest(name)
        yield number(figure(seconds), seconds)
    text, href = history(fault)
    yield words(text, href=href)
