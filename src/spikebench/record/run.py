"""Where a spike's runs lie, and how one is found by name."""

from __future__ import annotations

import json
from pathlib import Path

from spikebench.errors import RecordError

RESULTS = Path("results")


def run_path(spike: str, run_id: str, results: Path = RESULTS) -> Path:
    """Return the file a run's trials are recorded in."""
    return results / spike / "runs" / f"{run_id}.jsonl"


def find_run(spike: str, name: str | None = None, results: Path = RESULTS) -> Path:
    """Return a run's file: a path that exists, a run's id or its unique beginning, or the latest.

    Raises RecordError naming the runs there are.
    """
    if name is None:
        return latest_run(spike, results)
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


def latest_run(spike: str, results: Path = RESULTS) -> Path:
    """Return the run that was started last; raise RecordError where there is none."""
    runs = _runs(spike, results)
    if not runs:
        raise RecordError(
            f"{results / spike / 'runs'}: holds no runs; "
            f"measure first with: python3 -m tox -e {spike}"
        )
    return max(runs, key=lambda run: (_started_at(run), run.name))


def _runs(spike: str, results: Path) -> list[Path]:
    return sorted((results / spike / "runs").glob("*.jsonl"))


def _started_at(run: Path) -> str:
    """When the first trial began; of files that say nothing the earliest there is."""
    try:
        with run.open("rb") as file:
            first = json.loads(file.readline())
    except (OSError, ValueError, RecursionError):
        return ""
    return str(first.get("started_at", "")) if isinstance(first, dict) else ""
