"""Whole runs whose results lie on a disk that fills up: a file system of some kilobytes."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spikebench.record import Record, read_records
from tests.synthetic.spike_folder import command, environ, write_spike

ARGUMENTS = (
    "--candidate=plain",
    "--trials=2",
    "--seed=3",
    "--benchmark-autosave",
    "--benchmark-storage=file://results/tiny/benchmarks",
)
TRIALS = 4
SCRIPT = """\
disk=$1
mkdir -p "$disk"
mount -t tmpfs -o size="$2" none "$disk" || exit 77
shift 2
"$@" >full.txt 2>&1; echo $? >full.code
cp -r results kept
mount -o remount,size=64m "$disk"
"$@" --resume >resumed.txt 2>&1; echo $? >resumed.code
cp -r results resumed
"""
"""The run on a small disk, and again with --resume when there is room; results are kept of both."""


def _may_mount() -> bool:
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not _may_mount(), reason="needs a file system of its own")


@dataclass(frozen=True)
class Session:
    """One of the two sessions: what it printed, its exit code and what its results held."""

    printed: str
    code: int
    results: Path

    @property
    def records(self) -> list[Record]:
        (path,) = (self.results / "runs").glob("*.jsonl")
        assert path.read_bytes().endswith(b"\n")
        return read_records(path)


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="spikebench-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # entered by everyone as a cache must be
        yield folder


def run(root: Path, size: str, disk: str = "results") -> tuple[Session, Session]:
    """Run the spike with ``disk`` on a file system of ``size``, and go on when there is room."""
    folder = root / size
    folder.mkdir()
    write_spike(folder)
    inside = ["unshare", "-rm", "sh", "-c", SCRIPT, "sh", disk, size, *command(*ARGUMENTS)]
    subprocess.run(inside, cwd=folder, env=environ(folder), timeout=300, check=True)
    full, resumed = (
        Session(
            " ".join((folder / f"{name}.txt").read_text().split()),
            int((folder / f"{name}.code").read_text()),
            folder / kept / "tiny",
        )
        for name, kept in (("full", "kept"), ("resumed", "resumed"))
    )
    return full, resumed


def assert_one_clear_error(session: Session, said: str) -> None:
    assert session.code == 6, session.printed
    assert said in session.printed
    assert "No space left on device" in session.printed
    assert "Traceback" not in session.printed
    assert "INTERNALERROR" not in session.printed


def assert_whole(session: Session) -> None:
    """What is there is whole, and nothing else is."""
    for path in session.results.rglob("*"):
        assert not path.name.endswith(".part"), path
        if path.suffix == ".json":
            json.loads(path.read_bytes())


def assert_every_trial(records: list[Record]) -> None:
    """Each was measured once, or again where a busy machine had made it void."""
    again = len(records) - len({(record.cell, record.block) for record in records})
    assert len(records) - again == TRIALS
    assert again <= sum(record.status == "void" for record in records)


def assert_finished(session: Session, earlier: list[Record]) -> None:
    assert session.code == 0, session.printed
    assert session.records[: len(earlier)] == earlier
    assert_every_trial(session.records)
    names = {path.name for path in session.results.iterdir()}
    assert names >= {"table.md", "table.csv", "plot-steady.svg"}
    assert_whole(session)


def test_a_disk_that_fills_up_in_the_middle_of_a_record(root: Path) -> None:
    full, resumed = run(root, "8k")
    assert_one_clear_error(full, "this trial could not be written")
    assert 0 < len(full.records) < TRIALS
    assert {record.status for record in full.records} <= {"valid", "void"}
    assert_whole(full)
    assert_finished(resumed, full.records)


def test_a_disk_that_fills_up_when_the_table_and_plots_are_written(root: Path) -> None:
    full, resumed = run(root, "32k")
    assert_one_clear_error(full, "the table could not be written")
    assert "spikebench table tiny" in full.printed
    assert_every_trial(full.records)
    assert (full.results / "table.md").read_text().endswith("\n")
    plots, all_plots = (len(list(of.results.glob("plot-*"))) for of in (full, resumed))
    assert plots < all_plots
    assert_whole(full)
    assert_finished(resumed, full.records)


def test_a_disk_that_has_no_room_for_pytest_benchmarks_view(root: Path) -> None:
    full, resumed = run(root, "4k", disk="results/tiny/benchmarks")
    assert_one_clear_error(full, "pytest-benchmark could not save")
    assert "wrote results/tiny/plot-steady.svg" in full.printed
    assert_whole(full)
    assert_finished(resumed, full.records)
