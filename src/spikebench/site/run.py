"""A run as the site tells of it: when, where, its tables, its faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebench.record import Record, read_records
from spikebench.report import faults
from spikebench.report.layout import Layout, load
from spikebench.report.table import Table, tabulate
from spikebench.scenario.model import Scenario
from spikebench.spike import Spike
from spikebench.stats import fingerprint


@dataclass(frozen=True)
class Run:
    """One run's records and what is made of them. ``table`` is of the trials without a fault."""

    path: Path
    records: tuple[Record, ...]
    table: Table
    broken: dict[str, list[faults.Fault]]

    @property
    def run_id(self) -> str:
        """The run's name: that of its file."""
        return self.path.stem

    @property
    def begun(self) -> str:
        """When its first trial began, as recorded."""
        return min((record.started_at for record in self.records), default="")

    @property
    def valid(self) -> int:
        """How many trials count."""
        return sum(record.status == "valid" for record in self.records)

    @property
    def void(self) -> int:
        """How many trials ran and may not count, failed ones among them."""
        return sum(record.status in ("void", "failed") for record in self.records)

    @property
    def kind(self) -> str:
        """What was measured, in words: the scenarios, and whether something was broken."""
        names = dict.fromkeys(record.scenario for record in self.records)
        return ", ".join(names)

    @property
    def machines(self) -> list[str]:
        """The machines it ran on: processor, cores and fingerprint as recorded."""
        had = {fingerprint(r): r.environment for r in self.records if r.environment}
        return [_machine(mark, environment) for mark, environment in had.items()]


def runs_of(spike: Spike, scenarios: dict[str, Scenario], results: Path) -> list[Run]:
    """Read all of a spike's runs that hold a trial, the latest first.

    Raises RecordError for a record file that cannot be read.
    """
    layout = load(spike.layout)
    paths = sorted((results / spike.name / "runs").glob("*.jsonl"))
    found = [_read(path, spike, scenarios, layout) for path in paths]
    return sorted(
        (run for run in found if run.records), key=lambda run: (run.begun, run.run_id), reverse=True
    )


def _read(path: Path, spike: Spike, scenarios: dict[str, Scenario], layout: Layout) -> Run:
    records = read_records(path)
    broken = [record for record in records if faults.is_fault(record, scenarios)]
    whole = [record for record in records if not faults.is_fault(record, scenarios)]
    return Run(
        path,
        tuple(records),
        tabulate(whole, scenarios, spike.candidates, layout),
        faults.faults(broken, scenarios, spike.candidates),
    )


def versions(table: Table) -> list[tuple[str, str]]:
    """Who ran in which versions, as text."""
    return [
        (who, ", ".join(f"{name} {version}" for name, version in sorted(had.items())))
        for who, had in table.versions.items()
        if had
    ]


def latest(runs: Sequence[Run]) -> Run | None:
    """The run a reader looks for: the latest that is not of faults, else the latest."""
    return next((run for run in runs if run.table.sections), runs[0] if runs else None)


def latest_of_faults(runs: Iterable[Run]) -> Run | None:
    """The latest run in which something was broken."""
    return next((run for run in runs if run.broken), None)


def _machine(mark: str, environment: dict[str, object]) -> str:
    told = [str(environment[name]) for name in ("cpu", "kernel", "os") if environment.get(name)]
    if environment.get("cores"):
        told.insert(1, f"{environment['cores']} cores")
    return ", ".join([*told, *([f"fingerprint {mark}"] if mark else [])])
