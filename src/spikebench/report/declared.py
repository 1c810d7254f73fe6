"""The comparisons a scenario declared before the run, and a candidate's against itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from spikebench.record.trials import ParamsKey, Trials
from spikebench.report.source import is_read
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

    @property
    def params(self) -> ParamsKey:
        """The parameters that both sides share."""
        return tuple(param for param in self.a.params if param in self.b.params)

    @property
    def names(self) -> tuple[str, str]:
        """What tells the sides apart: the candidates, with the parameters they do not share."""
        shared = self.params
        return _name(self.a, shared), _name(self.b, shared)


def _name(cell: Trials, shared: ParamsKey) -> str:
    own = (value for name, value in cell.params if (name, value) not in shared)
    return " ".join([cell.candidate, *own])


def declared(cells: Sequence[Trials], scenarios: Mapping[str, Scenario]) -> list[Declared]:
    """Compare every cell with its scenario's baseline; Holm goes over all of them together.

    A cell that differs from ``baseline_params`` meets its own candidate's cell that has them; one
    that has them meets the candidate ``baseline``, whose other parameters are the same.
    """
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
        if cell.scenario == scenario
        and cell.fidelity != "emulator"
        and cell.candidate != CEILING
        and not is_read(cell)
    ]


def _of(cells: Iterable[Trials], scenario: str) -> list[Trials]:
    mine = (cell for cell in cells if cell.scenario == scenario and not is_read(cell))
    return [cell for cell in mine if cell.first.arm == "" and cell.valid]


def _place(cell: Trials) -> tuple[object, ...]:
    return (cell.scenario, cell.candidate, cell.client, cell.target, cell.params)


def _against_baseline(cells: Sequence[Trials], analysis: Analysis) -> list[Declared]:
    fixed = analysis.baseline_params
    having: list[Trials] = []
    others: list[Trials] = []
    for cell in cells:
        has = fixed.items() <= dict(cell.params).items()
        (having if has else others).append(cell)
    return [
        *_against_own(others, having, set(fixed), analysis),
        *_against_candidate(having, analysis),
    ]


def _against_own(
    cells: Sequence[Trials], having: Sequence[Trials], fixed: Set[str], analysis: Analysis
) -> Iterator[Declared]:
    """Each cell against its own candidate's that has the baseline's parameters."""
    own = {_place_beside(cell, fixed): cell for cell in having}
    for cell in cells:
        base = own.get(_place_beside(cell, fixed))
        if base is not None:
            yield _pair(cell, base, analysis, apart=True)


def _place_beside(cell: Trials, names: Set[str]) -> tuple[object, ...]:
    others = tuple(param for param in cell.params if param[0] not in names)
    return (cell.candidate, cell.client, cell.target, others)


def _against_candidate(cells: Sequence[Trials], analysis: Analysis) -> list[Declared]:
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


def _pair(a: Trials, b: Trials, analysis: Analysis, apart: bool = False) -> Declared:
    found = compare_cells(a, b, analysis.metric, analysis.delta, apart)
    return Declared(a, b, analysis.metric, found)
