"""Which cells lead, where a verdict supports saying so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from spikebench.record.trials import Trials
from spikebench.report.declared import CEILING
from spikebench.stats import Comparison, compare_cells, holm


def best_of(cells: Sequence[Trials], delta: float) -> dict[int, frozenset[str]]:
    """Return, by ``id`` of a cell, the metrics in which it leads its group.

    A group shares fidelity, target and parameters. The leader must beat every other cell of it, or
    be equivalent to it, with Holm's adjustment over the group; those that are equivalent share the
    lead; a lead over nobody is none.
    """
    led: dict[int, set[str]] = {}
    for group in _groups(cells):
        for metric in sorted({name for cell in group for name in cell.metrics}):
            for cell in _leaders(group, metric, delta):
                led.setdefault(id(cell), set()).add(metric)
    return {place: frozenset(metrics) for place, metrics in led.items()}


def _groups(cells: Iterable[Trials]) -> Iterator[list[Trials]]:
    groups: dict[object, list[Trials]] = {}
    for cell in cells:
        if cell.candidate != CEILING and cell.fidelity != "emulator":
            groups.setdefault((cell.fidelity, cell.target, cell.params), []).append(cell)
    yield from (group for group in groups.values() if len(group) > 1)


def _leaders(group: Sequence[Trials], metric: str, delta: float) -> list[Trials]:
    having = [cell for cell in group if cell.values(metric)]
    ranked = sorted(having, key=lambda cell: median(cell.values(metric)))
    if len(ranked) < 2 or ranked[0].metrics[metric].better == "neither":
        return []
    if ranked[0].metrics[metric].better == "higher":
        ranked.reverse()
    return _supported(ranked, metric, delta)


def _supported(ranked: Sequence[Trials], metric: str, delta: float) -> list[Trials]:
    """The first with those equivalent to it; nobody where one comparison stays open."""
    first, *others = ranked
    found: list[Comparison] = []
    for other in others:
        found.append(compare_cells(first, other, metric, delta))
        if found[-1].verdict not in ("A", "equivalent"):
            return []
    verdicts = [comparison.verdict for comparison in holm(found)]
    if "A" not in verdicts or not {"A", "equivalent"}.issuperset(verdicts):
        return []
    return [first, *(c for c, v in zip(others, verdicts, strict=True) if v == "equivalent")]
