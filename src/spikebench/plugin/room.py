"""Whether a run's blocks leave room for a verdict in each comparison that its cells declare."""

from __future__ import annotations

from collections.abc import Iterable

from spikebench.cell import Cell
from spikebench.report.declared import CEILING
from spikebench.stats import trials_for
from spikebench.stats.comparison import FEWEST_TRIALS


def advice(cells: Iterable[Cell], blocks: int) -> str:
    """What to say before a run too wide for its blocks; empty where there is room, or no verdict.

    Holm's adjustment goes over all comparisons of a run. Beyond what the exact rank test leaves
    room for, not one difference can be shown, however large: better said before than after hours.
    """
    asked = comparisons(cells)
    needed = trials_for(asked)
    if not FEWEST_TRIALS <= blocks < needed:
        return ""
    return (
        f"{asked} comparisons are declared, and {blocks} trials a side can show no difference "
        f"among so many (Holm): ask for --trials {needed}, or for fewer scenarios or clients"
    )


def comparisons(cells: Iterable[Cell]) -> int:
    """How many comparisons these cells declare, as ``report.declared`` pairs them once measured.

    Emulators, the in-memory candidate and cells that are withheld are compared with nothing.
    """
    scenarios: dict[str, list[Cell]] = {}
    for cell in cells:
        if _is_compared(cell):
            scenarios.setdefault(cell.scenario.scenario, []).append(cell)
    return sum(map(_of_scenario, scenarios.values()))


def _is_compared(cell: Cell) -> bool:
    plain = not cell.withheld and not cell.arm and cell.candidate.name != CEILING
    return plain and cell.berth.available and cell.berth.fidelity != "emulator"


def _of_scenario(cells: list[Cell]) -> int:
    analysis = cells[0].scenario.analysis
    having = [c for c in cells if analysis.baseline_params.items() <= c.params.items()]
    baselines = [c for c in having if c.candidate.name == analysis.baseline]
    others = [c for c in having if c.candidate.name != analysis.baseline]
    owns = {_own(c, analysis.baseline_params) for c in having}
    return sum(any(b.params == c.params for b in baselines) for c in others) + sum(
        c not in having and _own(c, analysis.baseline_params) in owns for c in cells
    )


def _own(cell: Cell, fixed: Iterable[str]) -> tuple[object, ...]:
    rest = tuple((name, value) for name, value in cell.params.items() if name not in set(fixed))
    return cell.candidate.name, cell.client.name, cell.berth.target, rest
