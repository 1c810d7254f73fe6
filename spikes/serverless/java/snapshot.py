"""Snapshots of initialised Java functions, restored by CRIU: an analogue of SnapStart.

As in SnapStart, the handler is constructed and the hooks before a checkpoint have been called when
the snapshot is taken, no event has been handled (it is not primed), and the hooks after a restore
are called in each copy. The JVM is started for it with the memory and the CPU share of the trials,
because it fits itself to them once.

What it cannot show:

- SnapStart's snapshot is of a microVM, whose memory is fetched as it is used, from caches near and
  far. CRIU makes one process again and reads all of its memory first, from the page cache or the
  disk: what it takes grows with the heap at the snapshot.
- No network, so no placement and no download.
- All copies go on from one state: seeds of random numbers, identifiers made at start, cached
  credentials and times are the same in each, as in SnapStart, which tells its users to make them
  anew in the hooks after a restore (Lambda Developer Guide, "Handling uniqueness with Lambda
  SnapStart"). SnapStart does reseed ``SecureRandom`` of its Java runtimes and the kernel's source;
  here the kernel's goes on by itself and a ``SecureRandom`` seeded before the snapshot repeats.
- Environment variables are those of the snapshot, the address of the Runtime API aside.

A copy is process 1 of a process namespace of its own, so that its number is always free, and dies
with CRIU, which waits for it, is counted with it (about 8 MB), and ends with exit code 0 whatever
became of it. It has no perf data file: any JVM
that starts removes such a file where its name is no process number, and CRIU needs names of its own
for a moment. A snapshot is of one boot of one machine: later it is left behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.seal import find_damage
from spikebench.target.software import Presence, Say
from spikes.serverless import criu
from spikes.serverless.criu import Criu, find_criu, make_criu
from spikes.serverless.function import Build, Function
from spikes.serverless.group import Group, NoGroupError
from spikes.serverless.java.archive import Trainee, archive_digest
from spikes.serverless.java.package import publish
from spikes.serverless.java.perf_data import classes_loaded_at, find_perf_data
from spikes.serverless.java.rehearsal import rehearse

LEVER = "snapshot"
RESTORED = "CRIU restore: an analogue of SnapStart, not SnapStart"

_REVISION = 1
"""Grows with every change of how a snapshot is taken here, so that older ones are left behind."""

_MAIN = "spikebench.SnapshotLauncher"
_INSTEAD = f"leave the lever {LEVER} out"
_FOUND = "found.json"
_TIMEOUT_S = 300.0
_POLL_S = 0.01
_KEPT_BYTES = 4_000
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 126; shift; done; shift; exec "$@"'
_ALONE = ("unshare", "--pid", "--fork", "--kill-child", "setsid")
_AS_IT_IS = ("--manage-cgroups=ignore", "-v1")


def withheld(environ: Mapping[str, str]) -> str:
    """Say why no snapshot can be had here and what would mend it; empty where it can be tried."""
    return criu.withheld(environ)


def presence(
    trainee: Trainee, build: Build, cache: Cache, environ: Mapping[str, str], version: str
) -> Presence:
    """Look, without fetching or starting a function."""
    try:
        found = find_criu(cache, environ)
    except TargetError as error:
        return Presence(False, False, str(error), broken=True)
    if found is None:
        return Presence(False, True, f"Java {version}, and CRIU from Debian {criu.TREE.suite}")
    if find_damage(_folder(trainee, build, found, cache)) is not None:
        return Presence(
            False, True, f"Java {version}, CRIU {found.version}, a snapshot to be taken"
        )
    return Presence(True, True, f"Java {version}, CRIU {found.version}")


def snapshot_of(
    function: Function,
    trainee: Trainee,
    build: Build,
    cache: Cache,
    say: Say,
    environ: Mapping[str, str],
) -> Function:
    """Return ``function`` as one that is restored; its snapshot is taken first where it is missing.

    Raise ArtefactError where CRIU cannot be fetched, TargetError where the function fails before
    its snapshot, the kernel or CRIU refuses it, or a restored copy does not answer.
    """
    tool = make_criu(cache, environ, say)
    folder = _folder(trainee, build, tool, cache)
    if find_damage(folder) is not None:
        with cache.lock("serverless-java", say):
            _make(trainee, build.memory_mb, tool, folder, say)
    size = sum(path.stat().st_size for path in (folder / "image").iterdir())
    home = trainee.java.parent.parent
    address = _found(folder)["perf_data"]
    return replace(
        function,
        command=_restore(folder, tool),
        versions={**function.versions, "criu": tool.version, "snapshot": f"{size / 1e6:.0f} MB"},
        classes_loaded=None if address is None else _RestoredClasses(address),
        restored=RESTORED,
        reads=(home, *trainee.class_path, *tool.files),
    )


def _folder(trainee: Trainee, build: Build, tool: Criu, cache: Cache) -> Path:
    parts = (_REVISION, archive_digest(LEVER, trainee), build.memory_mb, tool.words, tool.version)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    name = f"java-{build.handler}-{trainee.major}-{LEVER}-{_boot()}-{digest}"
    return cache.root / "serverless" / name


def _boot() -> str:
    return _BOOT.read_text()[:8]


def _make(trainee: Trainee, memory_mb: int, tool: Criu, folder: Path, say: Say) -> None:
    if find_damage(folder) is None:
        return
    _remove_outlived(folder.parent)
    say(f"taking a snapshot for {folder.name}")
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "made"
        for part in (made, made / "image", made / "work"):
            part.mkdir()
        tool.try_out(made / criu.MEMORY)
        with _initialised(trainee, memory_mb, Path(name) / "ready") as function:
            function.await_ready()
            _dump(function, tool, made)
        answer = rehearse(
            _restore(made, tool), trainee.folder, trainee.environ, trainee.event, orderly=False
        )
        say(f"a copy of the snapshot answered {len(answer)} bytes")
        for left in (made / "work").iterdir():
            left.unlink()
        publish(made, folder)


def _remove_outlived(parent: Path) -> None:
    """Remove the snapshots of an earlier boot: nobody can restore them any more."""
    for path in parent.glob(f"java-*-{LEVER}-*"):
        if f"-{LEVER}-{_boot()}-" not in path.name:
            shutil.rmtree(path, ignore_errors=True)


@dataclass
class _Initialised:
    """A function that runs up to its snapshot, and our ends of its input and output."""

    process: subprocess.Popen[bytes]
    ready: Path
    input: int
    output: int
    said: bytes = b""

    @property
    def pid(self) -> int:
        """The number of the JVM, which is the only child of what was started."""
        children = psutil.Process(self.process.pid).children()
        return children[0].pid if children else self.process.pid

    def await_ready(self) -> None:
        """Wait until it says that it may be snapshot; raise TargetError where it never does."""
        until = time.monotonic() + _TIMEOUT_S
        while not self.ready.exists():
            self.listen()
            if (code := self.process.poll()) is not None:
                raise self._failed(f"the function ended with exit code {code} before its snapshot")
            if time.monotonic() > until:
                raise self._failed(f"the function was not initialised within {_TIMEOUT_S:.0f} s")
            time.sleep(_POLL_S)
        self.listen()

    def listen(self) -> None:
        """Take what it has written, so that it never waits for us."""
        with suppress(BlockingIOError):
            while data := os.read(self.output, 65_536):
                self.said = (self.said + data)[-_KEPT_BYTES:]

    def _failed(self, what: str) -> TargetError:
        self.listen()
        said = self.said.decode(errors="replace").strip()
        return TargetError(f"{what}: {said}; {_INSTEAD}")


@contextmanager
def _initialised(trainee: Trainee, memory_mb: int, ready: Path) -> Iterator[_Initialised]:
    """Start a function as process 1 of a namespace, with a trial's share; it ends with this block.

    Should we be killed, its input ends, and it goes on to find no endpoint, and ends.
    """
    group = _group(memory_mb)
    their_input, our_input = os.pipe()
    our_output, their_output = os.pipe()
    os.set_blocking(our_output, False)
    launched = replace(trainee, main=(_MAIN, *trainee.main[1:]))
    command = launched.command("-XX:+PerfDisableSharedMem")
    joins = group.joins if group else ()
    try:
        process = subprocess.Popen(
            ["sh", "-c", _JOIN, "sh", *joins, "--", *_ALONE, *command],
            cwd=trainee.folder,
            env={
                **trainee.environ,
                "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
                "SPIKEBENCH_READY": str(ready),
            },
            stdin=their_input,
            stdout=their_output,
            stderr=their_output,
        )
        try:
            yield _Initialised(process, ready, their_input, our_output)
        finally:
            process.kill()
            process.wait()
    finally:
        for descriptor in (their_input, our_input, our_output, their_output):
            os.close(descriptor)
        if group is not None:
            group.remove()


def _group(memory_mb: int) -> Group | None:
    with suppress(NoGroupError):
        return Group.create(f"spikebench-snapshot-{os.getpid()}", memory_mb)
    return None


def _dump(function: _Initialised, tool: Criu, made: Path) -> None:
    places = ("-D", str(made / "image"), "-W", str(made / "work"))
    options = ("--network-lock", "skip", *_AS_IT_IS)
    found = {
        "input": os.fstat(function.input).st_ino,
        "output": os.fstat(function.output).st_ino,
        "perf_data": find_perf_data(function.pid),
    }
    done = tool.run_here("dump", "-t", str(function.pid), *places, *options)
    if done.returncode != 0:
        said = criu.reason(done.stdout + done.stderr)
        raise TargetError(f"CRIU {tool.version} cannot take the snapshot: {said}; {_INSTEAD}")
    (made / _FOUND).write_text(json.dumps(found))


def _restore(folder: Path, tool: Criu) -> tuple[str, ...]:
    """Return the command that restores a copy with its own standard input and output."""
    found = _found(folder)
    return tool.command(
        folder / criu.MEMORY,
        "restore",
        *("-D", str(folder / "image"), "-W", str(folder / "work")),
        *("--inherit-fd", f"fd[0]:pipe:[{found['input']}]"),
        *("--inherit-fd", f"fd[1]:pipe:[{found['output']}]"),
        *_AS_IT_IS,
    )


def _found(folder: Path) -> dict[str, int | None]:
    """Return what was seen before the snapshot: inodes of its pipes, the address of perf data."""
    found: dict[str, int | None] = json.loads((folder / _FOUND).read_text())
    return found


@dataclass(frozen=True)
class _RestoredClasses:
    """Counts the classes of the JVM that a process, CRIU, has restored."""

    address: int

    def __call__(self, pid: int) -> int | None:
        with suppress(psutil.Error):
            for process in psutil.Process(pid).children():
                return classes_loaded_at(process.pid, self.address)
        return None
