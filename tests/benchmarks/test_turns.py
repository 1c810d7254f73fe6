from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.turns import Client, Turn, await_records, by_turns, per_s

COUNTS = """
import sys, time
while True:
    with open(sys.argv[1], "ab") as log:
        log.write(b"x")
    time.sleep(0.005)
"""


def counting(folder: Path, name: str) -> tuple[subprocess.Popen[bytes], Client]:
    """A process that appends a byte to a file again and again, and how many it has appended."""
    log = folder / name
    log.touch()
    process = subprocess.Popen([sys.executable, "-c", COUNTS, str(log)])
    return process, Client(process.pid, lambda: log.stat().st_size)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Client]]:
    started = [counting(tmp_path, name) for name in ("a", "b")]
    yield [client for _, client in started]
    for process, _ in started:
        process.kill()
        process.wait()


def stopped(client: Client) -> bool:
    return psutil.Process(client.pid).status() == psutil.STATUS_STOPPED


def test_one_runs_while_the_other_is_stopped(two: list[Client]) -> None:
    await_records(two, within_s=10)
    seen: list[tuple[bool, bool]] = []

    def watched(client: Client) -> Client:
        def records() -> int:
            seen.append((stopped(two[0]), stopped(two[1])))
            return client.records()

        return Client(client.pid, records)

    a, b = by_turns([watched(client) for client in two], rounds=2)
    assert set(seen) == {(True, True)}, "counted while nobody runs"
    assert [len(a), len(b)] == [2, 2]
    assert all(turn.records > 0 for turn in (*a, *b))


def test_all_of_a_turn_is_counted_and_nothing_of_another(two: list[Client]) -> None:
    await_records(two, within_s=10)
    for client in two:
        os.kill(client.pid, signal.SIGSTOP)
    time.sleep(0.1)
    before = [client.records() for client in two]
    turns = by_turns(two, rounds=3)
    for client in two:
        os.kill(client.pid, signal.SIGSTOP)
    time.sleep(0.1)
    # what came after the last turn, when all run on, is in neither
    for client, its, was in zip(two, turns, before, strict=True):
        assert 0 < sum(turn.records for turn in its) <= client.records() - was


def test_all_run_on_afterwards_and_after_an_error(two: list[Client]) -> None:
    def broken() -> int:
        raise ConnectionError("no broker")

    with pytest.raises(ConnectionError):
        by_turns([two[0], Client(two[1].pid, broken)], rounds=1)
    assert not any(stopped(client) for client in two)


def test_a_client_that_sends_nothing_is_not_waited_for_for_ever() -> None:
    with pytest.raises(TimeoutError, match="has sent nothing"):
        await_records([Client(os.getpid(), lambda: 0)], within_s=0.1)


def test_a_rate_is_that_of_the_time_in_which_a_client_ran() -> None:
    assert per_s([Turn(100, 0.5), Turn(500, 1.5)]) == 300
