"""What the user needs, held against what a cell showed: met, not met, or not shown, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from spikebench.record.trials import Trials
from spikebench.report.column import figure
from spikebench.stats import Interval, interval
from spikebench.stats.comparison import FEWEST_TRIALS

Outcome = Literal["met", "not met", "not shown"]

NO_TRIAL = "no valid trial"


@dataclass(frozen=True)
class Clause:
    """One requirement's outcome, with the figures in its reason.

    ``bound`` is the reason without a metric's interval, for tables that show that beside it.
    """

    outcome: Outcome
    reason: str
    bound: str = ""


@dataclass(frozen=True)
class Headroom:
    """Measured capacity ÷ required rate: the highest that held and the lowest that failed.

    ``failed`` is None where nothing failed; ``exact`` is for a capacity that each trial measured.
    """

    held: float
    failed: float | None = None
    exact: bool = False


@dataclass(frozen=True)
class Judgement:
    """All of a scenario's requirements held against one cell.

    ``headroom`` is None where capacity or the required rate is not known.
    """

    outcome: Outcome
    clauses: tuple[Clause, ...] = ()
    headroom: Headroom | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the outcome is not ``met``: the clauses that decided it."""
        return tuple(dict.fromkeys(clause.reason for clause in self._decided))

    @property
    def bounds(self) -> tuple[str, ...]:
        """The same for a reader who sees the intervals: what was required, not what was held."""
        return tuple(dict.fromkeys(clause.bound or clause.reason for clause in self._decided))

    @property
    def _decided(self) -> list[Clause]:
        return [clause for clause in self.clauses if clause.outcome == self.outcome != "met"]


def judgement(clauses: Iterable[Clause], headroom: Headroom | None = None) -> Judgement:
    """Put clauses together: one that is not met decides; else one that is not shown."""
    clauses = tuple(clauses)
    outcomes = {clause.outcome for clause in clauses}
    decided: Outcome = "met"
    if "not met" in outcomes:
        decided = "not met"
    elif "not shown" in outcomes:
        decided = "not shown"
    return Judgement(decided, clauses, headroom)


def untried(cell: Trials) -> Clause:
    """What a cell without a valid trial comes to, with the reasons of those it has."""
    reasons = "; ".join(cell.reasons) or "no trials"
    return Clause("not shown", f"{NO_TRIAL}: {reasons}")


def unless_void(clause: Clause, cell: Trials) -> Clause:
    """The clause; not shown where it is met by trials that void ones leave chosen by success."""
    if clause.outcome != "met" or not cell.unproven:
        return clause
    ran = len(cell.valid) + cell.void
    return Clause(
        "not shown", f"{cell.unproven} void of {ran} trials: what the others held is no proof"
    )


def at_most(metric: str, limit: float, said: str, cell: Trials) -> Clause:
    """Judge an upper bound by where the 95 % interval lies; ``said`` is the limit with its unit."""
    seen = _seen(metric, cell)
    if seen is None:
        return Clause("not shown", f"{metric}: too few samples or trials")
    return _placed(metric, f"at most {said}", seen, met=seen[1] <= limit, missed=seen[0] > limit)


def at_least(metric: str, limit: float, said: str, cell: Trials) -> Clause:
    """Judge a lower bound by where the 95 % interval lies; ``said`` is the limit with its unit."""
    seen = _seen(metric, cell)
    if seen is None:
        return Clause("not shown", f"{metric}: too few trials")
    return _placed(metric, said, seen, met=seen[0] >= limit, missed=seen[1] < limit)


def _placed(metric: str, said: str, seen: tuple[float, float], met: bool, missed: bool) -> Clause:
    outcome: Outcome = "met" if met else "not met" if missed else "not shown"
    low, high = figure(seen[0]), figure(seen[1])
    shown = low if low == high else f"{low} to {high}"
    return Clause(outcome, f"{metric} {shown}, required is {said}", f"required is {said}")


def _seen(metric: str, cell: Trials) -> tuple[float, float] | None:
    """The 95 % interval of a metric; None with fewer trials than a verdict needs."""
    values = cell.values(metric)
    if len(values) < FEWEST_TRIALS:
        return None
    found: Interval = interval(values)
    return (found.low or 0.0, found.high or 0.0)
