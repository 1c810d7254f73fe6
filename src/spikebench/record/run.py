"""Where a spike's runs lie, and how one is found by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import RecordError
from spikebench.scenario.model import Scenario

RESULTS = Path("results")


@dataclass(frozen=True)
class Kind:
    """Which runs are meant where none is named: those with faults, or those without.

    A run's trials are all of one kind, so that its first record tells: by what its scenario is in
    ``scenarios``, as in the tables. ``begun`` is whether a run may be meant that has no whole trial
    yet, which is of neither kind.
    """

    faults: bool
    scenarios: Mapping[str, Scenario]
    begun: bool = False

    def has(self, first: str) -> bool:
        """Whether a run is meant whose first trial is of scenario ``first``; empty: it has none."""
        if not first:
            return self.begun
        scenario = self.scenarios.get(first)
        return (scenario is not None and scenario.breaks) == self.faults


def run_path(spike: str, run_id: str, results: Path = RESULTS) -> Path:
    """Return the file a run's trials are recorded in."""
    return results / spike / "runs" / f"{run_id}.jsonl"


def find_run(
    spike: str, name: str | None = None, results: Path = RESULTS, kind: Kind | None = None
) -> Path:
    """Return a run's file: a path that exists, a run's id or its unique beginning, or the latest.

    ``kind`` is which runs the latest is of, where none is named. Raises RecordError naming the runs
    there are.
    """
    if name is None:
        return latest_run(spike, results, kind)
    if name.endswith(".jsonl") and Path(name).is_file():
        return Path(name)
    runs = _runs(spike, results)
    found = [run for run in runs if run.stem == name] or [
        run for run in runs if run.stem.startswith(name)
    ]
    if len(found) == 1:
        return found[0]
    problem = "is ambiguous" if found else "does not exist"
    known = ", ".join(run.stem for run in found or runs) or "none"
    raise RecordError(f"{results / spike / 'runs'}: run {name!r} {problem}; there are: {known}")


def latest_run(spike: str, results: Path = RESULTS, kind: Kind | None = None) -> Path:
    """Return the run that was started last, of a kind; raise RecordError where there is none."""
    if found := runs_of(spike, results, kind):
        return found[-1]
    faults = kind is not None and kind.faults
    what = "runs of faults" if faults else "runs but of faults"
    raise RecordError(
        f"{results / spike / 'runs'}: holds no {what if _runs(spike, results) else 'runs'}; "
        f"measure first with: python3 -m tox -e {spike}{' -- -m faults' if faults else ''}"
    )


def runs_of(spike: str, results: Path = RESULTS, kind: Kind | None = None) -> list[Path]:
    """Return all runs of a kind, the first to be started first."""
    firsts = {run: _first(run) for run in _runs(spike, results)}
    found = [run for run, first in firsts.items() if kind is None or kind.has(first.scenario)]
    return sorted(found, key=lambda run: (firsts[run].started_at, run.name))


def of_faults(path: Path, scenarios: Mapping[str, Scenario]) -> bool:
    """Whether a run is one of faults, by its first trial; one without a trial is not."""
    return Kind(True, scenarios).has(_first(path).scenario)


def _runs(spike: str, results: Path) -> list[Path]:
    return sorted((results / spike / "runs").glob("*.jsonl"))


@dataclass(frozen=True)
class _First:
    """What the first trial of a run says; empty where there is none, or none that can be read."""

    started_at: str = ""
    scenario: str = ""


def _first(run: Path) -> _First:
    try:
        with run.open("rb") as file:
            said = json.loads(file.readline())
    except (OSError, ValueError, RecursionError):
        return _First()
    if not isinstance(said, dict):
        return _First()
    return _First(str(said.get("started_at", "")), str(said.get("scenario", "")))
