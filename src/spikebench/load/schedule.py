"""When each message is meant to be sent, worked out before the clock starts.

The schedule is open: it never waits for an answer, so a slow broker shows as late messages and not
as fewer of them. It holds exactly ``round(rate × duration)`` messages whatever the kind of arrival:
a Poisson process is drawn given its count, which leaves its arrivals independent and uniform over
the duration (Ross, *Introduction to Probability Models*, on the conditional distribution of arrival
times). So trials of one rate carry one number of messages, and only their spacing varies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikebench.load.payload import Templates
from spikebench.scenario.messages import Arrivals

_MOST_MESSAGES = 2**32
"""A sequence number has eight hexadecimal digits in a body's header."""


@dataclass(frozen=True)
class Schedule:
    """An element a message, in order of sending.

    ``offsets_ns`` is the intended send in nanoseconds from the start, sorted and below the
    duration; ``template`` and ``key`` are indices into the ``Templates`` it was drawn from.
    """

    offsets_ns: NDArray[np.int64]
    template: NDArray[np.int32]
    key: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets_ns)


def schedule(
    arrivals: Arrivals, rate_per_s: float, duration_s: float, seed: int, templates: Templates
) -> Schedule:
    """Return a schedule at a mean of ``rate_per_s`` over ``duration_s``; the same for a seed.

    ``rate_per_s`` is given apart from ``arrivals``, whose rate may be a share of a capacity that is
    measured first. Raises ValueError where there would be 2**32 messages or more.
    """
    count = round(rate_per_s * duration_s)
    if count >= _MOST_MESSAGES:
        raise ValueError(f"{count} messages are more than a sequence number holds")
    rng = np.random.default_rng(seed)
    offsets_ns = _offsets(arrivals, count, round(duration_s * 1e9), rng)
    template, key = templates.draw(count, rng)
    return Schedule(offsets_ns, template, key)


def _offsets(
    arrivals: Arrivals, count: int, duration_ns: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    if arrivals.kind == "uniform":
        return (np.arange(count) * (duration_ns / max(count, 1))).astype(np.int64)
    if arrivals.kind == "poisson":
        return _poisson(count, duration_ns, rng)
    sizes = _burst_sizes(arrivals, count, rng)
    return np.repeat(_poisson(len(sizes), duration_ns, rng), sizes)


def _poisson(count: int, duration_ns: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.integers(max(duration_ns, 1), size=count, dtype=np.int64))


def _burst_sizes(arrivals: Arrivals, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw sizes until they hold ``count`` messages; the last is cut to fit, the only one that may
    fall below ``burst_min``."""
    enough = count // arrivals.burst_min + 1
    sizes = rng.integers(arrivals.burst_min, arrivals.burst_max, size=enough, endpoint=True)
    ends = np.minimum(np.cumsum(sizes), count)
    return np.diff(ends, prepend=0)[: int(np.searchsorted(ends, count)) + 1]
