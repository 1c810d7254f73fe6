"""How far the order that we measure is the order that was published: rank correlation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, permutation_test, rankdata, spearmanr

FEWEST = 3
"""Names in common below which a rank correlation says nothing."""

MOST_EXACT = 8
"""Names up to which all arrangements are counted (8! = 40,320); beyond it they are drawn."""

DRAWN = 20_000

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Spearman's ρ and Kendall's τ (b, with ties) between two orders of the same ``names``.

    ``p_rho`` and ``p_tau`` are two-sided: how often names put in order at random agree, or
    disagree, at least so well; ``exact`` where all arrangements were counted. All are None where
    they can't be had, with the reason in ``withheld``. ``swapped`` are the pairs that are in the
    other order, the locally faster first; ``tied`` those that have no order on one side.
    """

    names: tuple[str, ...]
    rho: float | None = None
    tau: float | None = None
    p_rho: float | None = None
    p_tau: float | None = None
    exact: bool = True
    swapped: tuple[tuple[str, str], ...] = ()
    tied: tuple[tuple[str, str], ...] = ()
    withheld: str = ""

    @property
    def n(self) -> int:
        """How many names were compared."""
        return len(self.names)

    @property
    def words(self) -> str:
        """What it says of local order, for people."""
        if self.rho is None:
            return f"Rank correlation with published cold starts withheld: {self.withheld}."
        pairs = self.n * (self.n - 1) // 2
        same = pairs - len(self.swapped) - len(self.tied)
        kind = "exact" if self.exact else f"{DRAWN:,} arrangements drawn"
        return (
            f"Rank correlation with published cold starts over {self.n} runtimes: Spearman's "
            f"ρ = {self.rho:.2f} (p = {self.p_rho:.2g}), Kendall's τ = {self.tau:.2f} "
            f"(p = {self.p_tau:.2g}; {kind}). {same} of {pairs} pairs are in the same order"
            f"{self._others}. {self._trust}"
        )

    @property
    def _others(self) -> str:
        swapped = "; ".join(
            f"{a} before {b} locally, after it as published" for a, b in self.swapped
        )
        tied = ", ".join(f"{a} and {b}" for a, b in self.tied)
        said = f"; swapped: {swapped}" if swapped else ""
        return f"{said}; equal on one side: {tied}" if tied else said

    @property
    def _trust(self) -> str:
        if self.p_tau is None or self.p_tau > 0.05:
            return "Chance could do that: local order is not shown to say anything of AWS's."
        if self.tau is not None and self.tau < 0:
            return "Local order is the reverse of the published one: do not trust it."
        if self.swapped:
            return "Local order can be trusted but for the pairs named, for this handler."
        return "Local order can be trusted among these, for this handler."


def agreement(local: Mapping[str, float], published: Mapping[str, float]) -> Agreement:
    """Compare the order of the names that both have; values are times, the least being first.

    Nothing is tuned by it: it is reported. C. Spearman, American Journal of Psychology 15 (1904);
    M. G. Kendall, Biometrika 30 (1938). SciPy's own p for ρ holds for some 500 names; here pairings
    are permuted, as its documentation advises for fewer.
    """
    names = tuple(name for name in local if name in published)
    x = np.array([local[name] for name in names], dtype=np.float64)
    y = np.array([published[name] for name in names], dtype=np.float64)
    if len(names) < FEWEST:
        return Agreement(names, withheld=f"{len(names)} runtimes in common, {FEWEST} are needed")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("an order needs finite times; leave out what was not measured")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Agreement(names, withheld="all times are equal on one side, which is no order")
    return Agreement(
        names,
        rho=float(spearmanr(x, y).statistic),
        tau=float(kendalltau(x, y).statistic),
        p_rho=_p(_on_ranks(x), _on_ranks(y)),
        p_tau=_p_of_pairs(x, y),
        exact=len(names) <= MOST_EXACT,
        swapped=tuple(_pairs(names, x, y, -1)),
        tied=tuple(_pairs(names, x, y, 0)),
    )


def _pairs(names: tuple[str, ...], x: Numbers, y: Numbers, sign: int) -> list[tuple[str, str]]:
    """The pairs whose two orders multiply to ``sign``, the locally faster first."""
    found = []
    for a, b in combinations(range(len(names)), 2):
        if np.sign(x[a] - x[b]) * np.sign(y[a] - y[b]) == sign:
            first, second = (a, b) if x[a] <= x[b] else (b, a)
            found.append((names[first], names[second]))
    return found


def _on_ranks(values: Numbers) -> Numbers:
    """Ranks around their mean, so that ρ is their product but for a constant."""
    ranks = rankdata(values)
    return np.asarray(ranks - ranks.mean(), dtype=np.float64)


def _p(x: Numbers, y: Numbers) -> float:
    """The two-sided p of Σxy when x is put in every order: that of ρ, for ranks."""

    def product(shuffled: Numbers, axis: int = -1) -> Any:
        return np.sum(shuffled * y, axis=axis)

    return _permuted(x, product)


def _p_of_pairs(x: Numbers, y: Numbers) -> float:
    """The two-sided p of τ: of the pairs in the same order less those in the other."""
    a, b = np.triu_indices(x.size, k=1)
    signs = np.sign(y[a] - y[b])

    def concordance(shuffled: Numbers, axis: int = -1) -> Any:
        moved = np.moveaxis(shuffled, axis, -1)
        return np.sum(np.sign(moved[..., a] - moved[..., b]) * signs, axis=-1)

    return _permuted(x, concordance)


def _permuted(x: Numbers, statistic: Any) -> float:
    exact = x.size <= MOST_EXACT
    result = permutation_test(
        (x,),
        statistic,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=factorial(x.size) if exact else DRAWN,
        rng=np.random.default_rng(1),
    )
    return float(result.pvalue)
