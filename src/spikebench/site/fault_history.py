"""The history of a fault: what the same fault did to the same cell in each run, by date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from spikebench.report import faults
from spikebench.report.column import count, figure
from spikebench.report.faults import Fault
from spikebench.scenario.model import Scenario
from spikebench.site.grid import Grid, Heading, Line, Notes, Place, number, words
from spikebench.site.history import Key, anchor, apart, key, machine
from spikebench.site.slug import slug

HEADINGS = (
    Heading("candidate", choice=True),
    *(Heading(one, choice=True) for one in ("fault", "client", "target", "fidelity", "run")),
    Heading("machine"),
    Heading("n", figures=True),
    Heading("confirmed", figures=True),
    Heading("lost after confirm", figures=True),
    Heading("time to recover s", figures=True),
)


@dataclass(frozen=True)
class Met:
    """A fault as one run met with it; ``page`` is that run's address from the history's page."""

    run_id: str
    page: str
    fault: Fault


@dataclass(frozen=True)
class ToldOfFaults:
    """One scenario's histories of faults."""

    name: str
    anchor: str
    title: str
    grid: Grid


@dataclass(frozen=True)
class FaultHistory:
    """All faults of a spike that could be put in, over all its runs, the earliest run first."""

    cells: Mapping[Key, tuple[Met, ...]]

    def runs(self, fault: Fault) -> int:
        """In how many runs a cell met with that fault."""
        return len(self.cells.get(key(fault.cell), ()))

    def told(self, scenarios: Mapping[str, Scenario]) -> list[ToldOfFaults]:
        """Every scenario's histories, in the order of the scenarios."""
        mine = {name: [one for one in self.cells if one[0] == name] for name in scenarios}
        return [
            ToldOfFaults(name, slug(name), scenarios[name].title, _grid(self, keys))
            for name, keys in mine.items()
            if keys
        ]


def gather(runs: Sequence[tuple[str, str, Mapping[str, Sequence[Fault]]]]) -> FaultHistory:
    """Make histories of runs: id, page and faults by scenario of each, the earliest first."""
    cells: dict[Key, list[Met]] = {}
    for run_id, page, found in runs:
        for fault in (one for each in found.values() for one in faults.put_in(each)):
            cells.setdefault(key(fault.cell), []).append(Met(run_id, page, fault))
    return FaultHistory({one: tuple(met) for one, met in cells.items()})


def _grid(history: FaultHistory, keys: Sequence[Key]) -> Grid:
    notes, name = Notes(), keys[0][0]
    lines = tuple(line for one in keys for line in _lines(one, history.cells[one], notes))
    caption = f"{name}: what each fault did to each cell, run by run"
    return Grid(f"{slug(name)}-fault-history", caption, HEADINGS, lines, tuple(notes.reasons))


def _lines(one: Key, met: Sequence[Met], notes: Notes) -> Iterator[Line]:
    before = None
    for place, now in enumerate(met):
        cell = now.fault.cell
        why = notes.numbers(apart(before, cell))
        yield Line(tuple(_places(now, why, notes)), anchor(one) if place == 0 else "")
        before = cell


def _places(met: Met, why: tuple[int, ...], notes: Notes) -> Iterator[Place]:
    fault, cell = met.fault, met.fault.cell
    yield words(cell.candidate, notes=notes.numbers(fault.remarks))
    yield from (words(text) for text in (fault.kind, cell.client, cell.target, cell.fidelity))
    yield words(met.run_id, notes=why, href=met.page)
    yield words(machine(cell))
    yield number(str(len(cell.valid)), len(cell.valid))
    for name in ("confirmed", "lost"):
        yield number(count(fault.counts[name]), fault.counts[name])
    seconds = fault.longest("recovery_s")
    yield number(figure(seconds), seconds)
