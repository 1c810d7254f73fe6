"""What judges a kill is itself right: who is ours, what was completed, what counts as the same."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.report.synthetic import record
from tests.stress.__main__ import subjects, summary, write
from tests.stress.kill import Kill, kill_once
from tests.stress.subject import KAFKA, MARK, RABBITMQ, SYNTHETIC, Place, completed, trials_of
from tests.stress.survivors import SERVER, gone_after_s, survivors

HELD = Kill("synthetic", 3.2, 4, 4, True, 0.1, 0, "", True, True)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return SYNTHETIC.place(tmp_path)


@contextmanager
def sleeping(**environ: str) -> Iterator[int]:
    kept = {name: value for name, value in os.environ.items() if name not in (MARK, SERVER)}
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env={**kept, **environ}) as process:
        yield process.pid
        process.kill()


def test_ours_are_told_from_others_by_mark_or_home(place: Place) -> None:
    home = str(place.scratch / "rabbitmq")
    with (
        sleeping(**{MARK: place.mark}) as worker,
        sleeping(**{SERVER: "x", "HOME": home}) as server,
        sleeping(**{MARK: "another"}),
        sleeping(**{SERVER: "x", "HOME": "/tmp"}),
        sleeping(HOME=home),
    ):
        assert {process.pid for process in survivors(place)} == {worker, server}
        assert gone_after_s(place, 0.1) is None
    assert gone_after_s(place, 5) is not None


def test_what_a_run_said_of_earlier_trials_is_not_counted_again(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text(
        "run x\n[1/3] block 1 a: already measured · 0:00\n[2/3] block 1 b: 3 lost\n[3/3]"
    )
    assert completed(log) == 1


def test_two_tries_of_a_trial_are_one_and_a_search_is_none() -> None:
    first = record("kafka", 0, status="void", limit="client")
    again, other = record("kafka", 0), record("kafka", 1)
    search = record("kafka", -1, arm="search")
    assert trials_of([search, first, again, other]) == [
        (first.cell, 0, first.seed),
        (other.cell, 1, other.seed),
    ]
    assert len(trials_of([again, again])) == 2  # measured twice for no reason


@pytest.mark.parametrize(
    "broken",
    [
        {"kept": 3},
        {"left": 1},
        {"folders": "spikebench-load(4)"},
        {"finished": False},
        {"same": False},
    ],
)
def test_one_broken_promise_is_enough(broken: dict[str, object]) -> None:
    assert HELD.held
    assert not replace(HELD, **broken).held  # type: ignore[arg-type]


def test_real_brokers_are_killed_by_turns_after_the_synthetic_ones() -> None:
    assert subjects(5, 3) == [SYNTHETIC, SYNTHETIC, RABBITMQ, KAFKA, RABBITMQ]
    assert subjects(1, 4) == [RABBITMQ]


def test_the_summary_and_the_file_have_every_kill(tmp_path: Path) -> None:
    done = [HELD, replace(HELD, kept=3, left=2, gone_after_s=None, finished=False)]
    assert summary(done).startswith("2 kills: 7 of 8 completed trials kept, 2 half lines, 1 runs ")
    assert "2 processes left" in summary(done)
    write(done, tmp_path / "stress" / "kills.csv")
    with (tmp_path / "stress" / "kills.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kept"], row["gone_after_s"]) for row in rows] == [("4", "0.1"), ("3", "")]
    assert all("cores" in row["machine"] for row in rows)


class AfterTwoTrials(random.Random):
    """Draws the moment in the middle of the third trial."""

    def randrange(self, *span: int) -> int:  # type: ignore[override]
        return 2 if len(span) == 1 else span[0]

    def random(self) -> float:
        return 0.5


def test_a_killed_run_keeps_its_trials_and_is_finished() -> None:
    kill = kill_once(SYNTHETIC, AfterTwoTrials(), number=2)
    assert kill.held, kill
    assert kill.completed >= 2
    assert kill.half_line
    assert kill.folders == ""
