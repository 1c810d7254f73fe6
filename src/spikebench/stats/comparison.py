"""A verdict on two cells, from one value a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from spikebench.measure.outcome import Better
from spikebench.stats.interval import Values
from spikebench.stats.ranks import p_mann_whitney
from spikebench.stats.welch import MANY, LogDifference, log_difference

ALPHA = 0.05

RANKS_MAY_DOUBT = 2.0
"""The exact rank test checks Welch's: it must find the difference at twice the level.

It keeps a single odd trial from making one, and costs less than a tenth of the power that asking it
for the same level would (docs/method.md: 78 % become 83 % at 6 trials). What is promised of false
positives is Welch's, which the larger of two p values can only lower.
"""

FEWEST_TRIALS = 6
"""An exact rank test of 6 trials leaves room for 46 comparisons under Holm; of 4 for three."""

Verdict = Literal["A", "B", "equivalent", "unresolved", "not shown"]


@dataclass(frozen=True)
class Comparison:
    """Cell A against cell B on one metric.

    ``ratio`` is geometric mean A ÷ geometric mean B with its 95 % interval; None where a value is
    zero or below. ``p_welch`` and ``p_mann_whitney`` are two-sided and of this comparison alone;
    ``p_different`` is Welch's, or half of the other where that is larger, and
    ``p_not_equivalent`` the larger of the two one-sided tests at ``delta``, both adjusted for the
    family the comparison was declared in (see ``holm``).
    ``verdict`` is which is better; ``not shown`` where the two may not be compared.
    ``settles_at`` is about how many trials a side give a verdict with 80 % power.
    """

    n_a: int
    n_b: int
    delta: float
    better: Better
    verdict: Verdict
    reason: str = ""
    ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_welch: float | None = None
    p_mann_whitney: float | None = None
    p_different: float | None = None
    p_not_equivalent: float | None = None
    settles_at: int | None = None
    a_is_larger: bool = False

    @property
    def trials_needed(self) -> int | None:
        """About how many trials a side would settle it; None where nothing is open, or can be."""
        known = self.settles_at is not None and self.settles_at < MANY
        return self.settles_at if known and self.verdict == "unresolved" else None

    def decided(self, p_different: float | None, p_not_equivalent: float | None) -> Comparison:
        """Return this comparison with its verdict drawn from adjusted p values.

        Equivalence is looked at first: a difference that is real and too small to matter is
        ``equivalent``.
        """
        adjusted = replace(self, p_different=p_different, p_not_equivalent=p_not_equivalent)
        if self.verdict == "not shown" or p_different is None:
            return adjusted
        if p_not_equivalent is not None and p_not_equivalent < ALPHA:
            return replace(adjusted, verdict="equivalent", reason="")
        if p_different < ALPHA:
            return replace(adjusted, verdict=self._winner(), reason="")
        return replace(adjusted, verdict="unresolved", reason=self._unresolved())

    def _winner(self) -> Verdict:
        return "A" if self.a_is_larger == (self.better == "higher") else "B"

    def _unresolved(self) -> str:
        if self.ratio is None:
            return "values of zero or below: compared by rank only, which cannot show equivalence"
        if self.settles_at is None or self.settles_at >= MANY:
            return f"neither a difference nor equivalence within ±{self.delta:.0%} is shown"
        return f"about {self.settles_at} trials a side would settle it"


def compare(
    a: Sequence[float],
    b: Sequence[float],
    delta: float,
    better: Better = "higher",
    noise_free: bool = False,
) -> Comparison:
    """Compare one value a trial of cell A with those of cell B.

    Welch's t on logs gives the ratio, its interval and a p; the exact Mann-Whitney test must agree,
    at twice the level, before a difference is called one; two one-sided tests at ±``delta`` (a
    ratio: 0.10 is ±10 %) call equivalence. With fewer than 6 trials a side the verdict is
    unresolved. Values of zero or below have no logs: those are compared by rank only. ``better``
    says which way is better and must be ``higher`` or ``lower``. What is ``noise_free`` needs no
    test where one side has none of it, or neither varies from trial to trial; where both vary,
    chance is in it, and it is tested as anything else. Raises ValueError for values that are not
    finite.
    """
    if better == "neither" or not 0 < delta < 1:
        raise ValueError("compare needs better 'higher' or 'lower', and delta between 0 and 1")
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ValueError("compare needs finite values")
    if min(left.size, right.size) < 2:
        return _too_few(left, right, delta, better)
    measured = _measured(left, right, delta, better)
    if min(left.size, right.size) < FEWEST_TRIALS:
        return _too_small(measured)
    if noise_free and _speaks_for_itself(left, right):
        return _counted(left, right, delta, better)
    return measured.decided(measured.p_different, measured.p_not_equivalent)


def not_shown(n_a: int, n_b: int, delta: float, better: Better, reason: str) -> Comparison:
    """Return the comparison of two cells that may not be compared, and why."""
    return Comparison(n_a, n_b, delta, better, "not shown", reason)


def _speaks_for_itself(a: Values, b: Values) -> bool:
    """Whether counts differ, or do not, without chance in it."""
    return not a.any() or not b.any() or bool(np.ptp(a) == 0 == np.ptp(b))


def _counted(a: Values, b: Values, delta: float, better: Better) -> Comparison:
    """Compare what was counted a trial; it has no p value, and takes none from its family."""
    small, large = sorted([float(a.mean()), float(b.mean())])
    same = Comparison(
        n_a=a.size,
        n_b=b.size,
        delta=delta,
        better=better,
        verdict="equivalent",
        reason=f"counted {a.sum():,.0f} against {b.sum():,.0f}, which needs no test",
        a_is_larger=bool(a.mean() > b.mean()),
    )
    near = large == small or (small > 0 and large <= small * (1 + delta))
    return same if near else replace(same, verdict=same._winner())


def _too_few(a: Values, b: Values, delta: float, better: Better) -> Comparison:
    reason = _fewer_than_needed(a.size, b.size)
    return Comparison(a.size, b.size, delta, better, "unresolved", reason, settles_at=FEWEST_TRIALS)


def _too_small(measured: Comparison) -> Comparison:
    """Keep the ratio and its interval, which are worth seeing, and leave out what decides."""
    return replace(
        measured,
        reason=_fewer_than_needed(measured.n_a, measured.n_b),
        p_different=None,
        p_not_equivalent=None,
        settles_at=max(FEWEST_TRIALS, measured.settles_at or 0),
    )


def _fewer_than_needed(n_a: int, n_b: int) -> str:
    return f"{n_a} and {n_b} valid trials, a verdict needs {FEWEST_TRIALS} a side"


def _measured(a: Values, b: Values, delta: float, better: Better) -> Comparison:
    by_rank = p_mann_whitney(a, b)
    if min(a.min(), b.min()) <= 0:
        return _by_rank(a, b, delta, better, by_rank)
    logs = log_difference(a, b)
    low, high = logs.bounds()
    return Comparison(
        n_a=a.size,
        n_b=b.size,
        delta=delta,
        better=better,
        verdict="unresolved",
        ratio=logs.ratio,
        ci_low=low,
        ci_high=high,
        p_welch=logs.p_different(),
        p_mann_whitney=by_rank,
        p_different=max(logs.p_different(), by_rank / RANKS_MAY_DOUBT),
        p_not_equivalent=logs.p_not_equivalent(delta),
        settles_at=_settles_at(logs, delta, max(a.size, b.size)),
        a_is_larger=logs.difference > 0,
    )


def _by_rank(a: Values, b: Values, delta: float, better: Better, p: float) -> Comparison:
    identical = bool(np.ptp(np.concatenate([a, b])) == 0)
    return Comparison(
        n_a=a.size,
        n_b=b.size,
        delta=delta,
        better=better,
        verdict="unresolved",
        p_mann_whitney=p,
        p_different=p,
        p_not_equivalent=0.0 if identical else None,
        a_is_larger=_tends_larger(a, b),
    )


def _tends_larger(a: Values, b: Values) -> bool:
    """Whether a value of A is larger than one of B more often than smaller."""
    return bool(np.sign(a[:, None] - b[None, :]).sum() > 0)


def _settles_at(logs: LogDifference, delta: float, had: int) -> int:
    return max(FEWEST_TRIALS, had + 1, logs.trials_needed(delta))
