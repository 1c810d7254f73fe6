"""Verdicts from trials: intervals, comparisons, and what may not be compared at all."""

from spikebench.stats.comparison import Comparison, Verdict, compare
from spikebench.stats.drift import Drift, drift, drifting
from spikebench.stats.family import holm, trials_for
from spikebench.stats.interval import Interval, interval
from spikebench.stats.pair import compare_cells, fingerprint

__all__ = [
    "Comparison",
    "Drift",
    "Interval",
    "Verdict",
    "compare",
    "compare_cells",
    "drift",
    "drifting",
    "fingerprint",
    "holm",
    "interval",
    "trials_for",
]
