"""One trial of a cold start: a fresh process, its phases, and its invokes until it is warm.

Clock: ``time.monotonic_ns``, one for every process of the machine.

    start        stamped by the new process itself, right before it executes the command
      runtime_up
    mark         the first byte on the pipe ``SPIKEBENCH_MARK``
      init
    next         the first call for an event has arrived
      turn_around    ours: of no phase; it is checked, and a metric of its own
    event        about to be written
      first_invoke
    response     its last byte has arrived

``cold_start`` is response − start: the three phases and the turn-around, to the nanosecond. What
error remains is told in ``runtime_api`` (stamps are late by our waking up: tens of microseconds,
more where our processor is taken) and in ``starter`` (0.2 ms of ours lie between the start and the
command). Our garbage collector rests meanwhile, and we keep off the function's
processors where there are others.
"""

from __future__ import annotations

import numpy as np

from spikebench.measure.latency import samples_needed
from spikebench.measure.outcome import Better, Metric, Outcome, Resources
from spikes.serverless.box import Box
from spikes.serverless.function import Function
from spikes.serverless.group import PERIOD_US
from spikes.serverless.trial import Seen, Timeouts, Trial
from spikes.serverless.warm import invokes_until_warm

LAMBDA_INIT_S = 10.0
"""What Lambda gives to the init phase; after it, it starts the function again within the first
invoke (AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle")."""

SERIES_INVOKES = 1_000
MIB = 1024 * 1024
"""Lambda's MB."""

_LEAST_FOR_MEDIAN = 10
_NO_MARK = "the mark never came: where the runtime was up cannot be told"
_LATE_MARK = "the mark came after the first call for an event"


def measure(
    function: Function,
    event: bytes,
    expected: object,
    box: Box,
    *,
    invokes: int = 1,
    timeouts: Timeouts | None = None,
) -> Outcome:
    """Start ``function`` once, have it answer ``invokes`` events (the first included), and end it.

    Every answer must be the JSON value ``expected``. A trial that failed, or whose start was not
    cold, is an outcome of that status, with the reason and the metrics it got to. Times are ms, but
    CPU in seconds; memory and package are MB of 2**20 bytes. ``series`` has the first 1,000
    invokes: ``invoke_ms``, and ``t``, when each event was written, in seconds from the start.
    Raises ValueError where ``invokes`` is below 1.
    """
    if invokes < 1:
        raise ValueError(f"invokes is {invokes}; the first invoke is part of a cold start")
    trial = Trial(function, event, expected, box, timeouts or Timeouts())
    status, reason = trial.run(invokes)
    seen = trial.seen
    return Outcome(
        status=status,
        reason=reason,
        limit="client" if seen.spoilt else "unknown",
        metrics={
            **_phases(seen),
            **_warmth(seen),
            **_resources(seen, box),
            "classes_loaded": _classes(function, seen),
            "package_size": _number(
                function.package_bytes / MIB, "MB", "lower", n=1, noise_free=True
            ),
        },
        resources=Resources(
            candidate_cpu_s=seen.cpu_s,
            peak_rss=seen.peak_bytes,
            startup_s=_seconds(seen.start_ns, seen.next_ns),
        ),
        series=_series(seen),
    )


def _phases(seen: Seen) -> dict[str, Metric]:
    written_ns = seen.written_ns[0] if seen.written_ns else None
    answered_ns = None if written_ns is None else written_ns + seen.invoke_ns[0]
    return {
        **_set_up(seen),
        "cold_start": _span(seen.start_ns, answered_ns),
        **_until_next(seen),
        "turn_around": _span(seen.next_ns, written_ns, better="neither"),
        "lateness": _lateness(seen),
        "first_invoke": _span(written_ns, answered_ns),
    }


def _set_up(seen: Seen) -> dict[str, Metric]:
    """What an engine took for the container, before the start; nothing where there was none."""
    if seen.set_up_ns is None:
        return {}
    note = "before the start: no part of the cold start"
    return {"container_start": _number(seen.set_up_ns / 1e6, "ms", "neither", note)}


def _lateness(seen: Seen) -> Metric:
    """How long we were ready to stamp and had no processor: stamps are late by no more."""
    late_ms = None if seen.late_ns is None else seen.late_ns / 1e6
    return _number(late_ms, "ms", "neither", "" if seen.late_ns is not None else "not reached")


def _until_next(seen: Seen) -> dict[str, Metric]:
    note = _NO_MARK if seen.mark_ns is None and seen.next_ns is not None else ""
    if seen.mark_ns is not None and seen.next_ns is not None and seen.mark_ns > seen.next_ns:
        note = _LATE_MARK
    if note:
        withheld = Metric(value=None, unit="ms", better="lower", note=note)
        return {"runtime_up": withheld, "init": withheld}
    return {
        "runtime_up": _span(seen.start_ns, seen.mark_ns),
        "init": _span(seen.mark_ns, seen.next_ns, note=_beyond_lambda(seen)),
    }


def _beyond_lambda(seen: Seen) -> str:
    took_s = _seconds(seen.start_ns, seen.next_ns)
    if took_s is None or took_s <= LAMBDA_INIT_S:
        return ""
    return (
        f"{took_s:.1f} s from start to next: beyond {LAMBDA_INIT_S:g} s Lambda starts it again "
        "within the first invoke"
    )


def _warmth(seen: Seen) -> dict[str, Metric]:
    durations_ms = [ns / 1e6 for ns in seen.invoke_ns]
    until, why = invokes_until_warm(durations_ms)
    warm = durations_ms[until:] if until is not None else []
    return {
        "warm_p50": _quantile(warm, 0.5, _LEAST_FOR_MEDIAN, why),
        "warm_p99": _quantile(warm, 0.99, samples_needed(0.99), why),
        "invokes_until_warm": _number(until, "invokes", "lower", why, n=len(durations_ms)),
    }


def _quantile(warm_ms: list[float], q: float, least: int, why: str) -> Metric:
    value = float(np.quantile(warm_ms, q)) if len(warm_ms) >= least else None
    note = why or ("" if value is not None else f"{len(warm_ms)} warm invokes, {least} are needed")
    return Metric(value=value, unit="ms", better="lower", n=len(warm_ms), note=note)


def _resources(seen: Seen, box: Box) -> dict[str, Metric]:
    confined = seen.confinement == "cgroup"
    waited_ms = None if seen.throttled_s is None else seen.throttled_s * 1e3
    return {
        "peak_memory": _megabytes(seen.peak_bytes, "VmHWM, summed over its processes"),
        "peak_memory_group": _megabytes(
            seen.group_peak_bytes, "of the control group: page cache too" if confined else ""
        ),
        "cpu_cold": _number(seen.cpu_cold_s, "s", "lower"),
        "cpu": _number(seen.cpu_s, "s", "lower"),
        "throttled": _number(waited_ms, "ms", "lower", "" if confined else seen.confinement),
        "cpu_share": _share(seen, box),
        "disk_read": _megabytes(
            seen.disk_read_bytes, f"page cache {box.page_cache}: {seen.page_cache or 'not allowed'}"
        ),
    }


def _share(seen: Seen, box: Box) -> Metric:
    """The share that held, in vCPUs, and how; withheld where nothing held the function."""
    if seen.confinement != "cgroup":
        return _number(None, "vCPU", "neither", f"confinement: {seen.confinement}")
    told = f"confinement: cgroup, quota each {PERIOD_US / 1000:g} ms, memory {box.memory_mb} MB"
    parts = [told, box.shortfall()]
    return _number(box.vcpus, "vCPU", "neither", "; ".join(filter(None, parts)), noise_free=True)


def _classes(function: Function, seen: Seen) -> Metric:
    note = ""
    if seen.classes is None:
        none = function.classes_loaded is None
        note = "a runtime without classes" if none else "could not be seen"
    return _number(seen.classes, "classes", "lower", note)


def _series(seen: Seen) -> dict[str, list[float]]:
    if seen.start_ns is None or not seen.invoke_ns:
        return {}
    asked_s = [(at_ns - seen.start_ns) / 1e9 for at_ns in seen.written_ns[:SERIES_INVOKES]]
    return {"invoke_ms": [ns / 1e6 for ns in seen.invoke_ns[:SERIES_INVOKES]], "t": asked_s}


def _span(
    begin_ns: int | None, end_ns: int | None, *, better: Better = "lower", note: str = ""
) -> Metric:
    value = None if begin_ns is None or end_ns is None else (end_ns - begin_ns) / 1e6
    return _number(value, "ms", better, note or ("" if value is not None else "not reached"))


def _megabytes(size_bytes: int | None, note: str) -> Metric:
    return _number(None if size_bytes is None else size_bytes / MIB, "MB", "lower", note)


def _number(
    value: float | None,
    unit: str,
    better: Better,
    note: str = "",
    *,
    n: int | None = None,
    noise_free: bool = False,
) -> Metric:
    return Metric(value=value, unit=unit, better=better, n=n, note=note, noise_free=noise_free)


def _seconds(begin_ns: int | None, end_ns: int | None) -> float | None:
    return None if begin_ns is None or end_ns is None else (end_ns - begin_ns) / 1e9
