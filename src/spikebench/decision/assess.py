"""The whole assessment: must-haves first, then the matrix of the options that are left."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from spikebench.candidate import Candidate
from spikebench.decision import flips
from spikebench.decision.evidence import Figure, comparable, figure_of, rows_of
from spikebench.decision.matrix import (
    SETTLED,
    Entry,
    Matrix,
    Standing,
    judged_entry,
    measured_entry,
)
from spikebench.decision.model import Criterion, Decision, Measured, Option
from spikebench.decision.must_have import Held, hold
from spikebench.decision.read import kinds_asked, read_decision
from spikebench.errors import RecordError, ScenarioError
from spikebench.record import Record, read_records
from spikebench.report.faults import is_fault
from spikebench.report.layout import load
from spikebench.report.table import Row, Table, tabulate
from spikebench.scenario.document import Document
from spikebench.scenario.model import Scenario
from spikebench.spike import Spike


@dataclass(frozen=True)
class Run:
    """A record file that a decision rests on, and the SHA-256 of what it held.

    ``faults`` is whether something was broken in its trials.
    """

    run_id: str
    path: Path
    digest: str
    faults: bool = False


@dataclass(frozen=True)
class Assessment:
    """What a decision comes to from the records of its runs.

    ``held`` has an option's must-haves by its name; ``matrix`` only those options that are in.
    """

    spike: Spike
    decision: Decision
    scenarios: Mapping[str, Scenario]
    runs: tuple[Run, ...]
    table: Table
    held: Mapping[str, tuple[Held, ...]]
    matrix: Matrix

    @cached_property
    def standings(self) -> list[Standing]:
        """Where each option that is in stands."""
        return self.matrix.standings()

    @cached_property
    def missing(self) -> list[flips.Missing]:
        """Options that could not be ranked."""
        return flips.missing(self.matrix)

    def is_out(self, option: Option) -> bool:
        """Whether an option fails a must-have by what was measured or promised."""
        return any(one.outcome == "not met" for one in self.held[option.name])

    @property
    def leader(self) -> Standing | None:
        """Who comes first at the means; None for a tie, or where nobody can be ranked."""
        at = self.matrix.leader
        return self.standings[0] if at is not None else None

    @property
    def proposed(self) -> Standing | None:
        """The leader, where it comes first in 95 % of the draws; else None."""
        leader = self.leader
        return leader if leader is not None and (leader.first or 0.0) >= SETTLED else None

    @cached_property
    def rows(self) -> dict[tuple[str, str], Row]:
        """Every row that was used, by option and cell."""
        figures = [
            (option, entry.figure.row)
            for entries in self.matrix.entries
            for option, entry in zip(self.matrix.options, entries, strict=True)
            if entry.figure is not None
        ]
        held = [
            (one.option, row) for found in self.held.values() for one in found for row in one.rows
        ]
        return {
            (option.name, row.cell.first.cell): row
            for option, row in [*held, *figures]
            if row is not None
        }


def assess(spike: Spike, paths: Sequence[Path]) -> Assessment:
    """Assess a spike's decision from run files, with faults or without.

    Of two runs with a row the later path counts.

    Raises ScenarioError for a decision that does not fit its spike or its records, RecordError for
    records that cannot be read.
    """
    scenarios = spike.read_scenarios()
    decision, document = read_decision(spike, scenarios)
    runs, records = _read(spike, paths, scenarios)
    _refuse_unasked(runs, decision, scenarios)
    table = tabulate(records, scenarios, spike.candidates, load(spike.layout))
    in_order = replace(table, run_ids=tuple(dict.fromkeys(one.run_id for one in records)))
    return _Assessor(spike, decision, scenarios, document, in_order).assess(runs)


def _refuse_unasked(
    runs: Sequence[Run], decision: Decision, scenarios: Mapping[str, Scenario]
) -> None:
    """Runs that no part of the decision can rest on are no evidence of it."""
    for run in runs:
        if run.faults not in kinds_asked(decision, scenarios):
            kind = "of faults" if run.faults else "without a fault"
            raise RecordError(
                f"{run.path}: is a run {kind}, of which the decision asks nothing; leave it out"
            )


def _read(
    spike: Spike, paths: Sequence[Path], scenarios: Mapping[str, Scenario]
) -> tuple[tuple[Run, ...], list[Record]]:
    found = [_run(spike, path, scenarios) for path in paths]
    return tuple(run for run, _ in found), [record for _, each in found for record in each]


def _run(spike: Spike, path: Path, scenarios: Mapping[str, Scenario]) -> tuple[Run, list[Record]]:
    """A run's trials, and the digest of its file's bytes."""
    records = [record for record in read_records(path) if record.spike == spike.name]
    if not records:
        raise RecordError(
            f"{path}: has no trial of {spike.name} to decide on; "
            f"measure first with: python3 -m tox -e {spike.name}"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Run(path.stem, path, digest, is_fault(records[0], scenarios)), records


@dataclass(frozen=True)
class _Assessor:
    """One table held against one decision."""

    spike: Spike
    decision: Decision
    scenarios: Mapping[str, Scenario]
    document: Document
    table: Table

    def assess(self, runs: tuple[Run, ...]) -> Assessment:
        held = {option.name: self._held(option) for option in self.decision.options}
        left = tuple(
            option
            for option in self.decision.options
            if all(one.outcome != "not met" for one in held[option.name])
        )
        matrix = Matrix(
            options=left,
            criteria=tuple(self.decision.criteria),
            shares=tuple(self.decision.shares),
            entries=tuple(
                self._entries(at, criterion, left)
                for at, criterion in enumerate(self.decision.criteria)
            ),
        )
        return Assessment(self.spike, self.decision, self.scenarios, runs, self.table, held, matrix)

    def _held(self, option: Option) -> tuple[Held, ...]:
        return tuple(
            hold(
                option, asked, rows_of(self.table, option, asked.scenario, asked.params, self.known)
            )
            for asked in self.decision.must_haves
        )

    @property
    def known(self) -> dict[str, Candidate]:
        return {candidate.name: candidate for candidate in self.spike.candidates}

    def _entries(
        self, at: int, criterion: Criterion, options: Sequence[Option]
    ) -> tuple[Entry, ...]:
        asked = criterion.measured
        if asked is None:
            return tuple(judged_entry(criterion, option) for option in options)
        figures = comparable(
            {
                option.name: self._figure(at, asked, option)
                for option in options
                if option.candidate is not None
            }
        )
        self._check_direction(at, asked, figures)
        return tuple(self._entry(criterion, one, figures.get(one.name)) for one in options)

    def _entry(self, criterion: Criterion, option: Option, seen: Figure | None) -> Entry:
        """A figure's score; a judged one where there is none, or the file lets it stand in."""
        if seen is None:
            return judged_entry(criterion, option)
        if seen.missing and criterion.may_be_judged and criterion.given(option.name):
            return judged_entry(criterion, option, seen)
        return measured_entry(seen, criterion, zlib.crc32(self.decision.decision.encode()))

    def _figure(self, at: int, asked: Measured, option: Option) -> Figure:
        rows = rows_of(self.table, option, asked.scenario, asked.params, self.known)
        try:
            return figure_of(rows, asked)
        except ValueError as several:
            what = f"{option.name} has several rows here ({several}); choose one under params"
            raise self._wrong(at, "scenario", what) from None

    def _check_direction(self, at: int, asked: Measured, figures: Mapping[str, Figure]) -> None:
        better = "lower" if asked.best < asked.worst else "higher"
        for one in figures.values():
            if one.row is None or asked.metric not in one.row.cell.metrics:
                continue
            told = one.row.cell.metrics[asked.metric].better
            if told not in (better, "neither"):
                what = f"{asked.metric} is better {told}; turn best and worst round"
                raise self._wrong(at, "best", what)

    def _wrong(self, at: int, key: str, what: str) -> ScenarioError:
        return ScenarioError(self.document.problem(("criteria", at, "measured", key), what))
