"""Latencies of a segment, and their percentiles: each only with enough samples beneath it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from spikebench.measure.column import parts
from spikebench.measure.observation import Nanoseconds, Observation
from spikebench.measure.outcome import Metric

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def samples_needed(quantile: float) -> int:
    """Fewest samples for which a quantile is shown: three expected beyond it (p99: 300)."""
    return round(3 / (1 - quantile))


@dataclass(frozen=True)
class Spread:
    """What is told of a latency's samples.

    ``messages`` is how many distinct ones stand behind them, ``quantiles`` the p50, p95, p99 and
    p99.9 in nanoseconds by the quantile, None with too few messages; ``negative`` how many samples
    were below zero.
    """

    messages: int
    quantiles: Mapping[str, float | None]
    negative: int


def quantiles(samples: Nanoseconds, messages: int | None = None) -> dict[str, float | None]:
    """Return p50, p95, p99 and p99.9 in nanoseconds, keyed by the quantile; None with too few.

    ``messages`` is how many distinct messages stand behind the samples, where they are fewer.
    """
    known = len(samples) if messages is None else min(len(samples), messages)
    enough = [q for q in PERCENTILES.values() if known >= samples_needed(q)]
    found = dict(zip(enough, np.quantile(samples, enough), strict=True)) if enough else {}
    return {str(q): float(found[q]) if q in found else None for q in PERCENTILES.values()}


def latencies(seen: Observation) -> Mapping[str, Nanoseconds]:
    """Return the samples of each latency of a segment, in nanoseconds, made when it is asked for.

    ``lateness``: the part of intended send → actual send that is the generator's own doing: that of
    a message before which it had nothing left to do and the candidate did not hold it, and of those
    that came due meanwhile, at most as much; the rest of their wait is the candidate's.
    ``publish``: send → the broker's confirm. ``service``: send → the consumer's hands.
    ``end_to_end``: *intended* send → the consumer's hands (response time). Deliveries to each
    subscriber count; of repeats the first.
    """
    return _Latencies(seen)


class _Latencies(Mapping[str, Nanoseconds]):
    """One at a time: of millions of messages all of them would be a lot of memory."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen

    def __getitem__(self, name: str) -> Nanoseconds:
        return _SAMPLES[name](self._seen)

    def __iter__(self) -> Iterator[str]:
        return iter(_SAMPLES)

    def __len__(self) -> int:
        return len(_SAMPLES)


def _publish(seen: Observation) -> Nanoseconds:
    found = [np.empty(0, np.int64)]
    for part in parts(seen.messages):
        sent, confirmed = seen.part("sent_ns", part), seen.part("confirmed_ns", part)
        found.append((confirmed - sent)[(confirmed > 0) & (sent > 0)])
    return np.concatenate(found)


def _received_since(seen: Observation, name: str) -> Nanoseconds:
    """What passed from the times called ``name`` until each subscriber first got each message."""
    found = [np.empty(0, np.int64)]
    for subscriber in range(seen.subscribers):
        received = seen.first_received_ns(subscriber)
        for part in parts(seen.messages):
            at = received[part]
            found.append((at - seen.part(name, part))[at > 0])
    return np.concatenate(found)


def _lateness(seen: Observation) -> Nanoseconds:
    """What would be left of each sent message's wait had the generator taken no time of its own.

    Its own time before a message is what passed since it was free: since the message before, or
    since the candidate let go of it; none where the message had come due by then. A message is late
    by no more than its wait, and no more than the one before it was and the own time since.
    """
    late, own_so_far, least = [np.empty(0, np.int64)], 0, np.iinfo(np.int64).max
    for part in parts(seen.messages):
        sent_ns, own = seen.part("sent_ns", part), _own_time(seen, part)
        sent = sent_ns > 0
        if not sent.any():
            continue
        own = np.cumsum(own[sent]) + own_so_far
        waits = (sent_ns - seen.part("intended_ns", part))[sent]
        lag = np.minimum(np.minimum.accumulate(waits - own), least)
        late.append(lag + own)
        own_so_far, least = own[-1], lag[-1]
    return np.concatenate(late)


def _own_time(seen: Observation, part: slice) -> Nanoseconds:
    """What passed before each message while the generator was free and it was not yet due."""
    since = slice(max(part.start - 1, 0), part.stop)
    intended, sent, held = (
        seen.part(name, since) for name in ("intended_ns", "sent_ns", "held_until_ns")
    )
    own = np.zeros(len(sent), dtype=np.int64)
    free = np.maximum(sent[:-1], held[1:]) if len(held) else sent[:-1]
    idle = intended[1:] > sent[:-1]
    own[1:] = np.where(idle, sent[1:] - free, 0)
    return own[part.start - since.start :]


_SAMPLES: Mapping[str, Callable[[Observation], Nanoseconds]] = {
    "lateness": _lateness,
    "publish": _publish,
    "service": lambda seen: _received_since(seen, "sent_ns"),
    "end_to_end": lambda seen: _received_since(seen, "intended_ns"),
}


def spreads(seen: Observation) -> dict[str, Spread]:
    """Return what is told of each latency."""
    known = distinct(seen)
    return {name: _spread(latencies(seen)[name], known[name]) for name in _SAMPLES}


def _spread(samples: Nanoseconds, messages: int) -> Spread:
    behind = min(len(samples), messages)
    return Spread(behind, quantiles(samples, behind), int((samples < 0).sum()))


def latency_metrics(found: Mapping[str, Spread]) -> dict[str, Metric]:
    """Return ``<latency>_p50`` … ``<latency>_p999`` in ms; withheld where samples are too few."""
    return {
        f"{name}_{label}": _metric(spread, q)
        for name, spread in found.items()
        for label, q in PERCENTILES.items()
    }


def distinct(seen: Observation) -> dict[str, int]:
    """How many messages stand behind the samples of each latency.

    Deliveries of one message to several subscribers are not independent: they count once.
    """
    arrived = np.zeros(seen.messages, dtype=np.bool_)
    for subscriber in range(seen.subscribers):
        arrived |= seen.first_received_ns(subscriber) > 0
    sent, delivered = int(seen.sent.sum()), int(arrived.sum())
    return {"lateness": sent, "publish": sent, "service": delivered, "end_to_end": delivered}


def _metric(spread: Spread, q: float) -> Metric:
    value_ns = spread.quantiles[str(q)]
    if value_ns is None:
        note = f"{spread.messages} messages, {samples_needed(q)} needed"
        return Metric(value=None, unit="ms", better="lower", n=spread.messages, note=note)
    return Metric(value=value_ns / 1e6, unit="ms", better="lower", n=spread.messages)


def negative(found: Mapping[str, Spread]) -> int:
    """How many latencies came out below zero: a sign of clocks that disagree; never clipped."""
    return sum(spread.negative for spread in found.values())
