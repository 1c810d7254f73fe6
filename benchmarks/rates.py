"""Rates and latencies of a segment of ours, counted the way the other tools count them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikebench.measure.observation import Observation

Latencies = npt.NDArray[np.float64]
MS = 1_000_000
"""Nanoseconds."""
DITHER = 23
HELD = 0.99


def confirmed_per_s(seen: Observation, warm_up: int = 0) -> float:
    """Messages a second from the send after the first ``warm_up`` to the last confirm.

    What the warm-up left unconfirmed is confirmed within that time, as in ProducerPerformance's
    steady state. Raises RuntimeError where a message was not confirmed.
    """
    _check_confirmed(seen)
    span_ns = int(seen.confirmed_ns.max()) - int(seen.sent_ns[warm_up])
    return (len(seen.sent_ns) - warm_up) / (span_ns / 1e9)


def confirm_ms(seen: Observation, warm_up: int) -> Latencies:
    """Publish latencies in ms of all messages after the first ``warm_up``.

    Raises RuntimeError where a message was not confirmed.
    """
    _check_confirmed(seen)
    latency: Latencies = (seen.confirmed_ns - seen.sent_ns)[warm_up:] / 1e6
    return latency


def whole_ms(seen: Observation, warm_up: int) -> Latencies:
    """The same as differences of a clock that counts whole milliseconds.

    Each message meets that clock at a random moment of its tick, for ours are sent at even ones.
    """
    _check_confirmed(seen)
    into_tick_ns = np.random.default_rng(DITHER).integers(MS, size=len(seen.sent_ns))
    ticks = (seen.confirmed_ns + into_tick_ns) // MS - (seen.sent_ns + into_tick_ns) // MS
    return ticks[warm_up:].astype(np.float64)


def require_held(seen: Observation, rate_per_s: float) -> None:
    """Raise RuntimeError where less than 99 % of what was asked for was sent in time.

    CPU a message is another figure at another rate: who is late sends many at a time.
    """
    sent = float(np.mean(seen.sent))
    if sent < HELD:
        raise RuntimeError(
            f"{sent:.0%} of {rate_per_s:,.0f} msg/s were sent: this machine does not hold that rate"
        )


def picked(latencies: Latencies, quantile: float) -> float:
    """The quantile as Kafka's tools take it: one of the sorted values, never between two."""
    return float(np.sort(latencies)[int(len(latencies) * quantile)])


def received_per_s(seen: Observation, from_s: float, until_s: float) -> float:
    """Messages a second that the subscriber got between two times from the segment's start."""
    at_s = (seen.first_received_ns(0) - int(seen.intended_ns[0])) / 1e9
    return int(((at_s >= from_s) & (at_s < until_s)).sum()) / (until_s - from_s)


def confirm_quantile_us(seen: Observation, quantile: float, from_s: int, until_s: int) -> float:
    """Geometric mean over the seconds of a quantile of publish latency, in microseconds."""
    logs = [np.log(np.quantile(second, quantile)) for second in _by_second(seen, from_s, until_s)]
    return float(np.exp(np.mean(logs)))


def _by_second(seen: Observation, from_s: int, until_s: int) -> Iterator[np.ndarray]:
    """Publish latencies in µs of the messages that were sent in each second."""
    ok = seen.confirmed
    latency_us = (seen.confirmed_ns[ok] - seen.sent_ns[ok]) / 1e3
    second = (seen.sent_ns[ok] - int(seen.intended_ns[0])) // 1_000_000_000
    for each in range(from_s, until_s):
        yield latency_us[second == each]


def _check_confirmed(seen: Observation) -> None:
    if not seen.confirmed.all():
        missing = int((~seen.confirmed).sum())
        raise RuntimeError(f"{missing} of {len(seen.sent_ns)} messages were not confirmed")
