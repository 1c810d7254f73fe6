"""The runs that are killed: a synthetic spike in memory, and the real one with its servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebench.record import Record
from tests.synthetic.spike_folder import write_spike

ROOT = Path(__file__).parents[2]
MARK = "SPIKEBENCH_STRESS"
"""Names a killed run in the environment of its processes; servers have one without it."""

SEED = 11
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:warnings", "--benchmark-quiet")
LINE = re.compile(r"^\[\d+/\d+\] .*", re.MULTILINE)

Trial = tuple[str, int, int]
"""A trial's cell, block and seed."""


@dataclass(frozen=True)
class Subject:
    """What is run: pytest on ``tests`` with ``arguments``.

    ``starts_s`` is about how long it takes to its first trial, ``trial_s`` each trial.
    """

    name: str
    tests: str
    arguments: Sequence[str]
    starts_s: float
    trial_s: float
    synthetic: bool

    def place(self, folder: Path) -> Place:
        """Make ``folder`` fit for a run of this spike."""
        folder.chmod(0o755)  # entered by everyone, as a server that is not root's must
        scratch = folder / "scratch"
        scratch.mkdir()
        scratch.chmod(0o1777)
        if self.synthetic:
            write_spike(folder)
        return Place(self, folder, scratch)


@dataclass(frozen=True)
class Place:
    """Where runs of a subject take place: the results and every scratch file lie below it."""

    subject: Subject
    folder: Path
    scratch: Path

    @property
    def mark(self) -> str:
        """What tells processes of runs here from all others."""
        return self.folder.name

    @property
    def files(self) -> list[Path]:
        """The record files of the runs here."""
        return sorted((self.folder / "results").glob("*/runs/*.jsonl"))

    def start(self, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a run that prints to ``log``."""
        with log.open("wb") as out:
            return subprocess.Popen(
                self._command(*arguments),
                cwd=self._home,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def expected(self) -> list[Trial]:
        """Every trial of an undisturbed run, in its order, without starting anything.

        Seeds are worked out here, from the formula: what a run says of itself would prove nothing.
        """
        listed = subprocess.run(
            self._command(f"--seed={SEED}", "--collect-only"),
            cwd=self._home,
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        ).stdout
        found = re.findall(r"\[(\S+)-block(\d+)\]", listed)
        return [(cell, int(block), seed_of(cell, int(block))) for cell, block in found]

    @property
    def _home(self) -> Path:
        return self.folder if self.subject.synthetic else ROOT

    def _command(self, *arguments: str) -> list[str]:
        results = f"--results={self.folder / 'results'}"
        run = (self.subject.tests, *QUIET, results, *self.subject.arguments, *arguments)
        return [sys.executable, "-m", "pytest", *run]

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        ours = {MARK: self.mark, "TMPDIR": str(self.scratch), "PYTHONDONTWRITEBYTECODE": "1"}
        own_cache = {"SPIKEBENCH_CACHE": str(self.folder / "cache")}
        return {**kept, **ours, **(own_cache if self.subject.synthetic else {})}


def seed_of(cell: str, block: int) -> int:
    """The seed of a trial, as ``docs/method.md`` has it made."""
    return zlib.crc32(f"{SEED}/{cell}/{block}".encode())


def trials_of(records: Sequence[Record]) -> list[Trial]:
    """The trials of a record file, in its order.

    A search for capacity belongs to no block. The two tries of a trial that its load generator made
    void are one.
    """
    found: list[Trial] = []
    tried: set[Trial] = set()
    for record in records:
        trial = (record.cell, record.block, record.seed)
        if record.arm == "search" or trial in tried:
            continue
        found.append(trial)
        if record.status == "void" and record.limit == "client":
            tried.add(trial)
    return found


def completed(log: Path) -> int:
    """How many trials a run said it had measured."""
    lines = LINE.findall(log.read_text(errors="replace"))
    return sum("already measured" not in line for line in lines)


SYNTHETIC = Subject(
    name="synthetic",
    tests="spikes/tiny",
    arguments=("--candidate=plain,lossy,absent", "--trials=3"),
    starts_s=1.5,
    trial_s=0.9,
    synthetic=True,
)

RABBITMQ = Subject(
    name="rabbitmq",
    tests="spikes/messaging",
    arguments=(
        "--profile=smoke",
        "--target=local",
        "--candidate=rabbitmq-classic,rabbitmq-quorum",
        "--trials=2",
    ),
    starts_s=12.0,
    trial_s=3.0,
    synthetic=False,
)

KAFKA = Subject(
    name="kafka",
    tests="spikes/messaging",
    arguments=("--profile=smoke", "--target=local", "--candidate=kafka,null", "--trials=2"),
    starts_s=14.0,
    trial_s=3.0,
    synthetic=False,
)

REAL = (RABBITMQ, KAFKA)
"""The subjects with servers, killed by turns."""
