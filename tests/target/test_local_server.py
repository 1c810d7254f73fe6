import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from spikebench.errors import TargetError
from spikebench.target import scratch
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.ports import answers, free_ports
from spikebench.target.small_disk import fill
from spikebench.target.software import Cores

CORES = Cores(server=[min(os.sched_getaffinity(0))], load=[max(os.sched_getaffinity(0))])

SERVER = textwrap.dedent(
    """
    import os, socket, sys, time
    print("secret word:", os.environ["WORD"], flush=True)
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    if os.fork() == 0:
        time.sleep(600)
    if os.fork() == 0:
        begun = time.process_time()
        while time.process_time() - begun < 0.3:
            pass
        os._exit(0)
    os.wait()
    print("up", flush=True)
    while True:
        server.accept()[0].close()
    """
)


class Example:
    """Plans for a small server of our own, and the folders it was started in."""

    def __init__(self, **changes: object) -> None:
        self.changes = changes
        self.folders: list[Path] = []
        self.ports: list[int] = []

    def __call__(self, folder: Path) -> Launch:
        """Plan one start."""
        self.folders.append(folder)
        port = self.ports.pop(0) if self.ports else free_ports(1)[0]
        settings: dict[str, object] = {
            "command": [sys.executable, "-c", SERVER, str(port)],
            "connection": {"host": "127.0.0.1", "port": str(port), "password": "s3cret"},
            "listens": [port],
            "ready": lambda: answers("127.0.0.1", port),
            "environ": {"WORD": "s3cret"},
            # The interpreter that runs these tests may lie where an ordinary user can't look.
            "as_ordinary_user": False,
            "timeout_s": 30.0,
        }
        return Launch(**(settings | self.changes))  # type: ignore[arg-type]


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _until(condition: Callable[[], bool], timeout_s: float = 30) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def example() -> Example:
    return Example()


@pytest.fixture
def server(example: Example) -> Iterator[LocalServer]:
    running = LocalServer.start("example", example, CORES, print)
    yield running
    running.stop()


def test_a_server_answers_and_is_accounted_for(server: LocalServer) -> None:
    assert server.alive()
    assert server.startup_s is not None
    assert server.startup_s > 0
    assert len(server.pids) >= 2
    # The child that used 0.3 s has ended, and counts all the same; rounding to ticks takes some.
    assert _until(lambda: (server.cpu_s() or 0) >= 0.2)
    assert (server.peak_rss_bytes() or 0) > 1_000_000


def test_it_keeps_to_its_cores(server: LocalServer) -> None:
    for pid in server.pids:
        assert psutil.Process(pid).cpu_affinity() == list(CORES.server)


def test_stopping_ends_all_and_is_safe_to_repeat(server: LocalServer, example: Example) -> None:
    pids = server.pids
    server.stop()
    assert all(map(_gone, pids))
    assert not example.folders[0].exists()
    server.stop()
    server.pause()
    server.resume()
    assert not server.alive()
    assert (server.cpu_s() or 0) > 0
    assert (server.peak_rss_bytes() or 0) > 0
    assert "secret word" in server.log_tail()


def test_a_paused_server_does_not_run_until_it_is_resumed(server: LocalServer) -> None:
    server.pause()
    stopped = {psutil.STATUS_STOPPED}
    # The kernel stops a process at the next moment that it could run, which may be a little later.
    assert _until(lambda: {psutil.Process(pid).status() for pid in server.pids} == stopped)
    assert server.alive()
    server.resume()
    assert answers("127.0.0.1", int(server.connection["port"]))
    assert psutil.STATUS_STOPPED not in {psutil.Process(pid).status() for pid in server.pids}


def test_a_crashed_server_starts_again_on_its_data(server: LocalServer, example: Example) -> None:
    (example.folders[0] / "kept").write_text("by the server")
    before, used = server.pids, server.cpu_s() or 0
    server.crash()
    assert all(map(_gone, before))
    assert not server.alive()
    server.start_again()
    assert server.alive()
    assert answers("127.0.0.1", int(server.connection["port"]))
    assert not set(before) & set(server.pids)
    assert (example.folders[0] / "kept").read_text() == "by the server"
    assert (server.cpu_s() or 0) >= used
    assert server.ports == {int(server.connection["port"])}


def test_what_a_server_used_before_it_was_killed_is_kept_and_what_it_uses_after_added(
    server: LocalServer,
) -> None:
    """A child burns 0.3 s of CPU in each of its two lives."""
    assert _until(lambda: (server.cpu_s() or 0) >= 0.28)
    server.crash()
    used = server.cpu_s() or 0
    server.start_again()
    assert _until(lambda: (server.cpu_s() or 0) >= used + 0.28)


def test_a_server_that_crashed_can_be_stopped(server: LocalServer, example: Example) -> None:
    server.crash()
    server.stop()
    assert not example.folders[0].exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_small_disk_can_be_filled_freed_and_goes_with_the_server(
    server: LocalServer, example: Example
) -> None:
    folder = example.folders[0]
    (folder / "kept").write_text("by the server")
    server.confine()
    assert folder.is_mount()
    assert (folder / "kept").read_text() == "by the server"
    assert shutil.disk_usage(folder).total < 400_000_000
    server.fill_disk()
    with pytest.raises(OSError, match="No space left"):
        (folder / "more").write_bytes(bytes(1 << 20))
    server.free_disk()
    (folder / "more").write_bytes(bytes(1 << 20))
    server.stop()
    assert not folder.exists()


def test_a_paused_server_can_be_stopped(server: LocalServer) -> None:
    pids = server.pids
    server.pause()
    server.stop()
    assert all(map(_gone, pids))


def test_a_server_that_dies_is_noticed(server: LocalServer) -> None:
    os.kill(server.pids[0], signal.SIGKILL)
    assert _until(lambda: not server.alive())
    with pytest.raises(TargetError, match="example ended with code -9"):
        server.resume()


def test_what_outlives_a_killed_watch_is_found(server: LocalServer, example: Example) -> None:
    pids = server.pids
    os.kill(server._guard.pid, signal.SIGKILL)
    assert _until(lambda: not server.alive())
    server.stop()
    assert _until(lambda: all(map(_gone, pids)))
    assert not example.folders[0].exists()


def test_secrets_are_neither_shown_nor_logged(server: LocalServer) -> None:
    assert "secret word: ***" in server.log_tail()
    assert "s3cret" not in f"{server!r} {server.connection!r} {server.log_tail()}"


def test_a_server_that_ends_early_shows_its_log() -> None:
    command = [sys.executable, "-c", "print('no such option'); raise SystemExit(3)"]
    example = Example(command=command)
    with pytest.raises(TargetError, match=r"ended with code 3(.|\n)*no such option(.|\n)*doctor"):
        LocalServer.start("example", example, CORES, print)
    assert [folder.exists() for folder in example.folders] == [False]


def test_a_server_that_never_answers_shows_its_log() -> None:
    example = Example(ready=lambda: False, timeout_s=1.0)
    with pytest.raises(TargetError, match=r"was not up within 1 s(.|\n)*secret word"):
        LocalServer.start("example", example, CORES, print)
    assert [folder.exists() for folder in example.folders] == [False]


def test_a_taken_port_is_given_up_once(example: Example) -> None:
    said = list[str]()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        example.ports = [stranger.getsockname()[1], free_ports(1)[0]]
        server = LocalServer.start("example", example, CORES, said.append)
    assert server.alive()
    assert said == ["example: a port was taken meanwhile, trying others"]
    assert [folder.exists() for folder in example.folders] == [False, True]
    server.stop()


def test_ports_that_are_always_taken_are_one_error(example: Example) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        example.ports = [stranger.getsockname()[1]] * 2
        with pytest.raises(TargetError, match="Address already in use"):
            LocalServer.start("example", example, CORES, print)
    assert len(example.folders) == 2


def test_a_stranger_on_the_port_does_not_answer_for_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        silent = Example(
            command=[sys.executable, "-c", "import time; time.sleep(600)"],
            listens=[port],
            ready=lambda: True,
            timeout_s=1.0,
        )
        with pytest.raises(TargetError, match="was not up within 1 s"):
            LocalServer.start("example", silent, CORES, print)


def test_a_disk_that_is_full_is_one_clear_error() -> None:
    folders = list[Path]()

    def prepare(folder: Path) -> Launch:
        folders.append(folder)
        raise OSError(28, "No space left on device", str(folder))

    with pytest.raises(TargetError, match=r"No space left on device. Make room .*TMPDIR"):
        LocalServer.start("example", prepare, CORES, print)
    assert [folder.exists() for folder in folders] == [False]


def test_a_server_that_finds_its_disk_full_says_where_to_make_room() -> None:
    says = "raise SystemExit('cannot write: No space left on device')"
    example = Example(command=[sys.executable, "-c", says])
    with pytest.raises(TargetError) as raised:
        LocalServer.start("example", example, CORES, print)
    parent = re.escape(str(example.folders[0].parent))
    assert re.search(rf"The disk of {parent} is full\. Make room .*TMPDIR", str(raised.value))
    assert "doctor" not in str(raised.value)


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of a few MB for temporary files, taken for a real disk."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=1777", "spikebench", str(tmp_path)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_parent", lambda _: tmp_path)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_disk_too_full_for_the_servers_log_is_told_all_the_same(small_disk: Path) -> None:
    class Filling(Example):
        def __call__(self, folder: Path) -> Launch:
            fill(small_disk)
            return super().__call__(folder)

    writes = "import pathlib; pathlib.Path('data').write_bytes(bytes(1 << 16))"
    example = Filling(command=[sys.executable, "-c", writes])
    with pytest.raises(TargetError, match=rf"(.|\n)*The disk of {small_disk} is full\. Make room"):
        LocalServer.start("example", example, CORES, print)
    assert [folder.exists() for folder in example.folders] == [False]


def test_an_interrupted_start_leaves_nothing() -> None:
    pids = list[int]()
    others = set(psutil.Process().children(recursive=True))

    def interrupt() -> bool:
        ours = set(psutil.Process().children(recursive=True)) - others
        pids.extend(child.pid for child in ours)
        raise KeyboardInterrupt

    example = Example(ready=interrupt)
    with pytest.raises(KeyboardInterrupt):
        LocalServer.start("example", example, CORES, print)
    assert len(pids) >= 2
    assert all(map(_gone, pids))
    assert [folder.exists() for folder in example.folders] == [False]


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs servers as himself")
def test_root_starts_servers_as_an_ordinary_user() -> None:
    script = "id -u; id -G; touch mine && echo can write; exit 9"
    example = Example(command=["/bin/sh", "-c", script], as_ordinary_user=True)
    with pytest.raises(TargetError, match=r"65534\n65534\ncan write"):
        LocalServer.start("example", example, CORES, print)


def test_a_server_started_in_a_thread_outlives_the_thread(example: Example) -> None:
    started = list[LocalServer]()
    thread = threading.Thread(
        target=lambda: started.append(LocalServer.start("example", example, CORES, print))
    )
    thread.start()
    thread.join(60)
    (server,) = started
    # Longer than a watch takes to look after its parent.
    time.sleep(1.5)
    assert server.alive()
    server.stop()
