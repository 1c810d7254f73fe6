"""Rates of a segment, and whether the rate asked for was held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikebench.measure.latency import latencies
from spikebench.measure.observation import Observation
from spikebench.measure.outcome import Metric

RATE_SHARE = 0.99
"""Least share of the asked rate that must be sent for a trial to count."""

RATE_SLACK_S = 0.02
"""Lateness at the end of a segment that is put down to the machine, not to a rate not held."""

GROWTH_SHARE = 0.05
"""Largest share of the messages of a segment's second half by which its backlog may have grown."""


@dataclass(frozen=True)
class Held:
    """Whether a segment held its rate, kept its backlog flat and met its SLO; else why not."""

    rate: bool
    flat: bool
    slo: bool
    reason: str

    @property
    def all(self) -> bool:
        """Whether all three hold."""
        return self.rate and self.flat and self.slo


def throughput(seen: Observation, duration_s: float) -> float:
    """Messages per second delivered to every subscriber, over the schedule or until the last one
    arrived, whichever is longer."""
    received = [seen.first_received_ns(s) for s in range(seen.subscribers)]
    delivered = sum(int((at > 0).sum()) for at in received) / seen.subscribers
    last_ns = max((int(at.max(initial=0)) for at in received), default=0)
    span_s = max(duration_s, (last_ns - int(seen.intended_ns[0])) / 1e9)
    return delivered / span_s


def sent_share(seen: Observation, duration_s: float) -> float:
    """Rate sent as a share of the rate asked for; at most 1."""
    if not seen.sent.any():
        return 0.0
    late_s = (int(seen.sent_ns.max()) - int(seen.intended_ns[0])) / 1e9 - duration_s
    stretched = duration_s + max(0.0, late_s - RATE_SLACK_S)
    return float(seen.sent.mean()) * duration_s / stretched


def backlog_growth(seen: Observation) -> float:
    """How much the backlog grew over the second half of a segment, as a share of its messages.

    The backlog at a time is what was due by then less what every subscriber had got. Each end is
    averaged over a tenth of the segment, so that a burst at either end does not decide.
    """
    start, end = int(seen.intended_ns[0]), int(seen.intended_ns[-1])
    points = start + (end - start) * np.linspace(0.5, 1.0, 51)
    due = np.searchsorted(seen.intended_ns, points, side="right")
    got = [_arrived_by(seen, s, points) for s in range(seen.subscribers)]
    backlog = due - np.min(got, axis=0)
    messages = max(int(due[-1] - due[0]), 1)
    return float(backlog[-10:].mean() - backlog[:10].mean()) / messages


def held(seen: Observation, duration_s: float, slo_p99_ms: float) -> Held:
    """Judge whether a segment held what was asked of it."""
    share, growth = sent_share(seen, duration_s), backlog_growth(seen)
    samples = latencies(seen)["end_to_end"]
    p99_ms = float(np.quantile(samples, 0.99)) / 1e6 if len(samples) else float("inf")
    verdict = (share >= RATE_SHARE, growth <= GROWTH_SHARE, p99_ms <= slo_p99_ms)
    reasons = (
        f"sent {share:.1%} of the rate asked for",
        f"backlog grew by {growth:.1%} of the messages",
        f"end-to-end p99 {p99_ms:.0f} ms over {slo_p99_ms:.0f} ms",
    )
    failed = [reason for ok, reason in zip(verdict, reasons, strict=True) if not ok]
    return Held(*verdict, reason="; ".join(failed))


def rate_metrics(seen: Observation, duration_s: float) -> dict[str, Metric]:
    """Return throughput in msg/s and in MB/s (10⁶ bytes of body)."""
    rate = throughput(seen, duration_s)
    mean_bytes = float(seen.size_bytes.mean()) if len(seen.size_bytes) else 0.0
    count = len(seen.intended_ns)
    return {
        "throughput": Metric(value=rate, unit="msg/s", better="higher", n=count),
        "throughput_bytes": Metric(
            value=rate * mean_bytes / 1e6, unit="MB/s", better="higher", n=count
        ),
    }


def _arrived_by(seen: Observation, subscriber: int, points: np.ndarray) -> np.ndarray:
    at = np.sort(seen.first_received_ns(subscriber))
    return np.searchsorted(at[at > 0], points, side="right")
