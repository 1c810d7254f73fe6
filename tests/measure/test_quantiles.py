"""Percentiles against distributions whose percentiles are known, by the way a trial's are made.

``benchmarks/simulation.py`` has the distributions; its figures are asserted in ``tests/stats``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.simulation import SHOWN, log_normal, with_stalls
from spikebench.measure.latency import PERCENTILES, latency_metrics, spreads
from tests.synthetic.segment import segment

MESSAGES = 200_000


@pytest.mark.parametrize("inverse", [log_normal, with_stalls])
def test_percentiles_of_known_distributions_are_right_to_one_percent(
    inverse: Callable[[float], float],
) -> None:
    evenly = np.random.default_rng(5).permutation((np.arange(MESSAGES) + 0.5) / MESSAGES)
    latency_s = np.vectorize(inverse, otypes=[float])(evenly) / 1e9
    found = latency_metrics(spreads(segment(MESSAGES, 20_000, latency_s=latency_s)))
    labels = {q: label for label, q in PERCENTILES.items()}
    for q in SHOWN:
        shown = found[f"end_to_end_{labels[q]}"].value
        assert shown == pytest.approx(inverse(q) / 1e6, rel=0.01)
