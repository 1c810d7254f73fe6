"""One trial in a sandbox: a forced cold start, then warm invokes, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from spikebench.measure.latency import samples_needed
from spikebench.measure.outcome import Metric, Outcome, Resources
from spikes.serverless.exchange import Exchange
from spikes.serverless.sandbox.cold import (
    Chiller,
    Deployed,
    Setting,
    cold_start_ms,
    refuse_warm,
)
from spikes.serverless.sandbox.invoke import Call, Failed, Invoke, Invoker, Void
from spikes.serverless.sandbox.report_line import Report
from spikes.serverless.warm import invokes_until_warm

LEAST_FOR_MEDIAN = 10
NOT_VISIBLE = "not visible from outside"
AGAIN = "init failed ({status} after {after:.0f} ms) and was run again in the first invoke"


@dataclass(frozen=True)
class Trials:
    """Runs trials of functions that are deployed, one after the other."""

    chiller: Chiller
    invoker: Invoker

    def run(self, function: Deployed, setting: Setting, exchange: Exchange, mark: str) -> Outcome:
        """Run one trial; ``mark`` is its own and no other's.

        What AWS or the function refuses is in the outcome: ``void`` where it was throttled, was
        warm or can't be read, ``failed`` with the error else. Raises BudgetSpent, with nothing left
        running.
        """
        try:
            with self.chiller.cold(function, setting, mark, self.invoker) as qualifier:
                call = _call(function, setting, exchange, qualifier)
                first = self.invoker.invoke(call, cold=True)
                refuse_warm(first, setting.snapstart)
                later = [self.invoker.invoke(call, cold=False) for _ in range(setting.warm_invokes)]
        except Void as error:
            return Outcome(status="void", reason=str(error), limit="target")
        except Failed as error:
            return Outcome(status="failed", reason=str(error))
        return _outcome(first, later)


def _call(function: Deployed, setting: Setting, exchange: Exchange, qualifier: str) -> Call:
    return Call(
        function=function.name,
        qualifier=qualifier,
        memory_mb=setting.memory_mb,
        architecture=function.upload.architecture,
        timeout_s=function.timeout_s,
        event=exchange.event,
        expected=exchange.expected,
    )


def _outcome(first: Invoke, later: Sequence[Invoke]) -> Outcome:
    peak_mb = max(seen.report.peak_memory_mb for seen in (first, *later))
    return Outcome(
        status="valid",
        metrics={
            **cold_metrics(first),
            **warm_metrics(first, later),
            "peak_memory": Metric(value=peak_mb, unit="MB", better="lower", n=1 + len(later)),
        },
        resources=Resources(peak_rss=peak_mb * 2**20),
        series={
            "t": [(seen.sent_ns - first.sent_ns) / 1e9 for seen in (first, *later)],
            "invoke_ms": [seen.report.duration_ms for seen in (first, *later)],
        },
    )


def cold_metrics(first: Invoke) -> dict[str, Metric]:
    """Return the phases of a cold start in ms, each as Lambda reports it.

    ``init`` is withheld where a snapshot was restored instead (``restore``, of which
    ``billed_restore`` is charged), ``init`` and ``first_invoke`` where init failed and ran again
    within the invoke: only their sum is known. ``round_trip`` is the caller's own wait on a
    connection that was open.
    """
    report = first.report
    again = _again(first)
    restored = "restored from a snapshot: see restore" if report.restore_ms is not None else ""
    return {
        "runtime_up": _ms(None, NOT_VISIBLE),
        "init": _ms(report.init_ms, restored or again),
        **(_restored(report) if restored else {}),
        "first_invoke": _ms(None if again else report.duration_ms, again),
        "cold_start": _ms(cold_start_ms(report)),
        "round_trip": _ms(first.round_trip_ms),
        "billed": _ms(report.billed_ms),
    }


def _restored(report: Report) -> dict[str, Metric]:
    billed = _ms(report.billed_restore_ms, "its REPORT line has no Billed Restore Duration")
    return {"restore": _ms(report.restore_ms), "billed_restore": billed}


def warm_metrics(first: Invoke, later: Sequence[Invoke]) -> dict[str, Metric]:
    """Return the warm Duration's percentiles, and what a call takes besides it, in ms.

    Warm is what it is locally: see ``invokes_until_warm``. ``warm_overhead`` is the median of
    caller's wait less Duration, after the first invoke: network and Lambda's front. ``unreported``
    is what the cold one took beyond that and beyond what Lambda reports: finding a place and
    fetching the package. All are withheld where one of the later invokes was cold itself.
    """
    durations = [seen.report.duration_ms for seen in (first, *later)]
    until, why = invokes_until_warm(durations)
    if cold := sum(seen.report.start_ms is not None for seen in later):
        until, why = None, f"{cold} of {len(later)} invokes meant to be warm were cold"
    warm = durations[until:] if until is not None else []
    overhead = _overhead(later) if not cold else None
    rest = None if overhead is None else first.overhead_ms - _started_ms(first) - overhead
    few = why if cold else f"{len(later)} invokes, {samples_needed(0.5)} needed"
    return {
        "warm_p50": _percentile(warm, 0.5, LEAST_FOR_MEDIAN, why),
        "warm_p99": _percentile(warm, 0.99, samples_needed(0.99), why),
        "invokes_until_warm": Metric(
            value=until, unit="invokes", better="lower", n=len(durations), note=why
        ),
        "warm_overhead": _ms(overhead, few, len(later)),
        "unreported": _ms(rest, few, len(later)),
    }


def _started_ms(first: Invoke) -> float:
    return cold_start_ms(first.report) - first.report.duration_ms


def _overhead(later: Sequence[Invoke]) -> float | None:
    if len(later) < samples_needed(0.5):
        return None
    return median(seen.overhead_ms for seen in later)


def _percentile(durations_ms: Sequence[float], q: float, needed: int, why: str) -> Metric:
    if why or len(durations_ms) < needed:
        few = why or f"{len(durations_ms)} warm invokes, {needed} are needed"
        return _ms(None, few, len(durations_ms))
    return _ms(float(np.quantile(durations_ms, q)), n=len(durations_ms))


def _again(first: Invoke) -> str:
    failed = first.report.failed_init
    if failed is None or first.report.start_ms is not None:
        return ""
    return AGAIN.format(status=failed.status, after=failed.duration_ms)


def _ms(value: float | None, note: str = "", n: int = 1) -> Metric:
    return Metric(value=value, unit="ms", better="lower", n=n, note=note if value is None else "")
