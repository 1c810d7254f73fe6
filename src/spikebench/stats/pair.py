"""Comparisons between two cells of trials, and those that are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spikebench.candidate import Fidelity
from spikebench.record.model import Record
from spikebench.record.trials import Trials
from spikebench.stats.comparison import Comparison, compare, not_shown

COUNTED = "messages"
"""Unit of a metric that is counted rather than timed."""

MARK = "fingerprint"

EMULATED = "an emulator's timings say nothing of the service"


def compare_cells(a: Trials, b: Trials, metric: str, delta: float) -> Comparison:
    """Compare two cells on one metric.

    The verdict is ``not shown`` across fidelities, for timings of an emulator, and for a metric
    that a side lacks or that has no better direction; it is ``unresolved`` at best where the
    machines differ, whatever the numbers say.
    """
    reason = refusal(a, b, metric)
    left, right = a.values(metric), b.values(metric)
    better = a.metrics[metric].better if metric in a.metrics else "neither"
    if reason:
        return not_shown(len(left), len(right), delta, better, reason)
    return _downgraded(compare(left, right, delta, better), differing(a, b))


def refusal(a: Trials, b: Trials, metric: str) -> str:
    """Why two cells may not be compared on a metric; empty where they may."""
    if a.fidelity != b.fidelity:
        return f"no verdict across fidelities: {a.fidelity} and {b.fidelity}"
    for cell in (a, b):
        if not cell.values(metric):
            return f"{cell.candidate} has no {metric}"
    if a.metrics[metric].unit != b.metrics[metric].unit:
        return f"{metric} is in {a.metrics[metric].unit} here and {b.metrics[metric].unit} there"
    if a.metrics[metric].better == "neither":
        return f"{metric} has no better direction"
    return _emulated(a.fidelity, a.metrics[metric].unit)


def _emulated(fidelity: Fidelity, unit: str) -> str:
    return EMULATED if fidelity == "emulator" and unit != COUNTED else ""


def _downgraded(found: Comparison, machines: str) -> Comparison:
    if not machines:
        return found
    return replace(
        found,
        verdict="unresolved",
        reason=f"the machines differ: {machines}",
        p_different=None,
        p_not_equivalent=None,
        settles_at=None,
    )


def differing(a: Trials, b: Trials) -> str:
    """Name what differs between the machines of two cells; empty where they are of a kind."""
    here, there = a.first.environment, b.first.environment
    if fingerprint(a.first) == fingerprint(b.first) != "" or here == there:
        return ""
    names = [n for n in sorted({*here, *there} - {MARK}) if here.get(n) != there.get(n)]
    return ", ".join(f"{n} {_shown(here, n)} and {_shown(there, n)}" for n in names or [MARK])


def fingerprint(record: Record) -> str:
    """The machine's fingerprint as recorded; empty where there is none."""
    return str(record.environment.get(MARK, ""))


def _shown(environment: Mapping[str, Any], name: str) -> str:
    return str(environment.get(name, "unknown"))
