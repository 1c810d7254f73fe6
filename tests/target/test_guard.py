import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from spikebench.target.guard import Charge, Guard

SERVER = textwrap.dedent(
    """
    import os, signal, sys, time
    # A daemon, as Erlang's port mapper is: forked twice, in a session of its own.
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        {ignore}
    else:
        os.wait()
    with open(f"pid-{{os.getpid()}}", "w"): pass
    time.sleep(600)
    """
)

HARNESS = textwrap.dedent(
    """
    import json, os, sys, time
    from spikebench.target.guard import Charge, Guard
    guard = Guard(Charge(**json.loads(sys.argv[1])))
    print(guard.pid, flush=True)
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


def _pids(folder: Path) -> list[int]:
    return [int(path.name[4:]) for path in folder.glob("pid-*")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


def _charge(folder: Path, *, stubborn: bool = False, grace_s: float = 5) -> Charge:
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if stubborn else ""
    return Charge(
        command=[sys.executable, "-c", SERVER.format(ignore=ignore)],
        environ={"PATH": os.defpath},
        folder=str(folder),
        log=str(folder / "log"),
        grace_s=grace_s,
        remove=[str(folder)],
        at_death=["/bin/sh", "-c", f"echo $$ > {folder.parent}/last"],
    )


@pytest.fixture
def harness(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int, list[int]]]:
    """A harness in a process of its own, with the pids of its watch and of its servers."""
    charge = json.dumps(_charge(folder).__dict__)
    process = subprocess.Popen(
        [sys.executable, "-c", HARNESS, charge], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    watch = int(process.stdout.readline())
    assert _until(lambda: len(_pids(folder)) == 2)
    yield process, watch, _pids(folder)
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("paused", [False, True])
def test_a_harness_that_dies_leaves_nothing(
    harness: tuple[subprocess.Popen[str], int, list[int]],
    folder: Path,
    number: signal.Signals,
    paused: bool,
) -> None:
    process, watch, servers = harness
    for pid in servers if paused else ():
        os.kill(pid, signal.SIGSTOP)
    process.send_signal(number)
    assert _until(lambda: all(map(_gone, [watch, *servers])))
    assert not folder.exists()
    assert (folder.parent / "last").exists()


def test_a_watch_told_to_end_ends_all(
    harness: tuple[subprocess.Popen[str], int, list[int]], folder: Path
) -> None:
    _, watch, servers = harness
    os.kill(watch, signal.SIGTERM)
    assert _until(lambda: all(map(_gone, [watch, *servers])))
    assert not folder.exists()


def test_the_end_may_be_asked_for_twice(folder: Path) -> None:
    guard = Guard(_charge(folder))
    assert _until(lambda: len(_pids(folder)) == 2)
    pids = _pids(folder)
    assert guard.server_pid in pids
    guard.end()
    guard.end()
    assert all(map(_gone, pids))
    assert not folder.exists()
    assert not guard.alive()
    assert (folder.parent / "last").exists()


def test_who_ignores_a_polite_signal_is_killed(folder: Path) -> None:
    guard = Guard(_charge(folder, stubborn=True, grace_s=0.2))
    assert _until(lambda: len(_pids(folder)) == 2)
    pids = _pids(folder)
    guard.end()
    assert all(map(_gone, pids))


def test_a_server_that_ends_takes_its_children_along_but_leaves_its_log(folder: Path) -> None:
    guard = Guard(_charge(folder))
    assert _until(lambda: len(_pids(folder)) == 2)
    assert guard.exit_code() is None
    assert guard.server_pid is not None
    os.kill(guard.server_pid, signal.SIGKILL)
    assert _until(lambda: all(map(_gone, _pids(folder))))
    assert _until(lambda: guard.exit_code() == -signal.SIGKILL)
    assert (folder / "log").exists()
    guard.end()
    assert not folder.exists()


def test_a_program_that_is_not_there_is_told_in_the_log(folder: Path) -> None:
    charge = Charge(command=["/no/such"], folder=str(folder), log=str(folder / "log"))
    guard = Guard(charge)
    assert _until(lambda: guard.exit_code() == 127)
    assert "cannot start /no/such" in (folder / "log").read_text()
    guard.end()


def test_a_command_alone_is_run_at_the_end(tmp_path: Path) -> None:
    guard = Guard(Charge(at_death=["/bin/sh", "-c", f"touch {tmp_path}/last"]))
    assert guard.server_pid is None
    assert guard.alive()
    guard.end()
    assert (tmp_path / "last").exists()


def test_a_dismissed_watch_does_nothing(tmp_path: Path) -> None:
    guard = Guard(
        Charge(at_death=["/bin/sh", "-c", f"touch {tmp_path}/last"], remove=[str(tmp_path)])
    )
    guard.dismiss()
    assert not guard.alive()
    assert list(tmp_path.iterdir()) == []


def test_a_watch_is_small(folder: Path) -> None:
    guard = Guard(_charge(folder))
    try:
        assert psutil.Process(guard.pid).memory_info().rss < 25_000_000
    finally:
        guard.end()
