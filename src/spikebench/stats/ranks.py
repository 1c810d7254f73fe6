"""The rank test beside Welch's: exact, and indifferent to the shape of the distribution."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from spikebench.stats.interval import Values

ENOUGH = 40
"""Trials a side from which the normal approximation serves."""

RESAMPLES = 20_000
"""All arrangements of up to 8 trials a side (12,870); of more a sample, with a fixed seed."""


def p_mann_whitney(a: Values, b: Values) -> float:
    """Return the two-sided p of the Mann-Whitney test: exact; with ties by permutation.

    From 40 trials a side the normal approximation is as good, and exactness takes minutes.
    H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947).
    """
    _, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    return _p(tuple(sorted(places[: a.size].tolist())), tuple(sorted(places[a.size :].tolist())))


@lru_cache(maxsize=4096)
def _p(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """The p of two samples by their places in the common order, of which tables repeat many."""
    from scipy.stats import (  # half a second and 50 MB, which a listing need not pay
        PermutationMethod,
        mannwhitneyu,
    )

    distinct = len({*a, *b})
    if distinct == 1:
        return 1.0
    if min(len(a), len(b)) >= ENOUGH:
        return float(mannwhitneyu(a, b, method="asymptotic").pvalue)
    if distinct == len(a) + len(b):
        return float(mannwhitneyu(a, b, method="exact").pvalue)
    method = PermutationMethod(n_resamples=RESAMPLES, rng=0)
    return min(1.0, float(mannwhitneyu(a, b, method=method).pvalue))
