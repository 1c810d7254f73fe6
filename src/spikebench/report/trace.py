"""What is drawn of a fault over time: one trial's bins, its fault, and when that was over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import inf, nan

from spikebench.measure.outcome import AWAY, STARTING, Event
from spikebench.measure.series import WIDTHS_S
from spikebench.record.model import Record
from spikebench.report.faults import Fault

RATES = ("sent_per_s", "confirmed_per_s", "delivered_per_s")


@dataclass(frozen=True)
class Trace:
    """One trial of a fault. Times are in s from the first intended send."""

    fault: Fault
    trial: Record

    @cached_property
    def edges(self) -> list[float]:
        """Where the bins begin, and where the last one ends."""
        t = self.trial.series["t"]
        return [*t, t[-1] + (t[1] - t[0] if len(t) > 1 else WIDTHS_S[0])]

    @property
    def rates(self) -> dict[str, list[float]]:
        """Messages a second in each bin, by name; those that were asked for."""
        had = {name: self.trial.series.get(name, []) for name in RATES}
        return {name: each for name, each in had.items() if len(each) == len(self.edges) - 1}

    @property
    def waits_ms(self) -> list[float]:
        """The longest wait of the messages due in each bin; NaN where none of them came."""
        series = self.trial.series
        had = dict(zip(series.get("due_t", ()), series.get("end_to_end_max_ms", ()), strict=False))
        return [had.get(at, nan) for at in self.edges[:-1]]

    @property
    def gone_s(self) -> list[float]:
        """The middles of the bins in which messages were due that never came."""
        middles = [(begins + ends) / 2 for begins, ends in pairwise(self.edges)]
        counts = self.trial.series.get("undelivered", ())
        return [at for at, count in zip(middles, counts, strict=False) if count]

    @property
    def broken(self) -> Event | None:
        """The fault itself, without what followed from it."""
        return next((event for event in self.trial.events if is_fault(event)), None)

    @property
    def recovery_s(self) -> float:
        """From the fault until nothing came late any more; infinity where it had not recovered."""
        return recovery_s(self.trial)

    @property
    def over_s(self) -> float | None:
        """When it had recovered; None where it had not, or nothing came late."""
        took_s = self.recovery_s
        return self.broken.began_s + took_s if self.broken and 0 < took_s < inf else None


def traced(fault: Fault) -> Trace | None:
    """Of the trials that count and have a series, the one that took longest to recover, or None."""
    longest = max(filter(_has_series, fault.cell.valid), key=recovery_s, default=None)
    return None if longest is None else Trace(fault, longest)


def is_fault(event: Event) -> bool:
    """Whether an event is a fault, and not what followed from it."""
    return event.what not in (STARTING, AWAY)


def recovery_s(trial: Record) -> float:
    """A trial's time to recover; infinity where it had not."""
    found = trial.metrics.get("recovery_s")
    return inf if found is None or found.value is None else found.value


def _has_series(trial: Record) -> bool:
    needed = ("t", "sent_per_s", "delivered_per_s")
    lengths = {len(trial.series.get(name, ())) for name in needed}
    return len(lengths) == 1 and 0 not in lengths
