"""The distribution of a rank sum over all ways to deal the same values to two samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np

from spikebench.stats.interval import Values


def p_exact(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Return the two-sided exact p of two samples given by the places of their values.

    Equal places are ties, and share the mean of their ranks. The p is twice the share of
    arrangements with a rank sum as far out as the one seen, or further, and at most 1: exact with
    ties as without, for it counts all arrangements of these very values.
    """
    few, many = sorted((a, b), key=len)
    ranks = doubled_ranks([*few, *many])
    found = sum(ranks[place] for place in few)
    counts = _counts(tuple(sorted(ranks[place] for place in (*few, *many))), len(few))
    beyond = min(counts[: found + 1].sum(), counts[found:].sum())
    return min(1.0, 2 * float(beyond / counts.sum()))


def doubled_ranks(places: Sequence[int]) -> dict[int, int]:
    """Return twice the rank of each place: whole, although ties share the mean of theirs."""
    counted = sorted(Counter(places).items())
    ends = accumulate((count for _, count in counted), initial=0)
    return {
        place: start + end + 1
        for (place, _), (start, end) in zip(counted, pairwise(ends), strict=True)
    }


@lru_cache(maxsize=256)
def _counts(ranks: tuple[int, ...], few: int) -> Values:
    """How many subsets of ``few`` of ``ranks`` have each sum, from 0 on.

    Added up rank by rank, of ``ranks`` in ascending order: counts[k, s] is that of subsets of k
    with the sum s, and beyond those that can be had so far all are 0. Counts are floats, which hold
    them to 16 digits, and there is nothing to cancel out.
    """
    most = sum(ranks[len(ranks) - few :])
    counts = np.zeros((few + 1, most + 1))
    counts[0, 0] = 1.0
    highest = 0
    for seen, rank in enumerate(ranks, 1):
        taken, highest = min(seen, few), min(highest + rank, most)
        counts[1 : taken + 1, rank : highest + 1] += counts[:taken, : highest + 1 - rank]
    found: Values = counts[few].copy()  # a view would keep all the others
    return found
