"""What a workload of messages requires, held against what a broker showed."""

from __future__ import annotations

from collections.abc import Iterator

from spikebench.candidate import Capabilities, Ordering
from spikebench.record.trials import Trials
from spikebench.report.column import figure
from spikebench.report.requirement import (
    Clause,
    Headroom,
    Judgement,
    Outcome,
    at_least,
    at_most,
    judgement,
    unless_void,
    untried,
)
from spikebench.scenario.messages import Requires
from spikebench.stats import interval
from spikebench.stats.comparison import FEWEST_TRIALS
from spikebench.stats.pair import EMULATED

ACHIEVED = 0.95
"""Share of the required rate at which a valid trial has shown it.

Such a trial sent 99 % of what it was asked for with a flat backlog; its throughput also counts the
time until the last message had arrived, which takes a little off.
"""

STRENGTH: dict[Ordering, int] = {"none": 0, "key": 1, "queue": 2}


def judge(requires: Requires, cell: Trials, promised: Capabilities | None = None) -> Judgement:
    """Hold a cell's valid trials against what its scenario requires.

    One clause that is not met decides; else one that is not shown. ``promised`` is what the
    candidate declares: an ordering it does not promise is not met, whatever a trial saw. A bound is
    met or not met where the 95 % interval lies on one side of it. Where trials are void, those that
    are left were chosen by their success: what they held is not shown, but for trials that the load
    generator spoilt and that were measured again. An emulator's timings show
    nothing; a message it lost does.
    """
    if not requires.model_dump(exclude_none=True):
        return Judgement("met")
    clauses = _clauses(requires, cell, promised)
    return judgement(clauses, _headroom_seen(requires, cell))


def _clauses(requires: Requires, cell: Trials, promised: Capabilities | None) -> Iterator[Clause]:
    if requires.ordering not in (None, "none"):
        yield _ordering(requires.ordering or "none", cell, promised)
    if requires.lost is not None and (cell.valid or cell.total("lost", voided=True)):
        yield _lost(requires.lost, cell)
    if not cell.valid:
        yield untried(cell)
        return
    for clause in _timed(requires, cell):
        yield unless_void(clause, cell)


def _timed(requires: Requires, cell: Trials) -> Iterator[Clause]:
    asked = (requires.rate_per_s, requires.end_to_end_p99_ms, requires.publish_p99_ms)
    if cell.fidelity == "emulator" and any((*asked, requires.headroom)):
        yield Clause("not shown", EMULATED)
        return
    if requires.rate_per_s is not None:
        yield _rate(requires.rate_per_s, cell)
    if requires.end_to_end_p99_ms is not None:
        yield _in_ms("end_to_end_p99", requires.end_to_end_p99_ms, cell)
    if requires.publish_p99_ms is not None:
        yield _in_ms("publish_p99", requires.publish_p99_ms, cell)
    if requires.headroom is not None:
        yield _headroom(requires.headroom, requires, cell)


def _in_ms(metric: str, limit_ms: float, cell: Trials) -> Clause:
    return at_most(metric, limit_ms, f"{limit_ms:,g} ms", cell)


def _ordering(asked: Ordering, cell: Trials, promised: Capabilities | None) -> Clause:
    reordered = (cell.total("reordered") or 0) + (cell.total("reordered", voided=True) or 0)
    if promised is not None and STRENGTH[promised.ordering] < STRENGTH[asked]:
        return Clause(
            "not met", f"promises order {_per(promised.ordering)}, {_per(asked)} is required"
        )
    if reordered:
        return Clause("not met", f"{reordered:,} messages out of order")
    if promised is None:
        return Clause("not shown", "what order it promises is not known here")
    return Clause("met", f"order {_per(asked)} promised and seen")


def _per(ordering: Ordering) -> str:
    return {"none": "for nothing", "key": "per key", "queue": "per queue"}[ordering]


def _lost(allowed: int, cell: Trials) -> Clause:
    """A loss is one in a void trial too; the harness's own failures are left out of both."""
    counted, void = cell.total("lost"), cell.total("lost", voided=True) or 0
    if counted is None and not void:
        return Clause("not shown", "messages were not accounted for")
    lost = (counted or 0) + void
    outcome: Outcome = "met" if lost <= allowed else "not met"
    where = f", {void:,} of them in void trials" if void else ""
    return Clause(outcome, f"{lost:,} confirmed messages lost{where}, {allowed:,} allowed")


def _rate(asked: float, cell: Trials) -> Clause:
    said = f"{asked:,.0f} msg/s"
    if cell.values("capacity"):
        return at_least("capacity", asked, said, cell)
    rates = cell.values("throughput")
    if len(rates) < FEWEST_TRIALS:
        return Clause("not shown", "throughput: too few trials")
    rate = interval(rates).median
    outcome: Outcome = "met" if rate >= asked * ACHIEVED else "not shown"
    return Clause(outcome, f"measured at {figure(rate)} msg/s, required is {said}")


def _headroom(asked: float, requires: Requires, cell: Trials) -> Clause:
    if _searched_once(cell):
        return _headroom_once(asked, cell)
    if cell.values("headroom"):
        return at_least("headroom", asked, f"{asked:g}×", cell)
    if requires.rate_per_s is None or not cell.values("capacity"):
        return Clause("not shown", f"headroom: {_why_no_headroom(cell)}")
    return at_least("capacity", asked * requires.rate_per_s, f"{asked:g}× the rate", cell)


def _searched_once(cell: Trials) -> bool:
    """Whether headroom is of a single search, which the trials after it repeat."""
    metric = cell.metrics.get("headroom")
    return metric is not None and metric.value is not None and metric.n == 1


def _why_no_headroom(cell: Trials) -> str:
    metric = cell.metrics.get("headroom")
    return (metric.note if metric else "") or "capacity was not measured"


def _headroom_once(asked: float, cell: Trials) -> Clause:
    """Judge by the rates of one search: that held at or above what is asked, or failed below it."""
    held, failed = cell.values("headroom"), cell.values("headroom_failed")
    said = f"in one search for capacity, required is {asked:g}×"
    if min(held) >= asked:
        return Clause("met", f"{figure(min(held))}× held {said}")
    if not failed:
        return Clause("not shown", f"{figure(min(held))}× held and nothing higher was tried {said}")
    if max(failed) <= asked:
        return Clause("not met", f"{figure(max(failed))}× failed {said}")
    between = f"between {figure(min(held))}× and {figure(max(failed))}×"
    return Clause("not shown", f"{between}: the search is no finer; required is {asked:g}×")


def _headroom_seen(requires: Requires, cell: Trials) -> Headroom | None:
    if cell.fidelity == "emulator":
        return None
    if _searched_once(cell):
        failed = max(cell.values("headroom_failed"), default=None)
        return Headroom(min(cell.values("headroom")), failed)
    if cell.values("headroom"):
        return Headroom(interval(cell.values("headroom")).median, exact=True)
    if requires.rate_per_s is None or not cell.values("capacity"):
        return None
    return Headroom(interval(cell.values("capacity")).median / requires.rate_per_s, exact=True)
