"""The search for capacity: the highest rate that keeps the backlog flat and the SLO."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spikebench.errors import DriverError
from spikebench.load.bench import Bench
from spikebench.load.schedule import Schedule
from spikebench.load.session import Limits, Session
from spikebench.measure.limit import limit_of, load_of
from spikebench.measure.observation import Observation
from spikebench.measure.outcome import Limit
from spikebench.measure.rates import Held, drain_rate, held

FLOOD_S = 0.6
"""How long a cold search sends as fast as the window lets it, to learn where to begin."""

FLOODS = 3
"""Most floods before a cold search."""

STILL_WARMING = 1.2
"""Ratio to the best flood before it at which a flood shows that all is still warming up."""

FLOOD_MESSAGES = 480_000

BELOW_FLOOD = 0.8
"""Share of a flood's rate at which a cold search begins: a flood fills every buffer."""

BELOW_DRAINED = 0.9
"""Share of what came through of a rate that failed at which a search goes on below it."""

COLD_SEGMENT_S = 0.5
COLD_TRIES = 8
COLD_STEP = 1.2
"""A cold search ends when the lowest rate that failed is within this ratio of the best."""

LONGEST_STRIDE = 4
"""Most rungs that a capacity trial goes up at once."""

ONE_RUNG = 1.001
"""What rounding may add to the ratio of neighbouring rungs."""

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

    ``failed_per_s`` is the lowest rate above it that did not hold, None where all that were tried
    did; ``limit`` what kept that one from holding, and ``reason`` how. Where none held ``seen`` is
    None and the rate the lowest that was tried.
    """

    rate_per_s: float
    failed_per_s: float | None
    limit: Limit
    tries: int
    seen: Observation | None
    reason: str = ""


def search(bench: Bench, session: Session, near: float | None = None) -> Found:
    """Find capacity: begin at a rate, go up or down until it is between two, then bisect.

    ``near`` is the capacity of a similar workload in messages per second: the search begins there,
    and goes by small steps. Without it a flood tells where to begin, and steps are wide. A rate has
    failed when it failed twice in a row: one hiccup of the machine is not a limit.
    """
    rate, stride = near or BELOW_FLOOD * _best_flood(bench, session), COLD_STEP if near else 2.0
    best: Observation | None = None
    held_rate, failed, limit, reason = 0.0, math.inf, _UNKNOWN, ""
    for tried in range(COLD_TRIES):
        seen, verdict = _probe(bench, session, rate, COLD_SEGMENT_S, 2 * tried)
        if not verdict.all:
            seen, verdict = _probe(bench, session, rate, COLD_SEGMENT_S, 2 * tried + 1)
        if verdict.all:
            best, held_rate = seen, rate
        else:
            failed, limit, reason = rate, _limit_above(bench, seen), verdict.reason
        if failed <= held_rate * COLD_STEP:
            break
        rate = _next_rate(held_rate, failed, stride, drain_rate(seen))
    above = None if math.isinf(failed) else failed
    return Found(held_rate or failed, above, limit, tried + 1, best, reason)


def _next_rate(held_rate: float, failed: float, stride: float, drained: float) -> float:
    """Up by ``stride`` while all rates hold, down while none does, else go between.

    A rate that failed was a flood, too: ``drained`` is what came through, and it is gone below.
    """
    if math.isinf(failed):
        return held_rate * stride
    if held_rate:
        return math.sqrt(held_rate * failed)
    return min(failed / stride, BELOW_DRAINED * drained) if drained else failed / 2


def climb(bench: Bench, session: Session, start: float, ladder: Ladder) -> Found:
    """Find the highest rate that holds near ``start``, and that the next one above it does not.

    Up while rates hold, by one rung and then by two and four, until one fails, and then again from
    what held; where none holds, down to the rung below what came through.
    """
    stride = 1
    best: Observation | None = None
    rate, held_rate, failed, limit, reason = start, 0.0, math.inf, _UNKNOWN, ""
    for tried in range(ladder.tries):
        seen, verdict = _probe(bench, session, rate, ladder.segment_s, tried)
        if verdict.all:
            best, held_rate = seen, rate
        else:
            failed, limit, reason, stride = rate, _limit_above(bench, seen), verdict.reason, 1
        if failed <= held_rate * ladder.step * ONE_RUNG:
            break
        if best is None:
            rate = _rung_below(rate, drain_rate(seen), ladder.step)
        else:
            rate = min(held_rate * ladder.step**stride, failed / ladder.step)
            stride = min(stride * 2, LONGEST_STRIDE)
    above = None if math.isinf(failed) else failed
    return Found(held_rate or failed, above, limit, tried + 1, best, reason)


def _rung_below(failed: float, drained: float, step: float) -> float:
    """The highest rung below a rate that failed, and not above what came through of it."""
    rungs = math.log(failed / drained, step) if drained else 1.0
    return failed / step ** max(1, math.ceil(rungs))


_UNKNOWN: Limit = "unknown"


def _probe(
    bench: Bench, session: Session, rate: float, segment_s: float, tried: int
) -> tuple[Observation, Held]:
    """Try a rate for a while, and judge whether it held."""
    seen = session.run(bench.evenly(rate, segment_s, FIRST_PART + tried), segment_s, _quick(bench))
    if seen.error:
        raise DriverError(seen.error)
    verdict = held(seen, segment_s, bench.scenario.slo_p99_ms)
    bench.say(f"{rate:,.0f} msg/s {verdict.reason or 'holds'}")
    return seen, verdict


def _best_flood(bench: Bench, session: Session) -> float:
    """Flood until it goes no faster, for a client and a broker that have just started are slow."""
    best = _flood(bench, session, 0)
    for number in range(1, FLOODS):
        rate = _flood(bench, session, number)
        if number > 1 and rate < best * STILL_WARMING:
            return max(best, rate)
        best = max(best, rate)
    return best


def _flood(bench: Bench, session: Session, number: int) -> float:
    """Send as fast as the window lets it and return the rate that came through."""
    evenly = bench.evenly(FLOOD_MESSAGES / FLOOD_S, FLOOD_S, FIRST_PART - 1 - number)
    at_once = Schedule(np.zeros_like(evenly.offsets_ns), evenly.template, evenly.key)
    seen = session.run(at_once, FLOOD_S, Limits(overrun_s=0.0, confirm_s=5.0, grace_s=3.0))
    if seen.error:
        raise DriverError(seen.error)
    return max(drain_rate(seen), 1.0)


def _quick(bench: Bench) -> Limits:
    return Limits(overrun_s=0.3, confirm_s=5.0, grace_s=bench.limits.grace_s)


def _limit_above(bench: Bench, seen: Observation) -> Limit:
    share = load_of(seen.usage, bench.cores.server, bench.cores.load)
    return limit_of(share, False, drain_rate(seen), bench.ceiling)
