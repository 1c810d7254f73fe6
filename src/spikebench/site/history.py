"""The history of a cell: what the same cell came to in each run, by date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spikebench.record.trials import ParamsKey, Trials
from spikebench.report import wording
from spikebench.report.layout import Layout
from spikebench.report.source import is_read
from spikebench.report.table import Row, Table
from spikebench.scenario.model import Scenario
from spikebench.site.chart import Chart, hollow, marks, metrics
from spikebench.site.grid import Grid, Heading, Line, Notes, number, words
from spikebench.site.section import figure_of
from spikebench.site.slug import slug
from spikebench.stats import fingerprint

Key = tuple[str, str, str, str, str, ParamsKey]
"""Scenario, candidate, client, target, fidelity and parameters: a cell, whatever the run."""

OTHER_WORKLOAD = "the scenario asked for something else than in the run before: not comparable"
OTHER_MACHINE = "another machine than in the run before: not comparable"


@dataclass(frozen=True)
class Measured:
    """A cell as one run measured it; ``page`` is that run's address from the history's page."""

    run_id: str
    date: str
    page: str
    row: Row


@dataclass(frozen=True)
class Told:
    """One scenario's histories."""

    name: str
    anchor: str
    title: str
    metric: str
    grid: Grid
    chart: Chart | None


@dataclass(frozen=True)
class History:
    """All cells of a spike over all its runs but of faults, the earliest run first."""

    cells: Mapping[Key, tuple[Measured, ...]]

    def runs(self, row: Row) -> int:
        """In how many runs a row's cell was measured."""
        return len(self.cells.get(key(row.cell), ()))

    def told(self, scenarios: Mapping[str, Scenario], layout: Layout) -> list[Told]:
        """Every scenario's histories, in the order of the scenarios; others after them."""
        names = dict.fromkeys([*scenarios, *(one[0] for one in self.cells)])
        mine = {name: [k for k in self.cells if k[0] == name] for name in names}
        return [self._told(n, keys, scenarios.get(n), layout) for n, keys in mine.items() if keys]

    def _told(
        self, name: str, keys: Sequence[Key], scenario: Scenario | None, layout: Layout
    ) -> Told:
        metric = scenario.analysis.metric if scenario else layout.headline
        anchor = slug(name)
        return Told(
            name,
            anchor,
            scenario.title if scenario else "",
            metric,
            self._grid(name, keys, metric, layout, f"{anchor}-history"),
            self._chart(name, keys, metric, layout, f"{anchor}-chart"),
        )

    def _grid(
        self, scenario: str, keys: Sequence[Key], metric: str, layout: Layout, name: str
    ) -> Grid:
        notes = Notes()
        header = next((c.header for c in layout.columns if c.metric == metric), metric)
        headings = (
            Heading("candidate", choice=True),
            *(Heading(one, choice=True) for one in ("client", "target", "fidelity")),
            Heading("params", choice=True),
            Heading("run", choice=True),
            Heading("machine"),
            Heading(header, figures=True),
            Heading("n (void)", figures=True),
        )
        lines = [line for one in keys for line in self._lines(one, metric, notes)]
        caption = f"{scenario}: {header} of each cell, run by run"
        return Grid(name, caption, headings, tuple(lines), tuple(notes.reasons))

    def _lines(self, one: Key, metric: str, notes: Notes) -> list[Line]:
        lines = []
        before: Trials | None = None
        for place, run in enumerate(self.cells[one]):
            cell = run.row.cell
            why = notes.numbers(apart(before, cell))
            places = (
                words(cell.candidate, notes=notes.numbers(wording.about(run.row))),
                *(words(text) for text in (cell.client, cell.target, cell.fidelity)),
                words(wording.params(cell.params)),
                words(run.run_id, notes=why, href=run.page),
                words(machine(cell)),
                figure_of(run.row, metric, notes),
                number(
                    wording.trials(run.row),
                    len(cell.valid),
                    notes=notes.numbers(wording.why_void(run.row)),
                ),
            )
            lines.append(Line(places, anchor(one) if place == 0 else ""))
            before = cell
        return lines

    def _chart(
        self, scenario: str, keys: Sequence[Key], metric: str, layout: Layout, name: str
    ) -> Chart | None:
        groups = []
        had = []
        for one in keys:
            rows = [
                {
                    "name": run.run_id,
                    "hollow": hollow(run.row),
                    "marks": marks(run.row.intervals, layout.columns),
                }
                for run in self.cells[one]
            ]
            had += [marks(run.row.intervals, layout.columns) for run in self.cells[one]]
            groups.append({"name": _name(one), "rows": rows})
        if not any(had):
            return None
        data = {
            "metrics": metrics(layout.columns, had),
            "first": metric,
            "groups": groups,
            "group": "cell",
        }
        return Chart(name, f"{scenario}: a cell, run by run", data)


def gather(tables: Sequence[tuple[str, str, str, Table]]) -> History:
    """Make histories of runs: id, date, page and table of each, the earliest first."""
    cells: dict[Key, list[Measured]] = {}
    for run_id, date, page, table in tables:
        for row in (row for section in table.sections for row in section.rows):
            if not is_read(row.cell):
                cells.setdefault(key(row.cell), []).append(Measured(run_id, date, page, row))
    return History({one: tuple(found) for one, found in cells.items()})


def key(cell: Trials) -> Key:
    """What a cell is, whatever the run."""
    return (
        *(cell.scenario, cell.candidate, cell.client, cell.target, cell.fidelity),
        cell.params,
    )


def anchor(one: Key) -> str:
    """The id of a cell's first row in the history's page."""
    from hashlib import sha256

    return f"cell-{sha256(repr(one).encode()).hexdigest()[:12]}"


def _name(one: Key) -> str:
    _, candidate, client, target, _, params = one
    return ", ".join(filter(None, (f"{candidate} ({client})", target, wording.params(params))))


def apart(before: Trials | None, now: Trials) -> list[str]:
    """Why a figure does not compare with that of the run before."""
    if before is None or not before.valid or not now.valid:
        return []
    reasons = [OTHER_WORKLOAD] if before.workloads != now.workloads else []
    return reasons + ([OTHER_MACHINE] if before.machines.keys() != now.machines.keys() else [])


def machine(cell: Trials) -> str:
    """The fingerprints of the machines its valid trials ran on."""
    return ", ".join(dict.fromkeys(fingerprint(trial) for trial in cell.valid if trial.environment))
