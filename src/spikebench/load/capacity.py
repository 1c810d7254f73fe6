"""The search for capacity: the highest rate that keeps the backlog flat and the SLO."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from spikebench.load.bench import Bench
from spikebench.load.schedule import Schedule
from spikebench.load.session import Limits, Session
from spikebench.measure.limit import limit_of, load_of
from spikebench.measure.observation import Observation
from spikebench.measure.outcome import Limit
from spikebench.measure.rates import Held, drain_rate, held

FLOOD_S = 0.6
"""How long a cold search sends as fast as the window lets it, to learn where to begin."""

FLOODS = 2
"""The first flood warms up the client and the broker; only the last one counts."""

FLOOD_MESSAGES = 480_000

BELOW_FLOOD = 0.8
"""Share of a flood's rate at which a cold search begins: a flood fills every buffer."""

COLD_SEGMENT_S = 0.5
COLD_TRIES = 8
COLD_STEP = 1.2
"""A cold search ends when the lowest rate that failed is within this ratio of the best."""

FIRST_PART = 100
"""Probes draw their schedules from parts of the seed that no other segment uses."""


@dataclass(frozen=True)
class Ladder:
    """The rates that are tried: ``step`` apart, each for ``segment_s``, at most ``tries`` of them.

    The step is the resolution of what is found.
    """

    step: float
    segment_s: float
    tries: int


@dataclass(frozen=True)
class Found:
    """The highest rate that held, in messages per second, with what was seen at it.

    ``limit`` is what kept the next rate from holding; ``seen`` is None, and the rate the lowest
    that was tried, where none held, with the ``reason``.
    """

    rate_per_s: float
    limit: Limit
    tries: int
    seen: Observation | None
    reason: str = ""


def search(bench: Bench, session: Session) -> Found:
    """Find capacity knowing nothing: flood, begin below that, double or halve, then bisect."""
    for flood in range(FLOODS):
        rate = BELOW_FLOOD * _flood(bench, session, flood)
    best: Found | None = None
    failed, limit, reason = math.inf, _UNKNOWN, ""
    for tried in range(COLD_TRIES):
        seen, verdict = _probe(bench, session, rate, COLD_SEGMENT_S, tried)
        if verdict.all:
            best = Found(rate, limit, tried + 1, seen)
        else:
            failed, limit, reason = rate, _limit_above(bench, seen), seen.error or verdict.reason
        held_rate = best.rate_per_s if best else 0.0
        if failed <= held_rate * COLD_STEP:
            break
        rate = _next_rate(held_rate, failed)
    return replace(best, limit=limit) if best else Found(failed, limit, COLD_TRIES, None, reason)


def _next_rate(held_rate: float, failed: float) -> float:
    """Double while all rates hold, halve while none does, else go between."""
    if math.isinf(failed):
        return held_rate * 2
    return math.sqrt(held_rate * failed) if held_rate else failed / 2


def climb(bench: Bench, session: Session, start: float, ladder: Ladder) -> Found:
    """Find the highest rate that holds near ``start``: up while rates hold, else down to one."""
    rate, lowest, limit, reason = start, start, _UNKNOWN, ""
    best: Found | None = None
    for tried in range(ladder.tries):
        seen, verdict = _probe(bench, session, rate, ladder.segment_s, tried)
        if verdict.all:
            best = Found(rate, limit, tried + 1, seen)
            if reason:
                return best
            rate *= ladder.step
            continue
        limit, reason = _limit_above(bench, seen), seen.error or verdict.reason
        if best is not None:
            return replace(best, limit=limit, tries=tried + 1)
        lowest, rate = rate, rate / ladder.step
    return best or Found(lowest, limit, ladder.tries, None, reason)


_UNKNOWN: Limit = "unknown"


def _probe(
    bench: Bench, session: Session, rate: float, segment_s: float, tried: int
) -> tuple[Observation, Held]:
    """Try a rate for a while, and judge whether it held."""
    planned = bench.evenly(rate, segment_s, FIRST_PART + tried)
    seen = session.run(planned, segment_s, _quick(bench))
    verdict = held(seen, segment_s, bench.scenario.slo_p99_ms)
    bench.say(f"{rate:,.0f} msg/s {verdict.reason or 'holds'}")
    return seen, verdict


def _flood(bench: Bench, session: Session, number: int) -> float:
    """Send as fast as the window lets it and return the rate that came through."""
    evenly = bench.evenly(FLOOD_MESSAGES / FLOOD_S, FLOOD_S, FIRST_PART - 1 - number)
    at_once = Schedule(np.zeros_like(evenly.offsets_ns), evenly.template, evenly.key)
    seen = session.run(at_once, FLOOD_S, Limits(overrun_s=0.0, confirm_s=5.0, grace_s=3.0))
    return max(drain_rate(seen), 1.0)


def _quick(bench: Bench) -> Limits:
    return Limits(overrun_s=0.3, confirm_s=5.0, grace_s=bench.limits.grace_s)


def _limit_above(bench: Bench, seen: Observation) -> Limit:
    share = load_of(seen.usage, bench.cores.server, bench.cores.load)
    return limit_of(share, False, drain_rate(seen), bench.ceiling)
