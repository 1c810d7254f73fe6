"""Latencies of a segment, and their percentiles: each only with enough samples beneath it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

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
    a message before which it had nothing left to do, and of those that came due meanwhile, at most
    as much; the rest of their wait is the client library's.
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
    """Each sent message's wait, but at most the least wait since the generator was last idle."""
    waits = (seen.sent_ns - seen.intended_ns)[seen.sent]
    if not len(waits):
        return waits
    stretch = np.cumsum(_idle_before(seen)[seen.sent])
    step = int(np.abs(waits).max()) + 1
    least: Nanoseconds = np.minimum.accumulate(waits - stretch * step) + stretch * step
    return least


def _idle_before(seen: Observation) -> npt.NDArray[np.bool_]:
    """Which messages were due after the one before them had been handed over."""
    idle = np.ones(len(seen.sent_ns), dtype=bool)
    idle[1:] = seen.intended_ns[1:] > seen.sent_ns[:-1]
    return idle


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
