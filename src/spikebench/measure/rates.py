"""Rates of a segment, and whether the rate asked for was held."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from spikebench.measure.latency import latencies
from spikebench.measure.observation import Nanoseconds, Observation
from spikebench.measure.outcome import Metric

RATE_SHARE = 0.99
"""Least share of the asked rate that must be sent for a trial to count."""

RATE_SLACK_S = 0.02
"""Lateness at the end of a segment that is put down to the machine, not to a rate not held."""

GROWTH_SHARE = 0.05
"""Least slope of response time over time, in seconds per second, that counts as a growing backlog:
at a rate 5 % over capacity each second adds 50 ms to the wait."""

GROWTH_P = 0.01
"""How sure it must be that the slope is above zero: bursts and polls make it wander."""

BINS = 12

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Held:
    """Whether a segment held its rate, all of it; else ``reason`` says why not.

    ``rate``: it was sent; ``confirmed``: it was taken (where confirms are asked for);
    ``delivered``: every subscriber got it; ``flat``: the backlog did not grow; ``slo``: the
    response time was kept.
    """

    rate: bool
    confirmed: bool
    delivered: bool
    flat: bool
    slo: bool
    reason: str

    @property
    def all(self) -> bool:
        """Whether everything holds."""
        return self.rate and self.confirmed and self.delivered and self.flat and self.slo


def throughput(seen: Observation, duration_s: float) -> float:
    """Messages per second that every subscriber got, over a window as long as the schedule.

    The window starts one median end-to-end latency after the schedule, so that the time messages
    travel is not taken for a lower rate.
    """
    samples = latencies(seen)["end_to_end"]
    if not len(samples):
        return 0.0
    start = _start_ns(seen) + int(np.median(samples, overwrite_input=True))
    del samples
    end = start + int(duration_s * 1e9)
    within = sum(int(((at > 0) & (at <= end)).sum()) for at in _received(seen))
    return within / seen.subscribers / duration_s


def drain_rate(seen: Observation) -> float:
    """Messages per second from the first intended send until the last had arrived everywhere."""
    counted = [(int((at > 0).sum()), int(at.max(initial=0))) for at in _received(seen)]
    delivered, last_ns = min(count for count, _ in counted), max(last for _, last in counted)
    if not delivered:
        return 0.0
    span_s = (last_ns - _start_ns(seen)) / 1e9
    return delivered / span_s if span_s > 0 else 0.0


def _received(seen: Observation) -> Iterator[Nanoseconds]:
    """When each subscriber first got each message; one subscriber at a time."""
    return (seen.first_received_ns(subscriber) for subscriber in range(seen.subscribers))


def _start_ns(seen: Observation) -> int:
    """The first intended send."""
    return int(seen.part("intended_ns", slice(1))[0])


def sent_share(seen: Observation, duration_s: float) -> float:
    """Rate sent as a share of the rate asked for; at most 1."""
    sent_ns = seen.sent_ns
    sent = sent_ns > 0
    if not sent.any():
        return 0.0
    late_s = (int(sent_ns.max()) - _start_ns(seen)) / 1e9 - duration_s
    stretched = duration_s + max(0.0, late_s - RATE_SLACK_S)
    return float(sent.mean()) * duration_s / stretched


def growth(seen: Observation) -> float:
    """How fast the wait grew, in seconds per second; 0 where that is not certain.

    Response times are averaged over a dozen equal spans of intended time and a line is fitted; a
    slope that could as well be chance (p > 0.01, one-sided) counts as none.
    """
    received = list(_received(seen))
    if sum(int((at > 0).sum()) for at in received) < BINS:
        return 0.0
    came = np.any([at > 0 for at in received], axis=0)
    first, last = int(came.argmax()), len(came) - 1 - int(came[::-1].argmax())
    due = seen.intended_ns

    def since_s(at: np.int64) -> float:
        return float(at - due[0]) / 1e9

    edges = np.linspace(since_s(due[first]), since_s(due[last]), BINS + 1)
    ends = [bisect_left(due, edge, key=since_s) for edge in edges[1:-1]]
    spans = [slice(a, b) for a, b in pairwise([0, *ends, len(due)])]
    means = np.array([_mean_wait_s([at[span] for at in received], due[span]) for span in spans])
    known = ~np.isnan(means)
    if known.sum() < BINS // 2:
        return 0.0
    centres = ((edges[1:] + edges[:-1]) / 2)[known]
    slope, p = rising(centres, means[known])
    return slope if p < GROWTH_P else 0.0


def _mean_wait_s(received: Sequence[Nanoseconds], due: Nanoseconds) -> float:
    """Mean response time in seconds of what was due in a span; NaN where nothing of it came."""
    waits = np.concatenate([(at - due)[at > 0] for at in received])
    return float(waits.sum()) / len(waits) / 1e9 if len(waits) else nan


def rising(x: Floats, y: Floats) -> tuple[float, float]:
    """Fit a line; return its slope, and p, one-sided, of one as steep where there is none.

    Student's t of the correlation, as in scipy.stats.linregress: that module takes 46 MB of every
    process that loads it.
    """
    (xx, xy), (_, yy) = np.cov(x, y, bias=True)
    r = max(-1.0, min(1.0, xy / sqrt(xx * yy))) if yy else 0.0
    freedom = len(x) - 2
    t = r * sqrt(freedom / ((1 - r + _TINY) * (1 + r + _TINY)))
    return float(xy / xx), float(stdtr(freedom, -t))


_TINY = 1e-20


def confirmed_share(seen: Observation) -> float:
    """Share of what was sent that the broker confirmed; 1 where no confirms are asked for."""
    sent = int(seen.sent.sum())
    return int((seen.confirmed & seen.sent).sum()) / sent if seen.confirms and sent else 1.0


def delivered_share(seen: Observation) -> float:
    """Share of what was sent that the subscriber with the fewest got; 0 where nothing was sent."""
    sent = int(seen.sent.sum())
    got = min(int((at > 0).sum()) for at in _received(seen))
    return got / sent if sent else 0.0


def held(seen: Observation, duration_s: float, slo_p99_ms: float) -> Held:
    """Judge whether a segment held what was asked of it."""
    sent, slope = sent_share(seen, duration_s), growth(seen)
    confirmed, delivered = confirmed_share(seen), delivered_share(seen)
    samples = latencies(seen)["end_to_end"]
    p99_ms = float(np.quantile(samples, 0.99, overwrite_input=True)) / 1e6 if len(samples) else inf
    judged = {
        f"sent {sent:.1%} of the rate asked for": sent >= RATE_SHARE,
        f"{confirmed:.1%} of what was sent was confirmed": confirmed >= RATE_SHARE,
        f"{delivered:.1%} of what was sent was delivered": delivered >= RATE_SHARE,
        f"backlog grew: each second added {slope * 1e3:.0f} ms to the wait": slope < GROWTH_SHARE,
        f"end-to-end p99 {p99_ms:.0f} ms over {slo_p99_ms:.0f} ms": p99_ms <= slo_p99_ms,
    }
    rate, took, came, flat, slo = judged.values()
    reason = "; ".join(why for why, held in judged.items() if not held)
    return Held(rate, took, came, flat, slo, reason)


def rate_metrics(seen: Observation, duration_s: float) -> dict[str, Metric]:
    """Return throughput in msg/s and in MB/s (10⁶ bytes of body)."""
    rate = throughput(seen, duration_s)
    count = seen.messages
    mean_bytes = float(seen.size_bytes.mean()) if count else 0.0
    return {
        "throughput": Metric(value=rate, unit="msg/s", better="higher", n=count),
        "throughput_bytes": Metric(
            value=rate * mean_bytes / 1e6, unit="MB/s", better="higher", n=count
        ),
    }
