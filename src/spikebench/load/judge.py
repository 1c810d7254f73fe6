"""From one observed segment to a trial's outcome: metrics, ledger, limit, whether it counts."""

from __future__ import annotations

from collections.abc import Mapping

from spikebench.load.bench import Bench
from spikebench.measure.latency import Spread, latency_metrics, negative, spreads
from spikebench.measure.ledger import account
from spikebench.measure.limit import limit_of, load_of
from spikebench.measure.observation import Observation, Usage
from spikebench.measure.outcome import Metric, Outcome, Resources
from spikebench.measure.rates import Held, held, rate_metrics

LATE_SHARE = 0.5
"""Share of end-to-end p99 above which the generator's own lateness (p99) voids a trial."""

LATE_FLOOR_MS = 1.0
"""Lateness below this never voids a trial: it is the timer's own."""


def judged(
    bench: Bench, seen: Observation, duration_s: float, extra: dict[str, Metric] | None = None
) -> Outcome:
    """Turn a measured segment of ``duration_s`` seconds into a trial's outcome."""
    verdict, found = held(seen, duration_s, float("inf")), spreads(seen)
    rates = rate_metrics(seen, duration_s)
    metrics = {
        **rates,
        **latency_metrics(found),
        **_cpu_metrics(seen),
        **_call_metrics(seen),
        **(extra or {}),
    }
    late = "" if bench.server is None else _lateness(metrics)
    reason = _void_reason(found, verdict) or late
    share = load_of(seen.busy or seen.usage, bench.cores.server, bench.cores.load)
    rate = rates["throughput"].value or 0.0
    return Outcome(
        status="failed" if seen.error else "void" if reason else "valid",
        reason=seen.error or reason,
        limit="client"
        if reason and reason == late
        else limit_of(share, verdict.rate and verdict.flat, rate, bench.ceiling),
        metrics=metrics,
        quantiles={name: dict(spread.quantiles) for name, spread in found.items()},
        ledger=account(seen, bench.scenario.promise.ordering),
        resources=resources(seen.usage, bench),
    )


def resources(usage: Usage, bench: Bench) -> Resources:
    """Put what was used into a record's form."""
    return Resources(
        candidate_cpu_s=usage.server_cpu_s,
        client_cpu_s=usage.client_cpu_s,
        peak_rss=usage.server_peak_rss,
        client_peak_rss=usage.client_peak_rss,
        startup_s=bench.server.startup_s if bench.server else None,
    )


def _cpu_metrics(seen: Observation) -> dict[str, Metric]:
    sent = int(seen.sent.sum())
    sides = {
        "broker_cpu_per_million": seen.usage.server_cpu_s,
        "client_cpu_per_million": seen.usage.client_cpu_s,
    }
    return {name: _per_million(cpu_s, sent) for name, cpu_s in sides.items()}


def _call_metrics(seen: Observation) -> dict[str, Metric]:
    """Calls that the candidate answered while the segment was sent and drained, by operation."""
    sent = int(seen.sent.sum())
    return {
        f"calls_{name}": Metric(value=count, unit="calls", n=sent)
        for name, count in sorted(seen.calls.items())
    }


def _per_million(cpu_s: float | None, messages: int) -> Metric:
    if cpu_s is None or not messages:
        return Metric(value=None, unit="s", better="lower", note="not visible from here")
    return Metric(value=cpu_s / messages * 1e6, unit="s", better="lower", n=messages)


def _void_reason(found: Mapping[str, Spread], verdict: Held) -> str:
    """Say why a trial may not count, or nothing where it may."""
    if not (verdict.rate and verdict.confirmed and verdict.flat):
        return verdict.reason  # what was confirmed and not delivered is a loss, and counts
    if backwards := negative(found):
        return f"{backwards} latencies below zero: the clocks disagree"
    return ""


def _lateness(metrics: dict[str, Metric]) -> str:
    """Say how late the generator itself was, where that is too much of what was measured."""
    late, response = metrics["lateness_p99"].value, metrics["end_to_end_p99"].value
    if late is None or response is None or late < LATE_FLOOR_MS or late <= LATE_SHARE * response:
        return ""
    return f"the generator was late: p99 {late:.1f} ms of {response:.1f} ms end to end"
