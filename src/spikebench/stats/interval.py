"""The middle of a cell's trials and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    given = np.asarray(values, dtype=np.float64)
    if given.size == 0 or not np.isfinite(given).all():
        raise ValueError("interval needs at least one value, all of them finite")
    on_logs = bool((given > 0).all())
    mean, low, high = _t_interval(np.log(given) if on_logs else given)
    median, cv = float(np.median(given)), _cv(given)
    if on_logs:
        mean, low, high = np.exp(mean), np.exp(low), np.exp(high)
    if given.size == 1:
        return Interval(1, median, float(mean), None, None, None)
    return Interval(given.size, median, float(mean), float(low), float(high), cv)


def _t_interval(values: Values) -> tuple[float, float, float]:
    mean = float(values.mean())
    if values.size < 2:
        return mean, mean, mean
    error = float(values.std(ddof=1)) / values.size**0.5
    reach = float(stdtrit(values.size - 1, (1 + CONFIDENCE) / 2)) * error
    return mean, mean - reach, mean + reach


def _cv(values: Values) -> float | None:
    mean = float(values.mean())
    if values.size < 2 or mean == 0:
        return None
    return float(values.std(ddof=1)) / abs(mean)
