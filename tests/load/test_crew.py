import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from spikebench.errors import DriverError, SpikebenchError
from spikebench.load import crew as crew_module
from spikebench.load.crew import Crew, Hand, Runtime, split_roles
from spikebench.load.generator import Roles
from spikebench.measure import processes
from tests.synthetic.workload import cargo, wiring

PYTHON = Runtime("python")

HARNESS = textwrap.dedent(
    """
    import os, time
    from spikebench.load.crew import Crew, Runtime
    crew = Crew(sorted(os.sched_getaffinity(0)))
    print(*[hand.pid for hand in crew.hands(Runtime("python"), 2)], flush=True)
    time.sleep(600)
    """
)

HUNG = textwrap.dedent(
    """
    import os, time
    from pathlib import Path
    from spikebench.load.crew import Crew, Runtime
    crew = Crew(sorted(os.sched_getaffinity(0)))
    (hand,) = crew.hands(Runtime("python"), 1)
    os.mkfifo(crew.folder / "order")
    hand._send({"verb": "begin", "name": "main", "order": str(crew.folder / "order")})
    time.sleep(1)  # it waits for somebody to write there
    print(hand.pid, flush=True)
    time.sleep(600)
    """
)


def _until(condition: Callable[[], bool], timeout_s: float = 30) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def small_crew() -> Iterator[Crew]:
    with Crew(sorted(os.sched_getaffinity(0))) as crew:
        yield crew


def open_driver(hand: Hand, driver: str, within_s: float = 60.0) -> Any:
    return hand.ask(
        "open",
        within_s=within_s,
        name="main",
        language="python",
        driver=f"tests.synthetic.driver:{driver}",
        wiring=wiring().to_json(),
        cargo=hand.hand_over(cargo(), "cargo"),
        sends=True,
        receives=[[0, 0]],
    )


def test_workers_are_kept_and_missing_ones_started(small_crew: Crew) -> None:
    (first,) = small_crew.hands(PYTHON, 1)
    again, second = small_crew.hands(PYTHON, 2)
    assert again is first
    assert len({os.getpid(), first.pid, second.pid}) == 3


def test_a_worker_runs_on_the_loads_cores() -> None:
    core = min(os.sched_getaffinity(0))
    with Crew([core]) as crew:
        assert os.sched_getaffinity(crew.hands(PYTHON, 1)[0].pid) == {core}


def test_a_workers_memory_is_given_from_few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it grows with the threads that each trial starts anew."""
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    with Crew([min(os.sched_getaffinity(0))]) as crew:
        (hand,) = crew.hands(PYTHON, 1)
        open_driver(hand, "FlawedDriver")  # it has begun by then
        environ = Path(f"/proc/{hand.pid}/environ").read_bytes().split(b"\0")
    assert b"MALLOC_ARENA_MAX=2" in environ


def test_a_worker_that_dies_is_an_error_with_its_last_words_and_is_replaced(
    small_crew: Crew,
) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    with pytest.raises(DriverError, match=r"a worker process ended: .*fatal assertion in frob"):
        open_driver(hand, "DyingDriver")
    assert _until(lambda: not hand.alive)
    (other,) = small_crew.hands(PYTHON, 1)
    assert other.pid != hand.pid
    assert open_driver(other, "FlawedDriver") == "flawed 1.0"


def test_asking_a_worker_that_is_gone_is_an_error_too(small_crew: Crew) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    os.kill(hand.pid, signal.SIGKILL)
    assert _until(lambda: not hand.alive)
    for _ in range(2):
        with pytest.raises(DriverError, match="a worker process ended: it said nothing"):
            hand.ask("progress", name="main")


def test_a_worker_that_hangs_is_ended(small_crew: Crew) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    with pytest.raises(DriverError, match="did not answer 'open' within 1 s"):
        open_driver(hand, "HangingDriver", within_s=1)
    assert not hand.alive
    assert _gone(hand.pid)
    (other,) = small_crew.hands(PYTHON, 1)
    assert open_driver(other, "FlawedDriver") == "flawed 1.0"


def test_a_refusal_is_passed_on_and_the_worker_lives(small_crew: Crew) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    with pytest.raises(DriverError, match=r"DriverError: 127\.0\.0\.1:5672 refused the user guest"):
        open_driver(hand, "RefusingDriver")
    assert hand.alive
    assert hand.ask("close", name="main") is None


def test_an_unknown_driver_is_named(small_crew: Crew) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    with pytest.raises(DriverError, match="NoSuchDriver"):
        open_driver(hand, "NoSuchDriver")


def test_a_killed_worker_leaves_what_it_used_in_its_life(small_crew: Crew) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    open_driver(hand, "FlawedDriver")
    used = processes.cpu_s([hand.pid]) or 0
    assert (hand.kill() or 0) >= used > 0
    assert not hand.alive
    assert hand.kill() is None


def test_closing_ends_all_and_leaves_nothing_behind() -> None:
    crew = Crew(sorted(os.sched_getaffinity(0)))
    hands = crew.hands(PYTHON, 2)
    folder = crew.folder
    hands[0].hand_over(cargo(), "cargo")
    crew.close()
    assert all(_gone(hand.pid) for hand in hands)
    assert not folder.exists()


def test_closing_copes_with_a_worker_that_died_before() -> None:
    crew = Crew(sorted(os.sched_getaffinity(0)))
    dead, alive = crew.hands(PYTHON, 2)
    os.kill(dead.pid, signal.SIGKILL)
    crew.close()
    assert _gone(dead.pid)
    assert _gone(alive.pid)


@pytest.mark.parametrize(("harness_of", "workers"), [(HARNESS, 2), (HUNG, 1)])
def test_no_worker_outlives_a_harness_that_was_killed(
    harness_of: str, workers: int, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", harness_of],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as harness:
        assert harness.stdout is not None
        pids = [int(pid) for pid in harness.stdout.readline().split()]
        assert len(pids) == workers
        assert not any(map(_gone, pids))
        harness.kill()
    assert _until(lambda: all(map(_gone, pids)))
    assert _until(lambda: not list(tmp_path.iterdir()))


def test_what_a_library_prints_is_no_answer(small_crew: Crew) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    assert open_driver(hand, "ChattyDriver") == "flawed 1.0"
    assert hand.ask("progress", name="main")["done"]


def test_roles_are_dealt_to_one_process_or_to_one_each() -> None:
    assert split_roles(True, 2, 1) == [Roles(True, ((0, 0), (1, 0)))]
    assert split_roles(False, 2, 2) == [
        Roles(True),
        Roles(False, ((0, 0),)),
        Roles(False, ((0, 1),)),
        Roles(False, ((1, 0),)),
        Roles(False, ((1, 1),)),
    ]


def test_a_worker_that_closed_its_pipes_and_lingers_is_not_used_again(small_crew: Crew) -> None:
    (first,) = small_crew.hands(PYTHON, 1)
    with pytest.raises(DriverError, match="a worker process ended"):
        open_driver(first, "LingeringDriver")
    assert not first.alive
    (second,) = small_crew.hands(PYTHON, 1)
    assert second is not first
    open_driver(second, "FlawedDriver")


def test_no_room_for_what_is_handed_over_says_what_to_do(
    small_crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hand,) = small_crew.hands(PYTHON, 1)
    open_driver(hand, "ChattyDriver")
    hand._scratch = tmp_path / "gone"
    with pytest.raises(SpikebenchError, match=rf"written to {tmp_path}/gone.*Make room.*TMPDIR"):
        hand.hand_over(cargo(), "cargo")
    monkeypatch.setattr(crew_module, "is_full", lambda _: True)
    with pytest.raises(DriverError, match=rf"The disk of {tmp_path}/gone is full.*TMPDIR"):
        hand.harvest("main")


def test_no_temporary_folder_for_workers_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with (
        Crew(sorted(os.sched_getaffinity(0))) as crew,
        pytest.raises(SpikebenchError, match=r"written to a temporary folder.*TMPDIR"),
    ):
        crew.hands(PYTHON, 1)
