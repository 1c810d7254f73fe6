"""The result table as data: a section a scenario, a row a cell, warnings beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from spikebench.candidate import Candidate
from spikebench.record.model import Record
from spikebench.record.trials import ParamsKey, Trials, by_cell, pooled
from spikebench.report import pace
from spikebench.report.best import best_of
from spikebench.report.declared import CEILING, Declared, against_itself, declared, timed
from spikebench.report.layout import Layout, load
from spikebench.report.requirement import Judgement
from spikebench.report.source import is_read
from spikebench.scenario.model import Scenario
from spikebench.spike import MESSAGES_LAYOUT
from spikebench.stats import Drift, Interval, drift, drifting, fingerprint, interval

FIDELITIES = ("service", "software", "emulator", "published", "model")


@dataclass(frozen=True)
class Row:
    """One cell as a table shows it.

    ``best`` names the metrics in which it leads its fidelity and target with a verdict behind it.
    ``judgement`` is None where the scenario requires nothing of it; ``against`` is its declared
    comparison, None for a baseline. ``scenario`` is None where its file is gone. ``drift`` is its
    trend over blocks where it drifts by itself.
    """

    cell: Trials
    best: frozenset[str] = frozenset()
    judgement: Judgement | None = None
    against: Declared | None = None
    scenario: Scenario | None = None
    drift: Drift | None = None

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """Every metric's trials summed up; one that was withheld in all of them is left out."""
        had = {name: self.cell.values(name) for name in self.cell.metrics}
        return {name: interval(values) for name, values in had.items() if values}

    @property
    def params(self) -> str:
        """The swept parameters as text, empty where there are none."""
        return ", ".join(f"{name}={value}" for name, value in self.cell.params)


@dataclass(frozen=True)
class Section:
    """One scenario's rows, in the order a reader looks for them.

    ``drift`` is the trend over blocks that its cells share on the declared metric; None where there
    is nothing to test. ``told`` are the layout's sentences about it, ``money`` those on cost.
    """

    name: str
    scenario: Scenario | None
    rows: tuple[Row, ...]
    drift: Drift | None = None
    told: tuple[str, ...] = ()
    money: tuple[str, ...] = ()

    @property
    def metrics(self) -> set[str]:
        """The metrics that at least one row can show."""
        return {name for row in self.rows for name in row.intervals}


@dataclass(frozen=True)
class Table:
    """Everything a run's table says; each way of writing it shows a part, as its spike lays out."""

    spike: str
    run_ids: tuple[str, ...]
    sections: tuple[Section, ...]
    layout: Layout
    itself: tuple[Declared, ...] = ()
    warnings: tuple[str, ...] = ()
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def tabulate(
    records: Iterable[Record],
    scenarios: Mapping[str, Scenario],
    candidates: Sequence[Candidate] = (),
    layout: Layout | None = None,
) -> Table:
    """Make the table of one run's records, or of several of faults.

    Trials of faults are put together where they are of one cell (see ``pooled``): each trial of a
    fault shows what can happen, whichever run it is of.
    ``scenarios`` give requirements and declared comparisons, ``candidates`` what each promises and
    the order of rows; both may lack what the records have, which then goes without. ``layout`` is
    the spike's, that of messages where none is given.
    """
    layout = layout or load(MESSAGES_LAYOUT)
    found = _put_together(by_cell(layout.complete(list(records), scenarios)), scenarios)
    places = {candidate.name: place for place, candidate in enumerate(candidates)}
    found.sort(key=lambda cell: _order(cell, places, layout))
    against = {id(one.a): one for one in declared(found, scenarios)}
    known = {candidate.name: candidate for candidate in candidates}
    itself = tuple(against_itself(found, scenarios))
    names = dict.fromkeys([*scenarios, *(cell.scenario for cell in found)])
    return Table(
        spike=found[0].first.spike if found else "",
        run_ids=tuple(dict.fromkeys(run for cell in found for run in cell.run_ids)),
        sections=tuple(
            section
            for name in names
            if (section := _section(name, found, scenarios.get(name), against, known, layout)).rows
        ),
        layout=layout,
        itself=itself,
        warnings=tuple(_warnings(found, itself)),
        versions=_versions(found),
    )


def _put_together(cells: Sequence[Trials], scenarios: Mapping[str, Scenario]) -> list[Trials]:
    broken = {name for name, scenario in scenarios.items() if scenario.breaks}
    whole = [cell for cell in cells if cell.scenario not in broken]
    return [*whole, *pooled(cell for cell in cells if cell.scenario in broken)]


def _order(cell: Trials, places: Mapping[str, int], layout: Layout) -> tuple[object, ...]:
    return (
        is_read(cell),
        _params_order(layout.shared(cell.params)),
        FIDELITIES.index(cell.fidelity),
        cell.candidate == CEILING,
        places.get(cell.candidate, len(places)),
        cell.candidate,
        layout.places(cell.params),
        cell.client,
        cell.target,
    )


def _params_order(params: ParamsKey) -> list[tuple[str, bool, float, str]]:
    """Numbers by size and before words, so that 10 comes after 3."""
    return [(name, not _is_number(v), float(v) if _is_number(v) else 0.0, v) for name, v in params]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _section(
    name: str,
    found: Sequence[Trials],
    scenario: Scenario | None,
    against: Mapping[int, Declared],
    known: Mapping[str, Candidate],
    layout: Layout,
) -> Section:
    mine = [cell for cell in found if cell.scenario == name and cell.first.arm == ""]
    best = best_of(mine, scenario.analysis.delta if scenario else 0.10, layout.alternatives)
    metric = scenario.analysis.metric if scenario else ""
    together = timed(found, name)
    alone = drifting(together, metric)
    rows = tuple(
        Row(
            cell=cell,
            best=best.get(id(cell), frozenset()),
            judgement=_judgement(cell, scenario, known, layout),
            against=against.get(id(cell)),
            scenario=scenario,
            drift=alone.get(id(cell)),
        )
        for cell in mine
    )
    section = Section(name, scenario, rows, drift(together, metric))
    if not rows:
        return section
    money = tuple(layout.money(section))
    return replace(section, told=(*layout.tell(section), *money), money=money)


def _judgement(
    cell: Trials, scenario: Scenario | None, known: Mapping[str, Candidate], layout: Layout
) -> Judgement | None:
    if scenario is None or cell.candidate == CEILING or is_read(cell):
        return None
    return layout.judge(scenario, cell, known.get(cell.candidate))


def _warnings(found: Sequence[Trials], itself: Sequence[Declared]) -> Iterable[str]:
    measured = (trial for cell in found if not is_read(cell) for trial in cell.records)
    machines = {fingerprint(trial) for trial in measured if trial.environment}
    if len(machines) > 1:
        yield (
            f"{len(machines)} different machines ({', '.join(sorted(machines))}) are shown "
            "together: their numbers do not compare"
        )
    yield from pace.uneven(found)
    for one in itself:
        if one.comparison.verdict in ("A", "B"):
            yield (
                f"{one.a.scenario}: {one.a.candidate} differs from itself on {one.metric} "
                f"({one.comparison.ratio:.2f}×): this machine was too uneven for the verdicts here"
            )
    yield from _uncounted(found)


def _uncounted(found: Sequence[Trials]) -> Iterable[str]:
    """Losses in trials that do not count are worth knowing all the same."""
    for cell in found:
        lost = cell.total("lost", voided=True)
        if lost:
            yield (
                f"{cell.scenario}: {cell.candidate} ({cell.client}) lost {lost:,} confirmed "
                "messages in void trials, which are not in the table"
            )


def _versions(found: Sequence[Trials]) -> dict[str, dict[str, str]]:
    """What ran, by candidate and client; of versions that changed within a run the last."""
    merged: dict[str, dict[str, str]] = {}
    for cell in (cell for cell in found if not is_read(cell)):
        of_cell = merged.setdefault(f"{cell.candidate} ({cell.client})", {})
        for trial in cell.records:
            of_cell.update(trial.versions)
    return merged
