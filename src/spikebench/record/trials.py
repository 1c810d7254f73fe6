"""A cell and its trials: what a row of a table, a mark of a plot and a side of a verdict are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

from spikebench.candidate import Fidelity
from spikebench.measure.outcome import Ledger, Limit, Metric, Resources
from spikebench.record.model import Record

PEAKS = ("broker_peak_memory", "client_peak_memory")
"""Metrics that are the largest value seen so far in the life of a process."""

COUNTED = "messages"
"""Unit of what the ledger counts: without noise, for every message carries its number."""

ParamsKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Trials:
    """All trials of one cell in one run, in the order they were recorded; at least one.

    Of several runs where they were put together (see ``pooled``).
    """

    records: tuple[Record, ...]

    @property
    def first(self) -> Record:
        """The record that stands for what all trials of the cell share."""
        return self.records[0]

    @cached_property
    def run_ids(self) -> tuple[str, ...]:
        """The runs that its trials are of, the first to be started first."""
        return tuple(sorted({trial.run_id for trial in self.records}))

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
    def target(self) -> str:
        """Where the candidate ran."""
        return self.first.target

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

    @cached_property
    def machines(self) -> dict[str, dict[str, Any]]:
        """The machines its valid trials ran on, by fingerprint, where there is one, else whole."""
        return {_machine(trial): trial.environment for trial in self.valid}

    @cached_property
    def workloads(self) -> frozenset[str]:
        """The digests of what its valid trials were asked for; unknown ones are left out."""
        return frozenset(trial.workload for trial in self.valid if trial.workload)

    @property
    def void(self) -> int:
        """How many trials ran and may not count, failed ones among them."""
        return sum(trial.status in ("void", "failed") for trial in self.records)

    @property
    def unproven(self) -> int:
        """How many of the void and failed trials may hide what the candidate does not hold.

        Those that the load generator made void, and that were measured again in their block, do
        not: they were not chosen by what they showed.
        """
        again = {trial.block for trial in self.valid}
        return self.void - sum(trial.spoilt and trial.block in again for trial in self.records)

    @cached_property
    def reasons(self) -> dict[str, int]:
        """Why trials do not count, with how often; the reason of a cell that could not run too."""
        return dict(Counter(t.reason or t.status for t in self.records if t.status != "valid"))

    @property
    def metrics(self) -> dict[str, Metric]:
        """Every metric a valid trial had, with its unit and direction; the value is one trial's.

        One that is withheld stands only where all trials withhold it.
        """
        return self._gathered.metrics

    @cached_property
    def _gathered(self) -> _Gathered:
        found = _Gathered()
        for trial in self.valid:
            found.add(trial)
        return found

    def values(self, metric: str) -> list[float]:
        """One value a valid trial, of those in which the metric was not withheld.

        What is measured once and repeated by trials (a metric with ``n`` of 1: a start-up, one
        search for capacity) is not evidence anew: each distinct value counts once. A peak so far
        has one value, the highest.
        """
        return self._values.get(metric, [])

    def by_block(self, metric: str) -> dict[int, float]:
        """Each block's value of a metric that its valid trial had; of a block's trials the last."""
        had = ((trial.block, trial.metrics.get(metric)) for trial in self.valid)
        return {block: found.value for block, found in had if found and found.value is not None}

    @cached_property
    def _values(self) -> dict[str, list[float]]:
        values = self._gathered.values
        return {name: self._evidence(name, found) for name, found in values.items()}

    def _evidence(self, metric: str, values: list[float]) -> list[float]:
        if metric in PEAKS:
            return [max(values)]
        return list(dict.fromkeys(values)) if self.metrics[metric].n == 1 else values

    def total(self, count: str, voided: bool = False) -> int | None:
        """A count of the ledger summed over valid trials, or void ones; None where none has one.

        Failed trials count with neither: what a broken consumer never got is no loss of the broker.
        """
        status = "void" if voided else "valid"
        trials = [t for t in self.records if t.status == status]
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


def pooled(cells: Iterable[Trials]) -> list[Trials]:
    """Put a cell's trials of several runs together: one workload, machine and software had them.

    Where one of these differs they stay cells apart. A cell that could not be had gives way to the
    same of another run that could be, and one whose trials have no events to one whose trials have:
    before there were events, the start of a new consumer counted as time to recover.
    """
    found = list(cells)
    best = {_place(cell): 0 for cell in found}
    for cell in found:
        best[_place(cell)] = max(best[_place(cell)], _standing(cell))
    gathered: dict[tuple[object, ...], list[Record]] = {}
    for cell in found:
        if _standing(cell) == best[_place(cell)]:
            gathered.setdefault(_alike(cell), []).extend(cell.records)
    return [Trials(tuple(trials)) for trials in gathered.values()]


def _standing(cell: Trials) -> int:
    """Which of the same cell's trials tell more: those that were had, those that have events."""
    return 0 if _unavailable(cell) else 2 if any(one.events for one in cell.valid) else 1


def _alike(cell: Trials) -> tuple[object, ...]:
    """What has to be the same for trials of several runs to count as one cell's."""
    one = cell.valid[0] if cell.valid else cell.first
    return (*_place(cell), one.workload, _machine(one), tuple(sorted(one.versions.items())))


def _machine(trial: Record) -> str:
    """Which machine a trial ran on: its fingerprint where there is one, else all that is known."""
    return str(trial.environment.get("fingerprint") or trial.environment)


def _place(cell: Trials) -> tuple[str, str]:
    """Which cell it is, whatever the run."""
    return cell.first.cell, cell.first.arm


def _unavailable(cell: Trials) -> bool:
    return all(trial.status == "unavailable" for trial in cell.records)


def _question(cell: Trials) -> tuple[object, ...]:
    """What a cell answers, wherever it ran."""
    first = cell.first
    return (first.run_id, cell.scenario, cell.candidate, cell.client, cell.params, first.arm)


@dataclass
class _Gathered:
    """Metrics of several trials, in one pass: a table of ten thousand has a quarter of a million.

    Beside a trial's own there are those that its ledger and resources hold: counts are in messages,
    ``startup`` in s, peak memory in MB (10⁶ bytes).
    """

    metrics: dict[str, Metric] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, trial: Record) -> None:
        for name, metric in trial.metrics.items():
            self._note(name, metric.value)
            if name not in self.metrics or metric.value is not None:
                self.metrics[name] = metric
        for name, value, unit, n in (*_resources(trial.resources), *_counts(trial.ledger)):
            if value is None or name in trial.metrics:
                continue
            self._note(name, value)
            if name not in self.metrics:
                self.metrics[name] = Metric(
                    value=value, unit=unit, better="lower", n=n, noise_free=unit == COUNTED
                )

    def _note(self, name: str, value: float | None) -> None:
        if value is not None and isfinite(value):
            self.values.setdefault(name, []).append(value)


_Derived = tuple[tuple[str, float | None, str, int | None], ...]
"""Name, value, unit and number of samples of what a record holds beside its metrics."""


def _counts(ledger: Ledger | None) -> _Derived:
    if ledger is None:
        return ()
    return (
        ("lost", ledger.lost, COUNTED, None),
        ("duplicated", ledger.duplicated, COUNTED, None),
        ("reordered", ledger.reordered, COUNTED, None),
        ("refused", ledger.failed, COUNTED, None),
    )


def _resources(had: Resources) -> _Derived:
    return (
        ("startup", had.startup_s, "s", 1),
        ("broker_peak_memory", _megabytes(had.peak_rss), "MB", 1),
        ("client_peak_memory", _megabytes(had.client_peak_rss), "MB", 1),
    )


def _megabytes(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else size_bytes / 1e6
