"""The search for capacity: the highest rate that keeps the backlog flat and the SLO."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np

from spikebench.load.bench import Bench
from spikebench.load.schedule import Schedule
from spikebench.load.session import Limits, Session
from spikebench.measure.limit import limit_of, load_of
from spikebench.measure.observation import Observation
from spikebench.measure.outcome import Limit
from spikebench.measure.rates import held, throughput

PROBE_S = 0.6
"""How long a rate is tried."""

FLOOD_S = 1.0
"""How long a cold search sends as fast as the window lets it, to learn where to begin."""

FLOOD_MESSAGES = 600_000
STEP = 1.07
"""Ratio between neighbouring rates that are tried: the search's resolution."""

PROBES = 8
"""Most rates tried by one search."""

FIRST_PART = 100
"""Probes draw their schedules from parts of the seed that no measured segment uses."""


@dataclass(frozen=True)
class Found:
    """The highest rate that held, in messages per second, and what the limit was above it."""

    rate_per_s: float
    step: float
    limit: Limit
    probes: int


def search(bench: Bench, session: Session, start: float | None) -> Found:
    """Find the highest rate that holds, from ``start`` or, not knowing one, from a flood.

    Goes up by ``STEP`` while rates hold, or down until one does. Needs at most ``PROBES`` rates.
    """
    parts = count(FIRST_PART)
    rate = start if start is not None else _flood(bench, session, next(parts))
    limit: Limit = "unknown"
    best: float | None = None
    for probe in range(1, PROBES + 1):
        seen = session.run(bench.evenly(rate, PROBE_S, next(parts)), PROBE_S, _quick(bench))
        bench.say(f"{rate:,.0f} msg/s {'…' if best is None else 'holds'}")
        if held(seen, PROBE_S, bench.scenario.slo_p99_ms).all:
            if limit != "unknown" or probe == PROBES:
                return Found(rate, STEP, limit, probe)
            best, rate = rate, rate * STEP
            continue
        limit = _limit_above(bench, seen)
        if best is not None:
            return Found(best, STEP, limit, probe)
        rate /= STEP
    return Found(best or rate, STEP, limit, PROBES)


def _flood(bench: Bench, session: Session, part: int) -> float:
    """Send as fast as the window lets it and return the rate that came through."""
    everything_now = bench.evenly(FLOOD_MESSAGES / FLOOD_S, FLOOD_S, part)
    flood = Schedule(
        offsets_ns=np.zeros_like(everything_now.offsets_ns),
        template=everything_now.template,
        key=everything_now.key,
    )
    seen = session.run(flood, FLOOD_S, Limits(overrun_s=0.0, confirm_s=5.0, grace_s=3.0))
    return max(throughput(seen, 0.0), 1.0)


def _quick(bench: Bench) -> Limits:
    return Limits(overrun_s=0.3, confirm_s=5.0, grace_s=bench.limits.grace_s)


def _limit_above(bench: Bench, seen: Observation) -> Limit:
    share = load_of(seen.usage, bench.cores.server, bench.cores.load)
    return limit_of(share, False, throughput(seen, PROBE_S), bench.ceiling)
