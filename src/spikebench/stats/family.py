"""Several comparisons declared together: their error is that of the family, not of each."""

from __future__ import annotations

from collections.abc import Sequence

from spikebench.stats.comparison import Comparison


def holm(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Draw the verdicts of a family with Holm's adjustment, in the order given.

    Differences and equivalences are two families, since for one pair only one of them can be true.
    Comparisons without p values (too few trials, not shown) do not count. Source: S. Holm, "A
    simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 6 (1979).
    """
    different = adjusted([_p(c, c.p_different) for c in comparisons])
    unequal = adjusted([_p(c, c.p_not_equivalent) for c in comparisons])
    return [c.decided(d, u) for c, d, u in zip(comparisons, different, unequal, strict=True)]


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
