"""Must-haves held against an option's rows: met, not met, or not shown, with the row's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from spikebench.decision.evidence import EMULATED_COUNT, is_fault
from spikebench.decision.fault import each_time, worst
from spikebench.decision.model import MustHave, Option
from spikebench.report.column import figure
from spikebench.report.requirement import (
    Clause,
    Outcome,
    at_least,
    at_most,
    judgement,
    unless_void,
    untried,
)
from spikebench.report.table import Row
from spikebench.stats.pair import EMULATED


@dataclass(frozen=True)
class Held:
    """A must-have's outcome for an option: by which ``row`` (None where there is none), and why.

    ``rows`` are all that were held against it.
    """

    option: Option
    asked: MustHave
    outcome: Outcome
    reason: str
    row: Row | None = None
    rows: tuple[Row, ...] = ()


def hold(option: Option, asked: MustHave, rows: Sequence[Row]) -> Held:
    """Hold an option against a must-have: all its rows have to, and the worst of them is shown.

    A bound is met or not met where the 95 % interval lies on one side of it, and with a fault by
    each trial (see ``fault``). An emulator's timing is not shown, and what it counted can count
    against an option but not for it. What no row of the run speaks of is not shown either.
    """
    if option.candidate is None:
        return Held(option, asked, "not shown", "it is not measured by this spike")
    if not rows:
        return Held(option, asked, "not shown", "no such row in this run")
    found = [_of_row(option, asked, row) for row in rows]
    order: list[Outcome] = ["not met", "not shown", "met"]
    decided = min(found, key=lambda one: order.index(one.outcome))
    return replace(decided, rows=tuple(rows))


def _of_row(option: Option, asked: MustHave, row: Row) -> Held:
    clause = _with_a_fault(asked, row) if is_fault(row) else _undisturbed(asked, row)
    return Held(option, asked, clause.outcome, clause.reason, row)


def _undisturbed(asked: MustHave, row: Row) -> Clause:
    found = _required(row) if asked.metric is None else _bound(asked, asked.metric, row)
    if found.outcome == "met" and row.cell.fidelity == "emulator":
        return Clause("not shown", f"{found.reason}; but {EMULATED_COUNT}")
    return found


def _with_a_fault(asked: MustHave, row: Row) -> Clause:
    of_trials = _required(row) if asked.metric is None else worst(asked, asked.metric, row.cell)
    return each_time(of_trials, row.cell)


def _required(row: Row) -> Clause:
    if row.judgement is None:
        return Clause("not shown", "its scenario requires nothing")
    clauses = (clause.reason for clause in row.judgement.clauses)
    said = "; ".join(row.judgement.reasons or dict.fromkeys(clauses))
    return Clause(row.judgement.outcome, said)


def _bound(asked: MustHave, metric: str, row: Row) -> Clause:
    cell = row.cell
    if not cell.valid:
        return untried(cell)
    had = cell.metrics.get(metric)
    if cell.fidelity == "emulator" and not (had is not None and had.noise_free):
        return Clause("not shown", EMULATED)
    if had is None:
        return Clause("not shown", f"{metric} was not measured")
    if asked.unit and had.unit != asked.unit:
        return Clause("not shown", f"{metric} is in {had.unit}, the bound in {asked.unit}")
    if asked.at_most is not None:
        said = f"{figure(asked.at_most)} {had.unit}"
        return unless_void(at_most(metric, asked.at_most, said, cell), cell)
    assert asked.at_least is not None, "the model asks for one bound"
    said = f"at least {figure(asked.at_least)} {had.unit}"
    return unless_void(at_least(metric, asked.at_least, said, cell), cell)


def together(found: Sequence[Held]) -> Outcome:
    """What an option's must-haves come to: one that is not met decides; else one not shown."""
    return judgement(Clause(one.outcome, one.reason) for one in found).outcome
