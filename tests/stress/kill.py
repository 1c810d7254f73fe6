"""One kill: a run is started, killed at some moment, looked at, and gone on with to its end."""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from spikebench.record import Record, TornLineWarning, read_records
from tests.stress.subject import SEED, Place, Subject, Trial, completed, trials_of
from tests.stress.survivors import LOOK_EVERY_S, gone_after_s, survivors

GONE_WITHIN_S = 15.0
RUN_TIMEOUT_S = 300.0
TORN_EVERY = 2
"""Every second kill is also given the half line that a kill in the middle of a write leaves.

A line is written in some microseconds: fifty kills at random would hardly ever meet one.
"""


@dataclass(frozen=True)
class Kill:
    """What one kill did: seconds, counts, and whether each promise was kept.

    ``completed`` is how many trials the run had said were measured, ``kept`` how many of the record
    file were read back, ``half_line`` whether there was a last line without its end, ``left`` how
    many processes were there 15 s later, ``folders`` what was left in the folder for scratch files.
    ``finished`` is whether ``--resume`` ended well and wrote the table, and ``same`` whether the
    run then had each cell, block and seed of an undisturbed one, once and in its order.
    """

    subject: str
    after_s: float
    completed: int
    kept: int
    half_line: bool
    gone_after_s: float | None
    left: int
    folders: str
    finished: bool
    same: bool
    said: str = ""

    @property
    def held(self) -> bool:
        """Whether everything that is promised held."""
        whole = self.kept >= self.completed and self.finished and self.same
        return whole and self.left == 0 and not self.folders


def kill_once(subject: Subject, rng: random.Random, number: int) -> Kill:
    """Run ``subject``, kill it at a moment drawn from ``rng``, and finish it."""
    with tempfile.TemporaryDirectory(prefix="spikebench-stress-") as name:
        place = subject.place(Path(name))
        try:
            return _killed(place, rng, tear=number % TORN_EVERY == 0)
        finally:
            _clear(place)


def _killed(place: Place, rng: random.Random, tear: bool) -> Kill:
    expected, log = place.expected(), place.folder / "killed.txt"
    after_s = _kill(place, log, rng, len(expected))
    gone_s = gone_after_s(place, GONE_WITHIN_S)
    left, folders = len(survivors(place)), _folders(place)
    done = completed(log)
    if tear:
        _tear(place, rng)
    kept, half_line = _read(place)
    before = trials_of(kept)
    ended, again = _resume(place, expected)
    return Kill(
        subject=place.subject.name,
        after_s=round(after_s, 3),
        completed=done,
        kept=len(before),
        half_line=half_line,
        gone_after_s=None if gone_s is None else round(gone_s, 2),
        left=left,
        folders=folders,
        finished=ended == 0,
        same=again == expected and again[: len(before)] == before,
        said="" if ended == 0 else f"--resume ended with {ended}",
    )


def _kill(place: Place, log: Path, rng: random.Random, trials: int) -> float:
    """Start a run and kill it at a random moment of it; return the seconds it had.

    The moment is drawn in trials rather than in seconds, which depend on the machine: after so many
    of them, and then anywhere within the next, or within what comes before the first. Where the run
    had ended by then, it is thrown away.
    """
    while (after_s := _killed_within(place, log, rng.randrange(trials), rng.random())) is None:
        for path in place.files:
            path.unlink()
    return after_s


def _killed_within(place: Place, log: Path, trial: int, share: float) -> float | None:
    began, subject = time.monotonic(), place.subject
    run = place.start(log, f"--seed={SEED}")
    while completed(log) < trial and run.poll() is None:
        time.sleep(LOOK_EVERY_S)
    with suppress(subprocess.TimeoutExpired):
        run.wait(share * (subject.trial_s if trial else subject.starts_s))
    if run.poll() is not None:
        return None
    run.kill()
    run.wait()
    return time.monotonic() - began


def _tear(place: Place, rng: random.Random) -> None:
    """Leave the beginning of another line after the last one, as a write that was cut off does."""
    for path in place.files:
        whole = path.read_bytes()
        if whole.endswith(b"\n"):
            line = whole.splitlines(keepends=True)[-1]
            path.write_bytes(whole + line[: rng.randrange(1, len(line) - 1)])


def _read(place: Place) -> tuple[list[Record], bool]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        records = [record for path in place.files for record in read_records(path)]
    return records, any(issubclass(one.category, TornLineWarning) for one in caught)


def _folders(place: Place) -> str:
    """What is left in the scratch folder, each with the number of files below it."""
    left = sorted(place.scratch.iterdir())
    return " ".join(f"{one.name.rpartition('-')[0]}({len(list(one.rglob('*')))})" for one in left)


def _resume(place: Place, expected: Sequence[Trial]) -> tuple[int, list[Trial]]:
    """Go on with the run, or start it where it was killed before it had a record file."""
    how = "--resume" if place.files else f"--seed={SEED}"
    ended = place.start(place.folder / "resumed.txt", how).wait(RUN_TIMEOUT_S)
    gone_after_s(place, GONE_WITHIN_S)
    records, _ = _read(place)
    table = [path for path in (place.folder / "results").glob("*/table.md") if path.stat().st_size]
    return ended if table and expected else 1, trials_of(records)


def _clear(place: Place) -> None:
    """End what should have ended by itself, so that one failure does not become two."""
    for process in survivors(place):
        try:
            process.kill()
        except psutil.Error:
            continue
