"""Which cells lead, where a verdict supports saying so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from statistics import median

from spikebench.record.trials import Trials
from spikebench.report.declared import CEILING
from spikebench.report.source import is_read
from spikebench.stats import Comparison, compare_cells, holm


def best_of(
    cells: Sequence[Trials], delta: float, alternatives: Collection[str] = ()
) -> dict[int, frozenset[str]]:
    """Return, by ``id`` of a cell, the metrics in which it leads its group.

    A group shares fidelity, target and all parameters but ``alternatives``. The leader must beat
    every other cell of it, or be equivalent to it, with Holm's adjustment over the group; those
    that are equivalent share the lead; a lead over nobody is none. Figures that were not measured
    here lead nobody.
    """
    led: dict[int, set[str]] = {}
    apart = bool(alternatives)
    for group in _groups(cells, alternatives):
        for metric in sorted({name for cell in group for name in cell.metrics}):
            for cell in _leaders(group, metric, delta, apart):
                led.setdefault(id(cell), set()).add(metric)
    return {place: frozenset(metrics) for place, metrics in led.items()}


def _groups(cells: Iterable[Trials], alternatives: Collection[str]) -> Iterator[list[Trials]]:
    groups: dict[object, list[Trials]] = {}
    for cell in cells:
        if cell.candidate != CEILING and cell.fidelity != "emulator" and not is_read(cell):
            shared = tuple(param for param in cell.params if param[0] not in alternatives)
            groups.setdefault((cell.fidelity, cell.target, shared), []).append(cell)
    yield from (group for group in groups.values() if len(group) > 1)


def _leaders(group: Sequence[Trials], metric: str, delta: float, apart: bool) -> list[Trials]:
    having = [cell for cell in group if cell.values(metric)]
    ranked = sorted(having, key=lambda cell: median(cell.values(metric)))
    if len(ranked) < 2 or ranked[0].metrics[metric].better == "neither":
        return []
    if ranked[0].metrics[metric].better == "higher":
        ranked.reverse()
    return _supported(ranked, metric, delta, apart)


def _supported(ranked: Sequence[Trials], metric: str, delta: float, apart: bool) -> list[Trials]:
    """The first with those equivalent to it; nobody where one comparison stays open."""
    first, *others = ranked
    found: list[Comparison] = []
    for other in others:
        found.append(compare_cells(first, other, metric, delta, apart))
        if found[-1].verdict not in ("A", "equivalent"):
            return []
    verdicts = [comparison.verdict for comparison in holm(found)]
    if "A" not in verdicts or not {"A", "equivalent"}.issuperset(verdicts):
        return []
    return [first, *(c for c, v in zip(others, verdicts, strict=True) if v == "equivalent")]
