"""A must-have of what happens when something breaks, held against the trials of that fault.

What must hold then, must hold each time: one trial that does not is enough to be out, and the worst
trial is what a bound is held against. That it holds is shown by 6 trials: after n of them without
a failure, up to 1 - 0.05^(1/n) of such faults may still end otherwise (95 %, C. J. Clopper and
E. S. Pearson, Biometrika 26, 1934), which is 95 % of them after one, and 39 % after 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from spikebench.decision.model import MustHave
from spikebench.record.trials import Trials
from spikebench.report.column import figure
from spikebench.report.faults import STARTED_BY_HAND, Fault
from spikebench.report.requirement import Clause, unless_void, untried
from spikebench.stats.comparison import FEWEST_TRIALS

EMULATED_FAULT = "what an emulator does when something breaks says nothing of the service"


def each_time(clause: Clause, cell: Trials) -> Clause:
    """Return a clause as it stands where something broke, with what else a reader must know.

    An emulator shows nothing either way. What is met by fewer than 6 trials is not shown. Messages
    that were rejected, and a broker that had to be started by hand, are told beside it.
    """
    if cell.fidelity == "emulator":
        return Clause("not shown", EMULATED_FAULT)
    if not cell.valid:
        return clause
    judged = unless_void(_of_enough(clause, len(cell.valid)), cell)
    return replace(judged, reason="; ".join([judged.reason, *_besides(cell)]))


def _of_enough(clause: Clause, trials: int) -> Clause:
    if clause.outcome == "not met":
        over = f"over {trials} trial{'s' if trials > 1 else ''}"
        return replace(clause, reason=f"{clause.reason}, {over}")
    if clause.outcome == "not shown":
        return clause
    if trials < FEWEST_TRIALS:
        held = f"held in {trials} of {trials} trials, and it takes {FEWEST_TRIALS}"
        return Clause("not shown", f"{clause.reason}, {held}")
    return replace(clause, reason=f"{clause.reason}, in each of {trials} trials")


def worst(asked: MustHave, metric: str, cell: Trials) -> Clause:
    """Hold a bound against the worst trial of a fault.

    A trial in which the metric is not known, such as one that had not recovered when it ended,
    leaves it not shown, unless another is beyond the bound.
    """
    had = cell.metrics.get(metric)
    if not cell.valid:
        return untried(cell)
    if had is None:
        return Clause("not shown", f"{metric} was not measured")
    if asked.unit and had.unit != asked.unit:
        return Clause("not shown", f"{metric} is in {had.unit}, the bound in {asked.unit}")
    values = cell.values(metric)
    found = _placed(asked, metric, values, had.unit) if values else None
    if found is None or (found.outcome == "met" and len(values) < len(cell.valid)):
        unknown, trials = len(cell.valid) - len(values), len(cell.valid)
        why = next(filter(None, _withheld(metric, cell)), "not measured")
        return Clause("not shown", f"{metric} is not known of {unknown} of {trials} trials: {why}")
    return found


def _withheld(metric: str, cell: Trials) -> Iterator[str]:
    had = (trial.metrics.get(metric) for trial in cell.valid)
    return (one.note for one in had if one is not None and one.value is None)


def _placed(asked: MustHave, metric: str, values: list[float], unit: str) -> Clause:
    if asked.at_most is not None:
        seen, bound, required = max(values), asked.at_most, "at most"
        beyond = seen > bound
    else:
        assert asked.at_least is not None, "the model asks for one bound"
        seen, bound, required = min(values), asked.at_least, "at least"
        beyond = seen < bound
    said = f"{metric} {figure(seen)} in the worst trial, required is {required} {figure(bound)}"
    return Clause("not met" if beyond else "met", f"{said} {unit}")


def _besides(cell: Trials) -> Iterator[str]:
    """What is neither a loss nor a time, and yet no service as usual."""
    fault = Fault(cell)
    if rejected := fault.rejected:
        told = f"the producer is told ({cell.metrics['rejected'].note})"
        messages = f"{rejected:,} message{'s' if rejected > 1 else ''}"
        yield (
            f"{messages} rejected, which is no loss after confirm: {told}, and would have to send "
            f"{'them' if rejected > 1 else 'it'} again"
        )
    if fault.restarts:
        yield STARTED_BY_HAND
