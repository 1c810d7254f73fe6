"""``spikebench compare``: candidates of a run, or the same cells of several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

from spikebench.cli.spike import chosen_spike
from spikebench.errors import GateError, RecordError, UsageError

if TYPE_CHECKING:
    from spikebench.candidate import Candidate
    from spikebench.record import Kind
    from spikebench.record.trials import Trials
    from spikebench.report.declared import Declared
    from spikebench.scenario.model import Scenario

DELTA = 0.10

Pair = tuple["Trials", "Trials"]


@click.command()
@click.argument("names", nargs=-1)
@click.option("--baseline", metavar="NAME", help="Compare all NAMES, or all there are, with it.")
@click.option("--spike", metavar="NAME", help="Which spike, where there are several.")
@click.option("--run", metavar="RUN", help="The run to compare in; else the latest but of faults.")
@click.option("--scenario", metavar="NAME", help="Only this scenario.")
@click.option("--metric", metavar="NAME", help="Else the one each scenario declares.")
@click.option(
    "--delta",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Ratio that does not matter: 0.1 is ±10 %. Else as the scenario declares.",
)
@click.option(
    "--gate",
    is_flag=True,
    help="Exit with 8 where B is worse than A, or any worse than the baseline.",
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
def compare(
    names: tuple[str, ...],
    baseline: str | None,
    spike: str | None,
    run: str | None,
    scenario: str | None,
    metric: str | None,
    delta: float | None,
    gate: bool,
    results: Path,
) -> None:
    """Compare A with B: two candidates within a run, or the same cells of two runs.

    With --baseline any number of candidates, or of runs, are compared with one.

    The ratio is A ÷ B with its 95 % interval over trials; all comparisons shown together are
    Holm-adjusted. No verdict is drawn across fidelities, from an emulator's timings, from fewer
    than 6 trials a side, or between different machines, targets or workloads. Candidates are those
    of the latest run that is not of faults; with a --scenario of faults, of the latest that is.

    \b
      spikebench compare kafka rabbitmq-quorum
      spikebench compare kafka rabbitmq-quorum --metric end_to_end_p99 --scenario change-data
      spikebench compare --baseline rabbitmq-quorum         (all candidates with one)
      spikebench compare 20261120-0900 20261122-1930        (two runs, cell by cell)
      spikebench compare 20261120-0900 20261122-1930 --gate (8 where the second is worse)
    """
    found = chosen_spike(spike, results, [*names, baseline or "", run or ""])
    scenarios = found.read_scenarios()
    sides = _Sides.of(names, baseline, [candidate.name for candidate in found.candidates])
    kind = _kind(scenario, sides, found.candidates, scenarios)
    if sides.across:
        runs = [_cells(found.name, run_id, results, kind) for run_id in sides.all]
        pairs = [pair for i, j in sides.pairs for pair in _across(runs[i], runs[j])]
    else:
        runs = [_cells(found.name, run, results, kind)]
        pairs = [p for i, j in sides.pairs for p in _within(runs[0], sides.all[i], sides.all[j])]
    chosen = [pair for pair in pairs if scenario in (None, pair[0].scenario)]
    if not chosen:
        raise UsageError(
            f"{' and '.join(sides.all)} have no cell in common; "
            "`spikebench table` shows what a run has"
        )
    asked = [_asked(scenarios.get(a.scenario), metric, delta, found.layout) for a, _ in chosen]
    compared = list(_compared(chosen, asked))
    _show(compared, runs, sides)
    if gate:
        _gate(compared, sides)


@dataclass(frozen=True)
class _Sides:
    """What was named: ``all`` of it, the baseline last where there is one."""

    all: tuple[str, ...]
    across: bool
    baseline: bool

    @classmethod
    def of(cls, names: Sequence[str], baseline: str | None, candidates: Sequence[str]) -> Self:
        """Tell candidates from runs; the in-memory candidate is meant only where it is named.

        Raises UsageError for a mixture, or too few or too many.
        """
        from spikebench.report.declared import CEILING

        if baseline in candidates and not names:
            names = [name for name in candidates if name not in (baseline, CEILING)]
        others = [name for name in names if name != baseline]
        every = (*others, baseline) if baseline else tuple(names)
        if len(every) < 2 or (len(every) > 2 and baseline is None):
            raise UsageError("name two candidates or two runs, or any number and a --baseline")
        known = {name in candidates for name in every}
        if len(known) > 1:
            among = ", ".join(sorted(candidates))
            told = " and ".join(every)
            raise UsageError(f"{told}: name two candidates (of {among}) or two runs")
        return cls(every, across=known == {False}, baseline=baseline is not None)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The two, or each with the baseline, by their places in ``all``."""
        return [(place, len(self.all) - 1) for place in range(len(self.all) - 1)]

    @property
    def judged(self) -> str:
        """What a gate is about, in words."""
        return " or ".join(self.all[:-1]) if self.baseline else self.all[1]


def _kind(
    scenario: str | None,
    sides: _Sides,
    candidates: Sequence[Candidate],
    scenarios: Mapping[str, Scenario],
) -> Kind:
    """Runs of faults where a scenario, or both candidates, are named that no others have."""
    from spikebench.record import Kind

    named = [one for one in candidates if one.name in sides.all]
    only = bool(named) and all(one.faults_only for one in named)
    kind = Kind(True, scenarios)
    return kind if only or kind.has(scenario or "") else Kind(False, scenarios)


def _within(cells: Sequence[Trials], a: str, b: str) -> list[Pair]:
    """Cells of two candidates with the same scenario and parameters, and client where it can be."""
    pairs = []
    first = _first_arm(cells)
    for cell in (cell for cell in first if cell.candidate == a):
        others = [o for o in first if o.candidate == b and _workload(o) == _workload(cell)]
        near = _nearest(cell, others)
        same = [o for o in near if o.client == cell.client]
        pairs += [(cell, other) for other in same or near]
    return pairs


def _across(mine: Sequence[Trials], theirs: Sequence[Trials]) -> list[Pair]:
    """The same cells of two runs: on the same target, else on another, which is then named."""
    pairs = []
    for cell in _first_arm(mine):
        others = [other for other in _first_arm(theirs) if _place(other) == _place(cell)]
        pairs += [(cell, other) for other in _nearest(cell, others)]
    return pairs


def _first_arm(cells: Sequence[Trials]) -> list[Trials]:
    """All but the cells that repeat another one of their run (A/A), which tell of drift only."""
    return [cell for cell in cells if cell.first.arm == ""]


def _nearest(cell: Trials, others: Sequence[Trials]) -> Sequence[Trials]:
    """Those on the same target; all of them where there are none."""
    return [other for other in others if other.target == cell.target] or others


def _cells(spike: str, run: str | None, results: Path, kind: Kind) -> list[Trials]:
    from spikebench.record import find_run, read_records
    from spikebench.record.trials import by_cell

    path = find_run(spike, run, results, kind)
    cells = [cell for cell in by_cell(read_records(path)) if cell.valid]
    if not cells:
        raise RecordError(f"{path}: has no valid trial to compare; `spikebench table` says why")
    return cells


def _workload(cell: Trials) -> tuple[object, ...]:
    return (cell.scenario, cell.params)


def _place(cell: Trials) -> tuple[object, ...]:
    return (*_workload(cell), cell.candidate, cell.client)


def _compared(pairs: Sequence[Pair], asked: Sequence[tuple[str, float]]) -> Iterator[Declared]:
    from spikebench.report.declared import Declared
    from spikebench.stats import compare_cells, holm

    found = [compare_cells(a, b, *what) for (a, b), what in zip(pairs, asked, strict=True)]
    for (a, b), what, comparison in zip(pairs, asked, holm(found), strict=True):
        yield Declared(a, b, what[0], comparison)


def _asked(
    scenario: Scenario | None, metric: str | None, delta: float | None, layout: str
) -> tuple[str, float]:
    """The metric and the difference that matters: as asked for, else as declared."""
    from spikebench.report.layout import load

    analysis = scenario.analysis if scenario else None
    return (
        metric or (analysis.metric if analysis else load(layout).headline),
        delta or (analysis.delta if analysis else DELTA),
    )


def _gate(found: Sequence[Declared], sides: _Sides) -> None:
    """Raise GateError where what is judged is worse anywhere; say how much is open where not."""
    from spikebench.report.versus import where

    better = "B" if sides.baseline else "A"
    worse = [one for one in found if one.comparison.verdict == better]
    if worse:
        cells = "; ".join(f"{where(one, across=True)}: {one.metric}" for one in worse)
        told = f"is worse in {len(worse)} of {len(found)} comparisons"
        raise GateError(f"{sides.judged} {told}: {cells}")
    open_ = sum(one.comparison.verdict in ("unresolved", "not shown") for one in found)
    told = f"{open_} of {len(found)} comparisons are open"
    click.echo(f"gate: {sides.judged} is shown worse nowhere; {told}")


def _show(found: Sequence[Declared], runs: Sequence[Sequence[Trials]], sides: _Sides) -> None:
    """Print the comparisons, whether each run drifted, and whether the machine was as fast."""
    from spikebench.report import pace, versus

    lines = versus.against if sides.baseline else versus.pairs
    for line in (*lines(found, sides.across), *versus.drifts(found, runs)):
        click.echo(line)
    for warning in pace.apart({cells[0].first.run_id: cells for cells in runs}):
        click.echo(f"warning: {warning}")
