"""The middle of a cell's trials and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, isfinite, log, sqrt
from statistics import fmean, median

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

CONFIDENCE = 0.95

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Per-trial values summed up, in the unit they came in.

    ``low`` and ``high`` bound the geometric ``mean`` at 95 %; they are None for fewer than two
    trials. ``cv`` is the standard deviation as a share of the arithmetic mean.
    """

    n: int
    median: float
    mean: float
    low: float | None
    high: float | None
    cv: float | None


def interval(values: Sequence[float]) -> Interval:
    """Sum up one value a trial: median, geometric mean and its 95 % interval by t on the logs.

    At 5 to 10 trials of skewed values t on logs covers 95 to 96 %, where a bootstrapped median
    covers 93 to 94 %. Where a value is zero or below, logs do not exist, and the arithmetic mean
    and its t interval stand in. Raises ValueError for no values, or ones that are not finite.
    """
    if not values or not all(map(isfinite, values)):
        raise ValueError("interval needs at least one value, all of them finite")
    n, middle = len(values), median(values)
    if n == 1:
        return Interval(1, middle, middle, None, None, None)
    on_logs = min(values) > 0
    mean, error = _mean_and_error([log(value) for value in values] if on_logs else values)
    reach = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * error
    bounds = (mean, mean - reach, mean + reach)
    mean, low, high = map(unlog, bounds) if on_logs else bounds
    return Interval(n, middle, mean, low, high, _cv(values))


def unlog(value: float) -> float:
    """The exponential, at most e⁶⁹⁰: a bound out there bounds nothing, and has to be a number."""
    return exp(min(value, 690.0))


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error; plain Python, for arrays of six cost more than they save."""
    mean = fmean(values)
    squares = fsum((value - mean) ** 2 for value in values)
    return mean, sqrt(squares / (len(values) - 1) / len(values))


def _cv(values: Sequence[float]) -> float | None:
    mean, error = _mean_and_error(values)
    return None if mean == 0 else error * sqrt(len(values)) / abs(mean)
