"""Several comparisons declared together: their error is that of the family, not of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import comb

from spikebench.stats.comparison import ALPHA, FEWEST_TRIALS, RANKS_MAY_DOUBT, Comparison


def holm(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Draw the verdicts of a family with Holm's adjustment, in the order given.

    Differences and equivalences are two families, since for one pair only one of them can be true.
    Comparisons without p values (too few trials, not shown) do not count. Source: S. Holm, "A
    simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 6 (1979).
    """
    ps = [_p(c, c.p_different) for c in comparisons]
    unequal = adjusted([_p(c, c.p_not_equivalent) for c in comparisons])
    fewest = trials_for(sum(p is not None for p in ps))
    of_family = [_settling_at_least_at(c, fewest) for c in comparisons]
    return [c.decided(d, u) for c, d, u in zip(of_family, adjusted(ps), unequal, strict=True)]


def trials_for(comparisons: int) -> int:
    """Fewest trials a side with which a family of so many may still show a difference.

    The exact rank test of n trials a side gives no p below 2 ÷ C(2n, n), which Holm multiplies by
    the family's size: 46 comparisons are the most for 6 trials, 171 for 7.
    """
    trials = FEWEST_TRIALS
    while comparisons * 2 / comb(2 * trials, trials) / RANKS_MAY_DOUBT >= ALPHA:
        trials += 1
    return trials


def _settling_at_least_at(comparison: Comparison, trials: int) -> Comparison:
    settles_at = comparison.settles_at
    return replace(comparison, settles_at=settles_at and max(settles_at, trials))


def _p(comparison: Comparison, p: float | None) -> float | None:
    return None if comparison.verdict == "not shown" else p


def adjusted(ps: Sequence[float | None]) -> list[float | None]:
    """Return Holm's step-down p values, in the order given; None stays None and does not count."""
    ranked = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    found: list[float | None] = [None] * len(ps)
    largest = 0.0
    for rank, (p, place) in enumerate(ranked):
        largest = max(largest, min(1.0, p * (len(ranked) - rank)))
        found[place] = largest
    return found
