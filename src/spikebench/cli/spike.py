"""Which spike a command is about, and which run of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from spikebench.discovery import find_spike, spike_names
from spikebench.errors import UsageError
from spikebench.spike import Spike


def chosen_spike(name: str | None, results: Path, mentioned: Iterable[str] = ()) -> Spike:
    """Return the spike called ``name``, else the one that is meant; raise UsageError otherwise.

    Meant is the only one there is, the only one with a candidate or a run that is ``mentioned``,
    or the only one that has results.
    """
    if name is not None:
        return find_spike(name)
    spikes = list(_installed())
    words = [word for word in mentioned if word]
    told = [spike for spike in spikes if _is_told(spike, words, results)]
    measured = [spike for spike in spikes if (results / spike.name / "runs").is_dir()]
    for found in (spikes, told, measured):
        if len(found) == 1:
            return found[0]
    known = ", ".join(spike_names()) or f"none below {Path.cwd()}; change to the project's folder"
    raise UsageError(f"which spike? name one with --spike; there are: {known}")


def _installed() -> Iterator[Spike]:
    """The spikes that can be imported here; one whose packages are missing is not meant."""
    for name in spike_names():
        with suppress(UsageError):
            yield find_spike(name)


def _is_told(spike: Spike, words: Sequence[str], results: Path) -> bool:
    names = {candidate.name for candidate in spike.candidates}
    runs = [run.stem for run in (results / spike.name / "runs").glob("*.jsonl")]
    return any(word in names or any(run.startswith(word) for run in runs) for word in words)
