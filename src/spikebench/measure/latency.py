"""Latencies of a segment, and their percentiles: each only with enough samples beneath it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spikebench.measure.observation import Nanoseconds, Observation
from spikebench.measure.outcome import Metric

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def samples_needed(quantile: float) -> int:
    """Fewest samples for which a quantile is shown: three expected beyond it (p99: 300)."""
    return round(3 / (1 - quantile))


def quantiles(samples: Nanoseconds, messages: int | None = None) -> dict[str, float | None]:
    """Return p50, p95, p99 and p99.9 in nanoseconds, keyed by the quantile; None with too few.

    ``messages`` is how many distinct messages stand behind the samples, where they are fewer.
    """
    known = len(samples) if messages is None else min(len(samples), messages)
    return {
        str(q): float(np.quantile(samples, q)) if known >= samples_needed(q) else None
        for q in PERCENTILES.values()
    }


def latencies(seen: Observation) -> dict[str, Nanoseconds]:
    """Return the samples of each latency of a segment, in nanoseconds.

    ``lateness``: the part of intended send → actual send that is the generator's own doing: that of
    a message before which it had nothing left to do and the candidate did not hold it, and of those
    that came due meanwhile, at most as much; the rest of their wait is the candidate's.
    ``publish``: send → the broker's confirm. ``service``: send → the consumer's hands.
    ``end_to_end``: *intended* send → the consumer's hands (response time). Deliveries to each
    subscriber count; of repeats the first.
    """
    confirmed = seen.confirmed & seen.sent
    received = [seen.first_received_ns(s) for s in range(seen.subscribers)]
    return {
        "lateness": _lateness(seen),
        "publish": (seen.confirmed_ns - seen.sent_ns)[confirmed],
        "service": np.concatenate([(at - seen.sent_ns)[at > 0] for at in received]),
        "end_to_end": np.concatenate([(at - seen.intended_ns)[at > 0] for at in received]),
    }


def _lateness(seen: Observation) -> Nanoseconds:
    """What would be left of each sent message's wait had the generator taken no time of its own.

    Its own time before a message is what passed since it was free: since the message before, or
    since the candidate let go of it; none where the message had come due by then. A message is late
    by no more than its wait, and no more than the one before it was and the own time since.
    """
    waits = (seen.sent_ns - seen.intended_ns)[seen.sent]
    own = np.cumsum(_own_time(seen)[seen.sent])
    late: Nanoseconds = np.minimum.accumulate(waits - own) + own
    return late


def _own_time(seen: Observation) -> Nanoseconds:
    """What passed before each message while the generator was free and it was not yet due."""
    own = np.zeros(len(seen.sent_ns), dtype=np.int64)
    free = seen.sent_ns[:-1]
    if seen.held_until_ns is not None and len(seen.held_until_ns):
        free = np.maximum(free, seen.held_until_ns[1:])
    idle = seen.intended_ns[1:] > seen.sent_ns[:-1]
    own[1:] = np.where(idle, seen.sent_ns[1:] - free, 0)
    return own


def latency_metrics(seen: Observation) -> dict[str, Metric]:
    """Return ``<latency>_p50`` … ``<latency>_p999`` in ms; withheld where samples are too few."""
    messages = distinct(seen)
    return {
        f"{name}_{label}": _metric(samples, min(len(samples), messages[name]), q)
        for name, samples in latencies(seen).items()
        for label, q in PERCENTILES.items()
    }


def distinct(seen: Observation) -> dict[str, int]:
    """How many messages stand behind the samples of each latency.

    Deliveries of one message to several subscribers are not independent: they count once.
    """
    arrived = np.any([seen.first_received_ns(s) > 0 for s in range(seen.subscribers)], axis=0)
    sent, delivered = int(seen.sent.sum()), int(arrived.sum())
    return {"lateness": sent, "publish": sent, "service": delivered, "end_to_end": delivered}


def _metric(samples: Nanoseconds, messages: int, q: float) -> Metric:
    needed = samples_needed(q)
    if messages < needed:
        note = f"{messages} messages, {needed} needed"
        return Metric(value=None, unit="ms", better="lower", n=messages, note=note)
    value = float(np.quantile(samples, q)) / 1e6
    return Metric(value=value, unit="ms", better="lower", n=messages)


def negative(seen: Observation) -> int:
    """How many latencies came out below zero: a sign of clocks that disagree; never clipped."""
    return int(sum((samples < 0).sum() for name, samples in latencies(seen).items()))
