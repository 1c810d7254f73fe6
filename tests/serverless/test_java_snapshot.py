import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.java import runtime_home
from spikebench.target.seal import find_damage
from spikes.serverless.box import Box
from spikes.serverless.criu import make_criu
from spikes.serverless.function import Build, Function
from spikes.serverless.java import builder, package, snapshot
from spikes.serverless.java.builder import JavaBuilder
from spikes.serverless.java.package import HANDLERS
from spikes.serverless.java.rehearsal import rehearse
from spikes.serverless.trial import Timeouts, Trial

HELLO = Build("hello", "snapshot")
DEADLINE_S = 30.0


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache with the machine's jars, runtimes and packages, but no functions."""
    shared = Cache.open()
    own = tmp_path / "cache"
    own.mkdir()
    for name in ("java", "maven", "debian"):
        (own / name).symlink_to(shared.folder(name))
    return Cache(own)


@pytest.fixture
def function(cache: Cache) -> Function:
    """A function that is restored; where there can be none, the row must say why."""
    java = JavaBuilder(17)
    if why := java.withheld(HELLO):
        assert "CRIU" in why or "util-linux" in why
        assert java.presence(HELLO, cache).detail == why
        pytest.skip(why)
    return java.build(HELLO, cache, print)


def _answer(function: Function) -> object:
    event = (HANDLERS / "hello" / "event.json").read_bytes()
    return json.loads(
        rehearse(function.command, function.folder, function.environ, event, orderly=False)
    )


def _folder(cache: Cache) -> Path:
    (folder,) = cache.folder("serverless").glob("java-hello-17-snapshot-*")
    return folder


@dataclass
class _Copy:
    criu: subprocess.Popen[bytes]
    mark: bytes
    called: bool

    @property
    def jvm(self) -> psutil.Process:
        (child,) = psutil.Process(self.criu.pid).children()
        return child


@contextmanager
def _copy(function: Function, tmp_path: Path, name: str) -> Iterator[_Copy]:
    """A restored copy that waits for its first event, which never comes."""
    mark = tmp_path / name
    os.mkfifo(mark)
    with socket.create_server(("127.0.0.1", 0)) as endpoint:
        endpoint.settimeout(DEADLINE_S)
        process = subprocess.Popen(
            function.command,
            cwd=function.folder,
            env={
                **function.environ,
                "SPIKEBENCH_MARK": str(mark),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{endpoint.getsockname()[1]}",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            },
            stdin=subprocess.DEVNULL,
        )
        try:
            with mark.open("rb") as pipe:
                said = pipe.read()
            peer = endpoint.accept()[0]
            with peer:
                called = peer.recv(4096).startswith(b"GET /2018-06-01/runtime/invocation/next ")
                yield _Copy(process, said, called)
        finally:
            process.kill()
            process.wait()


def _is_gone(process: psutil.Process) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
                continue
        return True
    return False


def test_where_there_is_no_criu_the_row_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    presence = JavaBuilder(17).presence(HELLO, Cache(tmp_path))
    assert not presence.ready
    assert not presence.obtainable
    assert presence.detail == "CRIU needs root: run as root"


@pytest.mark.slow
def test_copies_answer_one_after_the_other(function: Function, cache: Cache) -> None:
    expected = json.loads((HANDLERS / "hello" / "response.json").read_text())
    assert [_answer(function) for _ in range(3)] == [expected] * 3
    assert function.restored == "CRIU restore: an analogue of SnapStart, not SnapStart"
    assert find_damage(_folder(cache)) is None
    assert JavaBuilder(17).presence(HELLO, cache).ready
    assert JavaBuilder(17).build(HELLO, cache, print) == function


@pytest.mark.slow
def test_copies_live_beside_each_other_and_die_with_their_criu(
    function: Function, tmp_path: Path
) -> None:
    assert function.classes_loaded is not None
    with _copy(function, tmp_path, "a") as one, _copy(function, tmp_path, "b") as other:
        jvms = [one.jvm, other.jvm]
        assert [each.mark for each in (one, other)] == [b"u", b"u"]
        assert one.called
        assert other.called
        assert {process.name() for process in jvms} == {"java"}
        for each in (one, other):
            count = function.classes_loaded(each.criu.pid)
            assert count is not None
            assert 300 < count < 5_000
        jvms[0].kill()
        one.criu.wait(DEADLINE_S)  # with exit code 0, whatever became of the copy
        assert jvms[1].is_running()
    assert all(_is_gone(process) for process in jvms)


@pytest.mark.slow
def test_a_damaged_snapshot_is_an_error_and_taken_again(function: Function, cache: Cache) -> None:
    image = next((_folder(cache) / "image").glob("core-1.img"))
    image.write_bytes(image.read_bytes()[:-40])
    with pytest.raises(TargetError, match=r"(?s)exit code 1 before it answered: .*core-1\.img"):
        _answer(function)
    status, why = Trial(function, b"{}", {}, Box(1769), Timeouts()).run(1)
    assert status == "failed"
    assert "it ended before its first call for an event: exit code 1; its last words: Error" in why
    assert "core-1.img" in why
    assert not JavaBuilder(17).presence(HELLO, cache).ready
    said = list[str]()
    again = JavaBuilder(17).build(HELLO, cache, said.append)
    assert said[0].startswith("taking a snapshot for java-hello-17-snapshot-")
    assert _answer(again) == json.loads((HANDLERS / "hello" / "response.json").read_text())


@pytest.mark.slow
@pytest.mark.usefixtures("function")
def test_a_function_that_cannot_answer_has_no_snapshot(cache: Cache) -> None:
    home, tool = runtime_home(17, cache, print), make_criu(cache, {}, print)
    made = package.make_package(package.SOURCES["hello"], cache, print)
    trainee = builder._trainee(17, home, HELLO, made, package.make_platform(cache, print))
    folder = cache.folder("serverless") / "java-hello-17-snapshot-broken"
    for main, options, complaint in (
        (("", "no.Such"), trainee.options, "Class not found: no.Such"),
        (trainee.main, ("-XX:NoSuchOption",), "exit code 1 before its snapshot: Unrec"),
    ):
        broken = replace(trainee, main=main, options=options)
        with pytest.raises(TargetError, match=complaint):
            snapshot._make(broken, 1769, tool, folder, print)
        assert not folder.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("function")
def test_snapshots_of_an_earlier_boot_are_removed(cache: Cache) -> None:
    parent, now = cache.folder("serverless"), _folder(cache)
    old = parent / "java-hello-17-snapshot-00000000-0123456789abcdef"
    other = parent / "java-hello-17-appcds-0123456789abcdef"
    for folder in (old, other):
        folder.mkdir()
    snapshot._remove_outlived(parent)
    assert [path.exists() for path in (old, other, now)] == [False, True, True]
