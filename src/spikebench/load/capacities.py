"""Capacities that a run has found, by the cell they are of; they outlive a run that is cut off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from spikebench.cell import Cell
from spikebench.load.bench import Capacity
from spikebench.load.capacity import Found
from spikebench.measure.outcome import Metric, Outcome
from spikebench.record import Record


class Capacities:
    """What searches have found, and where the next capacity trial of a cell is to begin."""

    def __init__(self, earlier: Iterable[Record] = ()) -> None:
        self._found: dict[str, Capacity] = {}
        self._latest: dict[str, float] = {}
        self._near: dict[tuple[str, str, str], float] = {}
        for record in earlier:
            known = _recorded(record)
            if known is not None:
                self._found[record.cell] = known
                self._near[record.candidate, record.client, record.target] = known.rate_per_s

    def find(self, cell: Cell) -> Capacity | None:
        """Return what the search for a cell's workload found, None before there was one."""
        return self._found.get(searching(cell).key)

    def keep(self, cell: Cell, found: Found) -> Capacity:
        """Keep what the search for a cell's workload found, and return it."""
        known = Capacity(found.rate_per_s, found.failed_per_s)
        self._found[searching(cell).key] = known
        self._near[_who(cell)] = known.rate_per_s
        return known

    def near(self, cell: Cell) -> float | None:
        """What was found last for the same client of the same candidate on the same target, under
        whatever workload, in messages per second; None before anything was."""
        return self._near.get(_who(cell))

    def start(self, cell: Cell) -> float | None:
        """Where a capacity trial begins: at what the one before it found, else at what is near."""
        return self._latest.get(searching(cell).key, self.near(cell))

    def learn(self, cell: Cell, outcome: Outcome) -> None:
        """Begin the cell's next capacity trial where this one ended."""
        metric = outcome.metrics.get("capacity")
        if outcome.status == "valid" and metric and metric.value is not None:
            self._latest[searching(cell).key] = self._near[_who(cell)] = metric.value


def _who(cell: Cell) -> tuple[str, str, str]:
    return cell.candidate.name, cell.client.name, cell.berth.target


def searching(cell: Cell) -> Cell:
    """The cell of a search: capacity depends on every parameter but the rate asked for."""
    params = {name: value for name, value in cell.params.items() if name != "rate_per_s"}
    return replace(cell, arm="search", params=params)


def found_metrics(found: Found) -> dict[str, Metric]:
    """What is recorded of a search, in messages per second."""
    unit, note = "msg/s", found.reason
    metrics = {
        "capacity": Metric(
            value=found.rate_per_s, unit=unit, better="higher", n=found.tries, note=note
        )
    }
    if found.failed_per_s is not None:
        metrics["capacity_failed"] = Metric(value=found.failed_per_s, unit=unit, note=note)
    return metrics


def _recorded(record: Record) -> Capacity | None:
    """What a search found; None for any other record, and one that somebody emptied."""
    held, failed = record.metrics.get("capacity"), record.metrics.get("capacity_failed")
    if record.arm != "search" or record.status != "valid" or held is None or held.value is None:
        return None
    return Capacity(held.value, failed.value if failed else None)
