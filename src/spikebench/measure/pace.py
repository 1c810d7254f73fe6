"""The machine's pace: how much CPU time one and the same calculation takes, beside each trial.

What a core does in a second is no constant. On a virtual machine a neighbour on the same core may
halve it for seconds or for hours, and no counter of the guest shows it: no time is stolen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from spikebench.measure.outcome import Metric

PACE = "machine_pace"
"""The metric's name; in milliseconds, and less is faster."""

STEPS = 50_000
"""Some 3 ms of arithmetic in Python: long beside a clock's steps, short beside a trial."""

MOST_CORES = 8


def paces_ms(cores: Iterable[int] | None = None) -> list[float]:
    """CPU milliseconds of the calculation on each of ``cores``, by default the first we may use.

    Time in which the thread had to wait for its core does not count: that shows elsewhere.
    """
    allowed = os.sched_getaffinity(0)
    chosen = sorted(allowed)[:MOST_CORES] if cores is None else list(cores)
    try:
        return [_on(core) for core in chosen]
    finally:
        os.sched_setaffinity(0, allowed)


def metric(before: Iterable[float], after: Iterable[float]) -> Metric:
    """The mean of what was taken before a trial and after it, over all cores."""
    found = [*before, *after]
    return Metric(value=round(sum(found) / len(found), 4), unit="ms", n=len(found))


def _on(core: int) -> float:
    os.sched_setaffinity(0, {core})
    began = time.thread_time_ns()
    total = 0
    for step in range(STEPS):
        total += step
    return (time.thread_time_ns() - began) / 1e6
