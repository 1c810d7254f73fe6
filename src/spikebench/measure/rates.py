"""Rates of a segment, and whether the rate asked for was held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binned_statistic, linregress

from spikebench.measure.latency import latencies
from spikebench.measure.observation import Observation
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
    start = int(seen.intended_ns[0]) + int(np.median(samples))
    end = start + int(duration_s * 1e9)
    arrived = [seen.first_received_ns(s) for s in range(seen.subscribers)]
    within = sum(int(((at > 0) & (at <= end)).sum()) for at in arrived)
    return within / seen.subscribers / duration_s


def drain_rate(seen: Observation) -> float:
    """Messages per second from the first intended send until the last had arrived everywhere."""
    arrived = [seen.first_received_ns(s) for s in range(seen.subscribers)]
    delivered = min(int((at > 0).sum()) for at in arrived)
    if not delivered:
        return 0.0
    last_ns = max(int(at.max(initial=0)) for at in arrived)
    span_s = (last_ns - int(seen.intended_ns[0])) / 1e9
    return delivered / span_s if span_s > 0 else 0.0


def sent_share(seen: Observation, duration_s: float) -> float:
    """Rate sent as a share of the rate asked for; at most 1."""
    if not seen.sent.any():
        return 0.0
    late_s = (int(seen.sent_ns.max()) - int(seen.intended_ns[0])) / 1e9 - duration_s
    stretched = duration_s + max(0.0, late_s - RATE_SLACK_S)
    return float(seen.sent.mean()) * duration_s / stretched


def growth(seen: Observation) -> float:
    """How fast the wait grew, in seconds per second; 0 where that is not certain.

    Response times are averaged over a dozen equal spans of intended time and a line is fitted; a
    slope that could as well be chance (p > 0.01, one-sided) counts as none.
    """
    arrived = np.concatenate([seen.first_received_ns(s) for s in range(seen.subscribers)])
    due = np.tile(seen.intended_ns, seen.subscribers)
    got = arrived > 0
    if got.sum() < BINS:
        return 0.0
    since_s = (due[got] - int(seen.intended_ns[0])) / 1e9
    wait_s = (arrived[got] - due[got]) / 1e9
    means, edges, _ = binned_statistic(since_s, wait_s, "mean", BINS)
    known = ~np.isnan(means)
    if known.sum() < BINS // 2:
        return 0.0
    centres = ((edges[1:] + edges[:-1]) / 2)[known]
    fit = linregress(centres.tolist(), means[known].tolist(), alternative="greater")
    return float(fit.slope) if fit.pvalue < GROWTH_P else 0.0


def confirmed_share(seen: Observation) -> float:
    """Share of what was sent that the broker confirmed; 1 where no confirms are asked for."""
    sent = int(seen.sent.sum())
    return int((seen.confirmed & seen.sent).sum()) / sent if seen.confirms and sent else 1.0


def delivered_share(seen: Observation) -> float:
    """Share of what was sent that the subscriber with the fewest got; 0 where nothing was sent."""
    sent = int(seen.sent.sum())
    got = [int((seen.first_received_ns(s) > 0).sum()) for s in range(seen.subscribers)]
    return min(got) / sent if sent else 0.0


def held(seen: Observation, duration_s: float, slo_p99_ms: float) -> Held:
    """Judge whether a segment held what was asked of it."""
    sent, slope = sent_share(seen, duration_s), growth(seen)
    confirmed, delivered = confirmed_share(seen), delivered_share(seen)
    samples = latencies(seen)["end_to_end"]
    p99_ms = float(np.quantile(samples, 0.99)) / 1e6 if len(samples) else float("inf")
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
    mean_bytes = float(seen.size_bytes.mean()) if len(seen.size_bytes) else 0.0
    count = len(seen.intended_ns)
    return {
        "throughput": Metric(value=rate, unit="msg/s", better="higher", n=count),
        "throughput_bytes": Metric(
            value=rate * mean_bytes / 1e6, unit="MB/s", better="higher", n=count
        ),
    }
