"""A cell and its trials: what a row of a table, a mark of a plot and a side of a verdict are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

from spikebench.candidate import Fidelity
from spikebench.measure.outcome import Ledger, Limit, Metric
from spikebench.record.model import Record

PEAKS = ("broker_peak_memory", "client_peak_memory")
"""Metrics that are the largest value seen so far in the life of a process."""

ParamsKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Trials:
    """All trials of one cell in one run, in the order they were recorded; at least one."""

    records: tuple[Record, ...]

    @property
    def first(self) -> Record:
        """The record that stands for what all trials of the cell share."""
        return self.records[0]

    @property
    def scenario(self) -> str:
        """The workload's name."""
        return self.first.scenario

    @property
    def candidate(self) -> str:
        """The candidate's name."""
        return self.first.candidate

    @property
    def client(self) -> str:
        """The client library's name."""
        return self.first.client

    @property
    def fidelity(self) -> Fidelity:
        """What the cell's numbers can prove."""
        return self.first.fidelity

    @cached_property
    def params(self) -> ParamsKey:
        """The swept parameters, sorted by name, as text."""
        return tuple(sorted((name, str(value)) for name, value in self.first.params.items()))

    @cached_property
    def valid(self) -> tuple[Record, ...]:
        """The trials that count."""
        return tuple(trial for trial in self.records if trial.status == "valid")

    @property
    def void(self) -> int:
        """How many trials ran and may not count, failed ones among them."""
        return sum(trial.status in ("void", "failed") for trial in self.records)

    @cached_property
    def reasons(self) -> dict[str, int]:
        """Why trials do not count, with how often; the reason of a cell that could not run too."""
        return dict(Counter(t.reason or t.status for t in self.records if t.status != "valid"))

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """Every metric a valid trial had, with its unit and direction; the value is one trial's."""
        found: dict[str, Metric] = {}
        for trial in self._measured:
            found.update(trial)
        return found

    @cached_property
    def _measured(self) -> tuple[dict[str, Metric], ...]:
        return tuple(measures(trial) for trial in self.valid)

    def values(self, metric: str) -> list[float]:
        """One value a valid trial, of those in which the metric was not withheld.

        What is measured once and repeated by trials (a metric with ``n`` of 1: a start-up, one
        search for capacity) is not evidence anew: each distinct value counts once. A peak so far
        has one value, the highest.
        """
        return self._values.get(metric, [])

    @cached_property
    def _values(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for trial in self._measured:
            for name, metric in trial.items():
                if metric.value is not None and isfinite(metric.value):
                    found.setdefault(name, []).append(metric.value)
        return {name: self._evidence(name, values) for name, values in found.items()}

    def _evidence(self, metric: str, values: list[float]) -> list[float]:
        if metric in PEAKS:
            return [max(values)]
        return list(dict.fromkeys(values)) if self.metrics[metric].n == 1 else values

    def total(self, count: str, voided: bool = False) -> int | None:
        """A count of the ledger summed over valid trials, or void ones; None where none has one."""
        trials = [t for t in self.records if (t.status != "valid") == voided]
        counts = [int(getattr(t.ledger, count)) for t in trials if t.ledger is not None]
        return sum(counts) if counts else None

    @property
    def limit(self) -> Limit:
        """Which side was the limit in most of the valid trials."""
        limits = Counter(trial.limit for trial in self.valid)
        return limits.most_common(1)[0][0] if limits else "unknown"


def by_cell(records: Iterable[Record]) -> list[Trials]:
    """Gather records into cells, in order of appearance; A/A arms are cells of their own.

    A search for capacity is none. A cell that could not be had gives way to one that could be,
    elsewhere.
    """
    gathered: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        if record.arm != "search":
            gathered.setdefault((record.run_id, record.cell, record.arm), []).append(record)
    found = [Trials(tuple(trials)) for trials in gathered.values()]
    had = {_question(cell) for cell in found if not _unavailable(cell)}
    return [c for c in found if not (_unavailable(c) and _question(c) in had)]


def _unavailable(cell: Trials) -> bool:
    return all(trial.status == "unavailable" for trial in cell.records)


def _question(cell: Trials) -> tuple[object, ...]:
    """What a cell answers, wherever it ran."""
    first = cell.first
    return (first.run_id, cell.scenario, cell.candidate, cell.client, cell.params, first.arm)


def measures(record: Record) -> dict[str, Metric]:
    """Return a trial's metrics, with those that its ledger and resources hold beside them.

    Counts are in messages, ``startup`` in s, peak memory in MB (10⁶ bytes).
    """
    return {**_resources(record), **_counts(record.ledger), **record.metrics}


def _counts(ledger: Ledger | None) -> dict[str, Metric]:
    if ledger is None:
        return {}
    return {
        name: Metric(value=getattr(ledger, name), unit="messages", better="lower")
        for name in ("lost", "duplicated", "reordered")
    }


def _resources(record: Record) -> dict[str, Metric]:
    had = record.resources
    given = {
        "startup": (had.startup_s, "s"),
        "broker_peak_memory": (_megabytes(had.peak_rss), "MB"),
        "client_peak_memory": (_megabytes(had.client_peak_rss), "MB"),
    }
    return {
        name: Metric(value=value, unit=unit, better="lower", n=1)
        for name, (value, unit) in given.items()
        if value is not None
    }


def _megabytes(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else size_bytes / 1e6
