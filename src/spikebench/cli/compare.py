"""``spikebench compare``: two candidates of a run, or the same cells of two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebench.cli.spike import chosen_spike
from spikebench.errors import GateError, RecordError, UsageError

if TYPE_CHECKING:
    from spikebench.record.trials import Trials
    from spikebench.report.declared import Declared
    from spikebench.scenario.model import Scenario

DELTA = 0.10

Pair = tuple["Trials", "Trials"]


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--spike", metavar="NAME", help="Which spike, where there are several.")
@click.option("--run", metavar="RUN", help="The run to compare in; else the latest.")
@click.option("--scenario", metavar="NAME", help="Only this scenario.")
@click.option("--metric", metavar="NAME", help="Else the one each scenario declares.")
@click.option(
    "--delta",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Ratio that does not matter: 0.1 is ±10 %. Else as the scenario declares.",
)
@click.option("--gate", is_flag=True, help="Exit with 8 where a verdict finds B worse than A.")
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
def compare(
    a: str,
    b: str,
    spike: str | None,
    run: str | None,
    scenario: str | None,
    metric: str | None,
    delta: float | None,
    gate: bool,
    results: Path,
) -> None:
    """Compare A with B: two candidates within a run, or the same cells of two runs.

    The ratio is A ÷ B with its 95 % interval over trials; all comparisons shown together are
    Holm-adjusted. No verdict is drawn across fidelities, from an emulator's timings, from fewer
    than 6 trials a side, or between different machines, targets or workloads.

    \b
      spikebench compare kafka rabbitmq-quorum
      spikebench compare kafka rabbitmq-quorum --metric end_to_end_p99 --scenario change-data
      spikebench compare 20261120-0900 20261122-1930        (two runs, cell by cell)
      spikebench compare 20261120-0900 20261122-1930 --gate (8 where the second is worse)
    """
    from spikebench.scenario.read import read_scenarios

    found = chosen_spike(spike)
    scenarios = read_scenarios(found.scenarios)
    names = {candidate.name for candidate in found.candidates}
    if {a, b} <= names:
        runs = [_cells(found.name, run, results)]
        pairs = _within(runs[0], a, b)
    elif {a, b} & names:
        raise UsageError(
            f"{a} and {b}: name two candidates (of {', '.join(sorted(names))}) or two runs"
        )
    else:
        runs = [_cells(found.name, run_id, results) for run_id in (a, b)]
        pairs = _across(*runs)
    chosen = [pair for pair in pairs if scenario in (None, pair[0].scenario)]
    if not chosen:
        raise UsageError(
            f"{a} and {b} have no cell in common; `spikebench table` shows what a run has"
        )
    compared = list(_compared(chosen, scenarios, metric, delta))
    _show(compared, across=len(runs) > 1)
    _show_drift(compared, runs)
    if gate:
        _gate(compared, b)


def _within(cells: Sequence[Trials], a: str, b: str) -> list[Pair]:
    """Cells of two candidates with the same scenario and parameters, and client where it can be."""
    pairs = []
    for cell in (cell for cell in cells if cell.candidate == a):
        others = [o for o in cells if o.candidate == b and _workload(o) == _workload(cell)]
        near = _nearest(cell, others)
        same = [o for o in near if o.client == cell.client]
        pairs += [(cell, other) for other in same or near]
    return pairs


def _across(mine: Sequence[Trials], theirs: Sequence[Trials]) -> list[Pair]:
    """The same cells of two runs: on the same target, else on another, which is then named."""
    pairs = []
    for cell in mine:
        others = [other for other in theirs if _place(other) == _place(cell)]
        pairs += [(cell, other) for other in _nearest(cell, others)]
    return pairs


def _nearest(cell: Trials, others: Sequence[Trials]) -> Sequence[Trials]:
    """Those on the same target; all of them where there are none."""
    return [other for other in others if other.target == cell.target] or others


def _cells(spike: str, run: str | None, results: Path) -> list[Trials]:
    from spikebench.record import find_run, read_records
    from spikebench.record.trials import by_cell

    path = find_run(spike, run, results)
    cells = [c for c in by_cell(read_records(path)) if c.first.arm == "" and c.valid]
    if not cells:
        raise RecordError(f"{path}: has no valid trial to compare; `spikebench table` says why")
    return cells


def _workload(cell: Trials) -> tuple[object, ...]:
    return (cell.scenario, cell.params)


def _place(cell: Trials) -> tuple[object, ...]:
    return (*_workload(cell), cell.candidate, cell.client)


def _compared(
    pairs: Sequence[Pair],
    scenarios: Mapping[str, Scenario],
    metric: str | None,
    delta: float | None,
) -> Iterator[Declared]:
    from spikebench.report.declared import Declared
    from spikebench.stats import compare_cells, holm

    asked = [_asked(scenarios.get(a.scenario), metric, delta) for a, _ in pairs]
    found = [compare_cells(a, b, *what) for (a, b), what in zip(pairs, asked, strict=True)]
    for (a, b), what, comparison in zip(pairs, asked, holm(found), strict=True):
        yield Declared(a, b, what[0], comparison)


def _asked(scenario: Scenario | None, metric: str | None, delta: float | None) -> tuple[str, float]:
    analysis = scenario.analysis if scenario else None
    return (
        metric or (analysis.metric if analysis else "end_to_end_p50"),
        delta or (analysis.delta if analysis else DELTA),
    )


def _gate(found: Sequence[Declared], b: str) -> None:
    """Raise GateError where B is worse in any comparison; say so where none could be judged."""
    worse = [one for one in found if one.comparison.verdict == "A"]
    if worse:
        cells = "; ".join(f"{_where(one, across=True)}: {one.metric}" for one in worse)
        raise GateError(f"{b} is worse in {len(worse)} of {len(found)} comparisons: {cells}")
    open_ = sum(one.comparison.verdict in ("unresolved", "not shown") for one in found)
    click.echo(f"gate: {b} is shown worse nowhere; {open_} of {len(found)} comparisons are open")


def _show(found: Sequence[Declared], across: bool) -> None:
    """Print one line a comparison, its figures, and what they come to."""
    from spikebench.report import wording
    from spikebench.report.column import figure
    from spikebench.stats import interval

    for one in found:
        a, b = _names(one, across)
        click.echo(f"{_where(one, across)}: {one.metric}")
        for name, cell in ((a, one.a), (b, one.b)):
            values = cell.values(one.metric)
            middle = figure(interval(values).median) if values else "—"
            unit = cell.metrics[one.metric].unit if one.metric in cell.metrics else ""
            click.echo(f"  {name:<34} {middle} {unit}  n {len(values)} ({cell.void} void)")
        click.echo(f"  ratio {wording.ratio(one.comparison)}  {wording.verdict(one, (a, b))}")


def _show_drift(found: Sequence[Declared], runs: Sequence[Sequence[Trials]]) -> None:
    """Print a line a run for each scenario and metric compared: whether its blocks had a trend."""
    from spikebench.report import wording
    from spikebench.report.declared import timed
    from spikebench.stats import drift

    for scenario, metric in dict.fromkeys((one.a.scenario, one.metric) for one in found):
        for cells in runs:
            trend = drift(timed(cells, scenario), metric)
            if trend is not None:
                where = f", run {cells[0].first.run_id}" if len(runs) > 1 else ""
                click.echo(f"{scenario}{where}: {metric} {wording.drift(trend, len(runs) == 1)}")


def _names(one: Declared, across: bool) -> tuple[str, str]:
    if across:
        return one.a.first.run_id, one.b.first.run_id
    return f"{one.a.candidate} ({one.a.client})", f"{one.b.candidate} ({one.b.client})"


def _where(one: Declared, across: bool) -> str:
    """What both sides share: of two runs the whole cell, of two candidates the workload."""
    cell = [f"{one.a.candidate} ({one.a.client})"] if across else []
    params = [f"{name}={value}" for name, value in one.a.params]
    return ", ".join([one.a.scenario, *cell, one.a.fidelity, *params])
