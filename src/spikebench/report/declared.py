"""The comparisons a scenario declared before the run, and a candidate's against itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from spikebench.record.trials import ParamsKey, Trials
from spikebench.scenario.model import Analysis, Scenario
from spikebench.stats import Comparison, compare_cells, holm

CEILING = "null"
"""The in-memory candidate: what the generator itself can do, and nobody's choice."""


@dataclass(frozen=True)
class Declared:
    """Trials ``a`` against cell ``b`` (the baseline) on the scenario's metric."""

    a: Trials
    b: Trials
    metric: str
    comparison: Comparison


def declared(cells: Sequence[Trials], scenarios: Mapping[str, Scenario]) -> list[Declared]:
    """Compare every cell with its scenario's baseline; Holm goes over all of them together."""
    pairs = [
        pair
        for name, scenario in scenarios.items()
        for pair in _against_baseline(_of(cells, name), scenario.analysis)
    ]
    verdicts = holm([pair.comparison for pair in pairs])
    return [replace(p, comparison=c) for p, c in zip(pairs, verdicts, strict=True)]


def against_itself(cells: Sequence[Trials], scenarios: Mapping[str, Scenario]) -> list[Declared]:
    """Compare each A/A arm with the cell it repeats: a difference there is the method's error."""
    arms = [cell for cell in cells if cell.first.arm == "A/A" and cell.scenario in scenarios]
    twins = {_place(cell): cell for cell in cells if cell.first.arm == ""}
    return [
        _pair(arm, twins[_place(arm)], scenarios[arm.scenario].analysis)
        for arm in arms
        if _place(arm) in twins
    ]


def timed(cells: Iterable[Trials], scenario: str) -> list[Trials]:
    """The cells of a scenario whose trend over blocks is the machine's: real software, A/A too.

    The in-memory candidate takes microseconds, whose spread would drown what the others show.
    """
    return [
        cell
        for cell in cells
        if cell.scenario == scenario and cell.fidelity != "emulator" and cell.candidate != CEILING
    ]


def _of(cells: Iterable[Trials], scenario: str) -> list[Trials]:
    return [c for c in cells if c.scenario == scenario and c.first.arm == "" and c.valid]


def _place(cell: Trials) -> tuple[object, ...]:
    return (cell.scenario, cell.candidate, cell.client, cell.target, cell.params)


def _against_baseline(cells: Sequence[Trials], analysis: Analysis) -> list[Declared]:
    clients: dict[str, set[str]] = {}
    baselines: dict[ParamsKey, list[Trials]] = {}
    for cell in cells:
        clients.setdefault(cell.candidate, set()).add(cell.client)
        if cell.candidate == analysis.baseline:
            baselines.setdefault(cell.params, []).append(cell)
    others = [c for c in cells if c.candidate not in (analysis.baseline, CEILING)]
    return [
        _pair(cell, _baseline_for(cell, baselines[cell.params], clients[cell.candidate]), analysis)
        for cell in others
        if cell.params in baselines
    ]


def _baseline_for(cell: Trials, baselines: Sequence[Trials], own: Set[str]) -> Trials:
    """The baseline on the same target with the same client, or one the candidate does not have.

    So official clients meet each other, and each side's second client the other's.
    """

    def distance(baseline: Trials) -> tuple[bool, bool, bool, str]:
        client = baseline.client
        return (baseline.target != cell.target, client != cell.client, client in own, client)

    return min(baselines, key=distance)


def _pair(a: Trials, b: Trials, analysis: Analysis) -> Declared:
    found = compare_cells(a, b, analysis.metric, analysis.delta)
    return Declared(a, b, analysis.metric, found)
