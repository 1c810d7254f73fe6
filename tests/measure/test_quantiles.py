"""Percentiles against distributions whose percentiles are known.

The samples are spread evenly over the distribution: there is no sampling error, and what is left
is what the harness itself adds (rounding, binning, interpolation).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from spikebench.measure.latency import quantiles

SAMPLES = 2_000_000
STALL_SHARE = 1 / 500
SHOWN = (0.5, 0.99, 0.999)


def log_normal(q: float) -> float:
    """Quantile of a log-normal latency around 2 ms, in nanoseconds."""
    return 2e6 * float(np.exp(0.6 * NormalDist().inv_cdf(q)))


def with_stalls(q: float) -> float:
    """Quantile where 1 message in 500 waits evenly between 0.5 and 1.5 s, others 1 to 3 ms."""
    quick = 1 - STALL_SHARE
    if q <= quick:
        return 1e6 + 2e6 * q / quick
    return 0.5e9 + 1e9 * (q - quick) / STALL_SHARE


@pytest.mark.parametrize("inverse", [log_normal, with_stalls])
def test_percentiles_of_known_distributions_are_right_to_one_percent(inverse: object) -> None:
    assert callable(inverse)
    draws = np.random.default_rng(5).permutation((np.arange(SAMPLES) + 0.5) / SAMPLES)
    shown = quantiles(np.vectorize(inverse, otypes=[float])(draws).astype(np.int64))
    for q in SHOWN:
        assert shown[str(q)] == pytest.approx(inverse(q), rel=0.01)
