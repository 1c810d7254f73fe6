"""Comparisons as lines of text: pairs one by one, or many cells against one baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spikebench.record.trials import Trials
from spikebench.report import wording
from spikebench.report.column import NOTHING, figure
from spikebench.report.declared import Declared, timed
from spikebench.stats import drift, interval


def pairs(found: Sequence[Declared], across: bool) -> Iterator[str]:
    """Yield for each comparison what is compared, a line a side, and what it comes to.

    ``across`` is whether the sides are of two runs.
    """
    for one in found:
        a, b = names(one, across)
        yield f"{where(one, across)}: {one.metric}"
        for name, cell in ((a, one.a), (b, one.b)):
            yield f"  {name:<34} {_middle(cell, one.metric)}"
        yield f"  ratio {wording.ratio(one.comparison)}  {wording.verdict(one, (a, b))}"


def against(found: Sequence[Declared], across: bool) -> Iterator[str]:
    """Yield for each cell that serves as a baseline its own figure, and a line a cell beside it."""
    shown: dict[tuple[str, str, int], list[Declared]] = {}
    for one in found:
        shown.setdefault((where(one, across), one.metric, id(one.b)), []).append(one)
    for (place, metric, _), group in shown.items():
        base = names(group[0], across)[1]
        yield f"{place}: {metric} ÷ {base}"
        yield f"  {base:<34} {_middle(group[0].b, metric)}"
        for one in group:
            name = names(one, across)[0]
            yield f"  {name:<34} {_middle(one.a, metric)}"
            told = wording.verdict(one, (name, base))
            yield f"  {'':<34} {wording.ratio(one.comparison)}  {told}"


def drifts(found: Sequence[Declared], runs: Sequence[Sequence[Trials]]) -> Iterator[str]:
    """Yield a line a run for each scenario and metric compared: whether its blocks had a trend."""
    for scenario, metric in dict.fromkeys((one.a.scenario, one.metric) for one in found):
        for cells in runs:
            trend = drift(timed(cells, scenario), metric)
            if trend is not None:
                run = f", run {cells[0].first.run_id}" if len(runs) > 1 else ""
                yield f"{scenario}{run}: {metric} {wording.drift(trend, len(runs) == 1)}"


def names(one: Declared, across: bool) -> tuple[str, str]:
    """What tells the two sides apart: their runs, or candidate and client."""
    if across:
        return one.a.first.run_id, one.b.first.run_id
    return f"{one.a.candidate} ({one.a.client})", f"{one.b.candidate} ({one.b.client})"


def where(one: Declared, across: bool) -> str:
    """What both sides share: of two runs the whole cell, of two candidates the workload."""
    cell = [f"{one.a.candidate} ({one.a.client})"] if across else []
    params = [f"{name}={value}" for name, value in one.a.params]
    return ", ".join([one.a.scenario, *cell, one.a.fidelity, *params])


def _middle(cell: Trials, metric: str) -> str:
    values = cell.values(metric)
    middle = figure(interval(values).median) if values else NOTHING
    unit = cell.metrics[metric].unit if metric in cell.metrics else ""
    return f"{middle} {unit}  n {len(values)} ({cell.void} void)"
