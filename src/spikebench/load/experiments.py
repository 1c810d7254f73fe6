"""The experiments a scenario can ask for: latency at a fixed rate, capacity, backlog, faults."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from spikebench.load.bench import Bench
from spikebench.load.capacity import ONE_RUNG, Ladder, climb
from spikebench.load.fault import fault
from spikebench.load.judge import judged
from spikebench.measure.observation import Observation
from spikebench.measure.outcome import Metric, Outcome

WARM_UP, MEASURED = 0, 1
"""Parts of a trial, for drawing their schedules."""

RUNG = 1.07
"""Ratio between neighbouring rates of a capacity trial: the resolution of its datum."""

TRIES = 12
"""Most rates that a capacity trial measures at; two or three are usual."""

CAUGHT_UP_NS = 100_000_000
"""A consumer has caught up when it lags no more than this behind the producer, in nanoseconds."""

START = 0.5
"""Share of the expected capacity at which a capacity trial warms up."""


def latency(bench: Bench) -> Outcome:
    """An open schedule at a fixed rate below capacity: warm up, drain, start anew, measure."""
    timing = bench.scenario.timing
    with bench.session() as session:
        if timing.warmup_s:
            warm_up = bench.schedule(bench.rate_per_s, timing.warmup_s, WARM_UP)
            session.run(warm_up, timing.warmup_s, bench.limits)
        planned = bench.schedule(bench.rate_per_s, timing.measure_s, MEASURED)
        seen = session.run(planned, timing.measure_s, bench.limits)
    return judged(bench, seen, timing.measure_s, _headroom(bench))


def capacity(bench: Bench) -> Outcome:
    """Measure at the rate known so far, and up until a rate fails, or down until one holds.

    The trial's datum is the highest rate that held in it, measured for as long as any trial.
    """
    timing = bench.scenario.timing
    ladder = Ladder(RUNG, timing.measure_s, TRIES)
    with bench.session() as session:
        if timing.warmup_s:
            rate = START * bench.rate_per_s
            session.run(bench.evenly(rate, timing.warmup_s, WARM_UP), timing.warmup_s, bench.limits)
        found = climb(bench, session, bench.rate_per_s, ladder)
    if found.seen is None:
        reason = f"no rate held within {TRIES} tries from {bench.rate_per_s:,.0f} msg/s down"
        return Outcome(status="void", reason=f"{reason}: {found.reason}", limit=found.limit)
    if found.failed_per_s is None:
        reason = f"every rate held up to {found.rate_per_s:,.0f} msg/s: capacity is higher"
        return Outcome(status="void", reason=reason, limit=found.limit)
    if found.failed_per_s > found.rate_per_s * RUNG * ONE_RUNG:
        between = f"{found.rate_per_s:,.0f} msg/s held and {found.failed_per_s:,.0f} failed"
        reason = f"{between}: {TRIES} tries did not bring them within {RUNG - 1:.0%}"
        return Outcome(status="void", reason=reason, limit=found.limit)
    metrics = _capacity_metrics(found.rate_per_s, bench)
    outcome = judged(bench, found.seen, timing.measure_s, metrics)
    # of a void trial, what made it void is the limit
    limit = found.limit if outcome.status == "valid" else outcome.limit
    return outcome.model_copy(update={"limit": limit})


def backlog(bench: Bench) -> Outcome:
    """Consumers away for a while, then back: how long until they have caught up."""
    timing, away_s = bench.scenario.timing, bench.scenario.consumers.away_s
    planned = bench.schedule(bench.rate_per_s, timing.measure_s, MEASURED)
    with bench.session(receivers_later=True) as session:

        def come_back() -> None:
            time.sleep(away_s)
            session.attach()

        seen = session.run(planned, timing.measure_s, bench.limits, between=come_back)
    outcome = judged(bench, seen, timing.measure_s, {"drain_s": _drain(seen)})
    return _counted_although_it_grew(outcome)


EXPERIMENTS: dict[str, Callable[[Bench], Outcome]] = {
    "latency": latency,
    "capacity": capacity,
    "backlog": backlog,
    "fault": fault,
}


def _headroom(bench: Bench) -> dict[str, Metric]:
    required = bench.scenario.requires.rate_per_s
    if required is None or bench.expected_capacity is None:
        return {}
    known, note = bench.expected_capacity, "from one search for capacity"
    metrics = {
        "headroom": Metric(
            value=known.rate_per_s / required, unit="ratio", better="higher", n=1, note=note
        )
    }
    if known.failed_per_s is not None:
        above = known.failed_per_s / required
        metrics["headroom_failed"] = Metric(value=above, unit="ratio", n=1, note=note)
    return metrics


def _capacity_metrics(rate: float, bench: Bench) -> dict[str, Metric]:
    metrics = {"capacity": Metric(value=rate, unit="msg/s", better="higher")}
    required = bench.scenario.requires.rate_per_s
    if required is not None:
        metrics["headroom"] = Metric(value=rate / required, unit="ratio", better="higher")
    return metrics


def _drain(seen: Observation) -> Metric:
    """Seconds from the consumers' return until every subscriber had got all that was due."""
    received = np.stack([seen.first_received_ns(s) for s in range(seen.subscribers)])
    if (received == 0).any():
        note = "some messages never arrived: the backlog was not drained"
        return Metric(value=None, unit="s", better="lower", note=note)
    everywhere = received.max(axis=0)
    caught_up = _caught_up_ns(everywhere, seen.intended_ns, seen.attached_ns)
    return Metric(value=(caught_up - seen.attached_ns) / 1e9, unit="s", better="lower")


def _caught_up_ns(everywhere: np.ndarray, intended: np.ndarray, attached_ns: int) -> int:
    """The first time after ``attached_ns`` at which all that was due shortly before had arrived.

    Shortly, because something is always on its way while a producer goes on sending.
    """
    at = np.sort(everywhere[everywhere >= attached_ns])
    got = np.searchsorted(np.sort(everywhere), at, side="right")
    due = np.searchsorted(intended, at - CAUGHT_UP_NS, side="right")
    return int(at[np.flatnonzero(got >= due)[0]]) if (got >= due).any() else int(at[-1])


def _counted_although_it_grew(outcome: Outcome) -> Outcome:
    """A backlog is what this experiment makes: that it grew is no flaw, if it is the only one."""
    if outcome.status == "void" and outcome.reason.startswith("backlog grew"):
        return outcome.model_copy(update={"status": "valid", "reason": ""})
    return outcome
