"""The rank test beside Welch's: exact, and indifferent to the shape of the distribution."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import sqrt

import numpy as np
from scipy.special import ndtr

from spikebench.stats.arrangements import doubled_ranks, p_exact
from spikebench.stats.interval import Values

ENOUGH = 40
"""Trials a side from which the normal approximation serves."""

MOST = 20_000
"""Trials of one side times those of the other up to which arrangements are counted in a second."""


def p_mann_whitney(a: Values, b: Values) -> float:
    """Return the two-sided p of the Mann-Whitney test: exact, with ties too.

    From 40 trials a side the normal approximation is as good, and exactness takes its time.
    H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947).
    """
    _, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    return _p(tuple(sorted(places[: a.size].tolist())), tuple(sorted(places[a.size :].tolist())))


@lru_cache(maxsize=4096)
def _p(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """The p of two samples by their places in the common order, of which tables repeat many."""
    if len({*a, *b}) == 1:
        return 1.0
    if min(len(a), len(b)) < ENOUGH and len(a) * len(b) <= MOST:
        return p_exact(a, b)
    return _p_normal(a, b)


def _p_normal(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """The normal approximation, corrected for ties and for continuity."""
    both = [*a, *b]
    n, product = len(both), len(a) * len(b)
    ranks = doubled_ranks(both)
    u = sum(ranks[place] for place in a) / 2 - len(a) * (len(a) + 1) / 2
    tied = sum(count**3 - count for count in Counter(both).values())
    spread = sqrt(product / 12 * (n + 1 - tied / (n * (n - 1))))
    return min(1.0, 2 * float(ndtr(-(abs(u - product / 2) - 0.5) / spread)))
