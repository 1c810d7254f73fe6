"""The loads at which another offer becomes the cheapest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

CostAt = Callable[[float], float | None]
"""From a load to what it costs; None where that is not known."""

STEPS_A_DECADE = 8
TOLERANCE = 1e-4
"""Of a load: a hundredth of a percent."""


@dataclass(frozen=True)
class Crossing:
    """From ``load`` on ``after`` is the cheapest, and below it ``before``."""

    load: float
    before: str
    after: str


def cheapest(offers: Mapping[str, CostAt], load: float) -> str | None:
    """Return the name of the cheapest at a load, the first of equals; None where none is priced."""
    known = {name: cost for name, at in offers.items() if (cost := at(load)) is not None}
    return min(known, key=known.__getitem__) if known else None


def crossings(offers: Mapping[str, CostAt], low: float, high: float) -> list[Crossing]:
    """Return where the cheapest changes between two loads, by load.

    Loads are tried on a grid, 8 a decade, and each change is closed in on by halving; what is
    cheapest only between two neighbours of the grid is missed. Costs may have steps.
    """
    found: list[Crossing] = []
    tried = [(load, cheapest(offers, load)) for load in _grid(low, high)]
    for (below, before), (above, last) in pairwise(tried):
        if before != last:
            found += _between(offers, below, above)
    return found


def _grid(low: float, high: float) -> Iterator[float]:
    factor = 10 ** (1 / STEPS_A_DECADE)
    load = low
    while load < high:
        yield load
        load *= factor
    yield high


def _between(offers: Mapping[str, CostAt], below: float, above: float) -> Iterator[Crossing]:
    before, last = cheapest(offers, below), cheapest(offers, above)
    while before != last and before is not None and last is not None:
        low, high = below, above
        while high / low > 1 + TOLERANCE:
            middle = sqrt(low * high)
            if cheapest(offers, middle) == before:
                low = middle
            else:
                high = middle
        after = cheapest(offers, high)
        if after is None:
            return
        yield Crossing(high, before, after)
        before, below = after, high
