"""Comparisons between two cells of trials, and those that are refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from spikebench.candidate import Fidelity
from spikebench.measure.outcome import Metric
from spikebench.record.model import Record
from spikebench.record.trials import Trials
from spikebench.stats.comparison import Comparison, compare, not_shown

MARK = "fingerprint"

EMULATED = "an emulator's timings say nothing of the service"


def compare_cells(
    a: Trials, b: Trials, metric: str, delta: float, apart: bool = False
) -> Comparison:
    """Compare two cells on one metric.

    The verdict is ``not shown`` across fidelities, across targets of one run, for timings of an
    emulator, and for a metric that a side lacks or that has no better direction. It is
    ``unresolved`` at best where machines or workloads differ (between the sides, or between the
    trials of one) or the targets of two runs do, whatever the numbers say. ``apart`` is for two
    workloads that were declared to be compared, such as a lever and none: each side's own trials
    must have one all the same.
    """
    reason = refusal(a, b, metric)
    left, right = a.values(metric), b.values(metric)
    better = a.metrics[metric].better if metric in a.metrics else "neither"
    if reason:
        return not_shown(len(left), len(right), delta, better, reason)
    counted = a.metrics[metric].noise_free and b.metrics[metric].noise_free
    return _downgraded(compare(left, right, delta, better, counted), differing(a, b, apart))


def refusal(a: Trials, b: Trials, metric: str) -> str:
    """Why two cells may not be compared on a metric; empty where they may."""
    if a.fidelity != b.fidelity:
        return f"no verdict across fidelities: {a.fidelity} and {b.fidelity}"
    if a.target != b.target and a.first.run_id == b.first.run_id:
        return f"no verdict across targets of one run: {a.target} and {b.target}"
    for cell in (a, b):
        if not cell.values(metric):
            return f"{cell.candidate} has no {metric}"
    if a.metrics[metric].unit != b.metrics[metric].unit:
        return f"{metric} is in {a.metrics[metric].unit} here and {b.metrics[metric].unit} there"
    if a.metrics[metric].better == "neither":
        return f"{metric} has no better direction"
    return _emulated(a.fidelity, a.metrics[metric])


def _emulated(fidelity: Fidelity, metric: Metric) -> str:
    return EMULATED if fidelity == "emulator" and not metric.noise_free else ""


def _downgraded(found: Comparison, difference: str) -> Comparison:
    if not difference:
        return found
    return replace(
        found,
        verdict="unresolved",
        reason=difference,
        p_different=None,
        p_not_equivalent=None,
        settles_at=None,
    )


def differing(a: Trials, b: Trials, apart: bool = False) -> str:
    """Name what differs beside the candidate, over all valid trials of both; empty if nothing.

    ``apart`` is whether the sides may differ in their workload.
    """
    found = {
        "targets": "" if a.target == b.target else f"{a.target} and {b.target}",
        "machines": _machines([*a.machines.items(), *b.machines.items()]),
        "workloads": _workloads(a, b, apart),
    }
    return "; ".join(f"the {what} differ: {how}" for what, how in found.items() if how)


def _workloads(a: Trials, b: Trials, apart: bool) -> str:
    sides = (a.workloads, b.workloads) if apart else (a.workloads | b.workloads,)
    return "; ".join(filter(None, (_listed(sorted(side)) for side in sides)))


def _machines(found: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    machines = dict(found)
    if len(machines) < 2:
        return ""
    names = sorted({name for machine in machines.values() for name in machine} - {MARK})
    shown = {
        name: _listed(dict.fromkeys(_shown(m, name) for m in machines.values())) for name in names
    }
    told = [f"{name} {values}" for name, values in shown.items() if values]
    return ", ".join(told) or f"{MARK} {_listed(dict.fromkeys(machines))}"


def _listed(values: Collection[str]) -> str:
    """Several values in words; empty where there are not several."""
    return " and ".join(values) if len(values) > 1 else ""


def _shown(environment: Mapping[str, Any], name: str) -> str:
    return str(environment.get(name, "unknown"))


def fingerprint(record: Record) -> str:
    """The machine's fingerprint as recorded; empty where there is none."""
    return str(record.environment.get(MARK, ""))
