"""Welch's t on the logs of per-trial values: the ratio of two cells, and whether it is 1.

Source: B. L. Welch, "The generalization of 'Student's' problem when several different population
variances are involved", Biometrika 34 (1947); the two one-sided tests of equivalence are
D. J. Schuirmann's, J. Pharmacokinetics and Biopharmaceutics 15 (1987).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from spikebench.stats.interval import CONFIDENCE, Values, unlog

ROUNDING = 1e-12
"""Spread, relative to the value, that is rounding rather than variation between trials."""

POWER = 0.80
"""Chance of a verdict that ``trials_needed`` aims at."""


@dataclass(frozen=True)
class LogDifference:
    """The difference of two mean logs, its standard error and Welch's degrees of freedom."""

    difference: float
    error: float
    freedom: float
    variances: float

    @property
    def ratio(self) -> float:
        """Geometric mean of A over that of B."""
        return math.exp(self.difference)

    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the ratio."""
        reach = self.error * float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2))
        return unlog(self.difference - reach), unlog(self.difference + reach)

    def p_different(self) -> float:
        """Two-sided p of the ratio being 1."""
        return 2 * self._tail(abs(self.difference))

    def p_not_equivalent(self, delta: float) -> float:
        """The larger p of two one-sided tests: the ratio within 1/(1 + delta) … 1 + delta."""
        margin = math.log1p(delta)
        return max(self._tail(margin - self.difference), self._tail(margin + self.difference))

    def trials_needed(self, delta: float) -> int:
        """About how many trials a side would give a verdict with 80 % power, if this ratio stands.

        The smaller of what a difference and what an equivalence takes; a normal approximation, with
        one trial added for the t.
        """
        margin = math.log1p(delta) - abs(self.difference)
        beta = ndtri((1 + POWER) / 2) if abs(self.difference) < margin / 4 else ndtri(POWER)
        to_differ = _trials(abs(self.difference), ndtri(0.975) + ndtri(POWER), self.variances)
        to_equal = _trials(margin, ndtri(0.95) + beta, self.variances)
        return min(to_differ, to_equal)

    def _tail(self, distance: float) -> float:
        """Chance of a t at least as far out as ``distance``."""
        if self.error == 0:
            return 0.5 if distance == 0 else float(distance < 0)
        return float(stdtr(self.freedom, -distance / self.error))


def log_difference(a: Values, b: Values) -> LogDifference:
    """Compare two cells' trials, at least two each, all above zero."""
    logs = [np.log(a), np.log(b)]
    shares = [_variance(log) / log.size for log in logs]
    error_squared = sum(shares)
    weights = sum(s**2 / (log.size - 1) for s, log in zip(shares, logs, strict=True))
    return LogDifference(
        difference=_difference(logs[0].mean(), logs[1].mean()),
        error=math.sqrt(error_squared),
        freedom=error_squared**2 / weights if weights else float(a.size + b.size - 2),
        variances=sum(_variance(log) for log in logs),
    )


def _variance(logs: Values) -> float:
    return 0.0 if np.ptp(logs) <= ROUNDING else float(logs.var(ddof=1))


def _difference(a: float, b: float) -> float:
    return 0.0 if abs(a - b) <= ROUNDING else float(a - b)


def _trials(distance: float, quantiles: float, variances: float) -> int:
    if distance <= 0:
        return MANY
    return min(MANY, math.ceil(variances * (quantiles / distance) ** 2) + 1)


MANY = 1_000_000
"""Stands for more trials than anyone will run."""
