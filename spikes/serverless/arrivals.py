"""How often a start is cold, from an arrival model.

Requests are Poisson. A request takes an idle environment if there is one, and starts a new one if
all are busy; an environment that has been idle for a time-out is gone. Lambda documents neither the
time-out nor which idle environment is taken, so both are stated by whoever asks. ``most-recent``
takes the one that was busy last (what Mahmoudi and Khazaei found platforms to prefer: *SimFaaS*,
CLOSER 2021), which lets the others age and is the dearer assumption; ``least-recent`` keeps all of
them warm. The latter remembers a burst for longer than a simulation settles, so that its share is
an upper bound.

For one environment at a time there is a closed form: the gap before a request must outlast the
time-out T, so that P(cold) = exp(-λT). Where requests overlap there is none, and it is simulated.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from heapq import heappop, heappush
from math import ceil, exp, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from spikebench.errors import UsageError

Routing = Literal["most-recent", "least-recent"]

Times = npt.NDArray[np.float64]

FEWEST = 100_000
"""Requests simulated at least."""

MOST = 5_000_000
"""Requests simulated at most: some seconds."""

BATCHES = 20
"""Parts of a simulation whose spread gives its standard error (batch means)."""


@dataclass(frozen=True)
class ColdShare:
    """The share of requests that meet a cold start, its standard error, and how many were tried.

    ``requests`` is 0 for a share that was stated and not simulated.
    """

    share: float
    error: float = 0.0
    requests: int = 0

    def __str__(self) -> str:
        """The share in percent, with two standard errors where it was simulated."""
        return f"{self.share:.3%} ± {2 * self.error:.3%}" if self.requests else f"{self.share:.3%}"


def cold_share_alone(rate_per_s: float, idle_timeout_s: float) -> float:
    """P(cold) of Poisson requests that never overlap: exp(-λT), the chance of a gap beyond T."""
    return exp(-rate_per_s * idle_timeout_s)


@lru_cache(maxsize=1024)
def cold_share(
    rate_per_s: float,
    idle_timeout_s: float,
    warm_s: float,
    cold_s: float,
    routing: Routing = "most-recent",
    seed: int = 1,
) -> ColdShare:
    """Simulate Poisson requests and count cold starts, once two time-outs have passed.

    ``warm_s`` and ``cold_s`` are how long a request keeps its environment busy. One seed gives the
    same arrivals at every rate, but for their scale, so that shares at two rates are comparable.
    Raises UsageError for a rate at which two time-outs hold more requests than can be simulated.
    """
    settling = ceil(rate_per_s * 2 * (idle_timeout_s + cold_s))
    counted = max(FEWEST, 2 * settling)
    if settling + counted > MOST:
        raise UsageError(
            f"{rate_per_s:g} requests/s with an idle time-out of {idle_timeout_s:g} s are too many "
            "to simulate; state cold_share in the pattern, as CloudWatch counts it"
        )
    gaps = np.random.default_rng(seed).standard_exponential(settling + counted) / rate_per_s
    cold = cold_starts(np.cumsum(gaps), warm_s, cold_s, idle_timeout_s, routing)[settling:]
    batches = [float(batch.mean()) for batch in np.array_split(cold, BATCHES)]
    error = float(np.std(batches, ddof=1)) / sqrt(BATCHES)
    return ColdShare(float(cold.mean()), error, counted)


def cold_starts(
    arrivals_s: Times,
    warm_s: float,
    cold_s: float,
    idle_timeout_s: float,
    routing: Routing = "most-recent",
) -> npt.NDArray[np.bool_]:
    """Say of each request, in order of arrival, whether it starts an environment of its own.

    An environment that becomes free at the moment of an arrival can take it; one that has been idle
    for just the time-out is gone. No environment exists at the beginning.
    """
    cold = np.zeros(arrivals_s.size, dtype=np.bool_)
    free_at: list[float] = []  # busy environments, the first to be free on top
    idle_since: deque[float] = deque()  # idle ones; they come in order of time
    take = idle_since.pop if routing == "most-recent" else idle_since.popleft
    for at, now in enumerate(arrivals_s.tolist()):
        while free_at and free_at[0] <= now:
            idle_since.append(heappop(free_at))
        while idle_since and idle_since[0] + idle_timeout_s <= now:
            idle_since.popleft()
        if idle_since:
            take()
            heappush(free_at, now + warm_s)
        else:
            cold[at] = True
            heappush(free_at, now + cold_s)
    return cold
