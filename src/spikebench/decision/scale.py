"""From a measured value to a score between 0 and 1, and back.

A value function with fixed ends, as in multi-attribute value theory (R. L. Keeney and H. Raiffa,
"Decisions with Multiple Objectives", 1976): ``best`` scores 1, ``worst`` 0. The ends are declared
and do not depend on which options there are, so that leaving one out never turns the others round
(rank reversal: V. Belton and T. Gear, Omega 11, 1983).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spikebench.decision.model import Measured

Values = npt.NDArray[np.float64]


def fits(value: float, asked: Measured) -> bool:
    """Whether a value has a place on the scale."""
    return asked.scale == "linear" or value > 0


def middle(values: Values, asked: Measured) -> Values:
    """The mean over the last axis: geometric on a log scale, as verdicts have it."""
    if asked.scale == "linear":
        return np.asarray(values.mean(axis=-1))
    return np.asarray(np.exp(np.log(values).mean(axis=-1)))


def score(value: Values | float, asked: Measured) -> Values:
    """(worst - value) ÷ (worst - best), of their logs on a log scale, kept within 0 and 1."""
    at, best, worst = (_placed(one, asked) for one in (value, asked.best, asked.worst))
    return np.clip((worst - at) / (worst - best), 0.0, 1.0)


def value_at(wanted: float, asked: Measured) -> float:
    """The value that scores ``wanted``, in the metric's unit."""
    best, worst = (_placed(one, asked) for one in (asked.best, asked.worst))
    at = float(worst - wanted * (worst - best))
    return float(np.exp(at)) if asked.scale == "log" else at


def _placed(value: Values | float, asked: Measured) -> Values:
    found = np.asarray(value, dtype=np.float64)
    return np.log(found) if asked.scale == "log" else found
