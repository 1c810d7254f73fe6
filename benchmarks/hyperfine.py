"""hyperfine, which times commands from before they are made until they have ended.

https://github.com/sharkdp/hyperfine; ``--shell=none`` (1.13 and later) makes the process itself.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.tool import ToolError
from spikebench.target.cache import Cache
from spikebench.target.debian import DebianTree
from spikebench.target.ports import LOOPBACK
from spikebench.target.software import Say
from spikes.serverless.box import API_VARIABLE
from spikes.serverless.function import Function
from spikes.serverless.trial import undisturbed

RUN_TIMEOUT_S = 60.0
NEXT = b"/2018-06-01/runtime/invocation/next"
_KILLED = 128 + signal.SIGKILL

TREE = DebianTree(
    "hyperfine", "hyperfine", "Install hyperfine: on Debian or Ubuntu `apt-get install hyperfine`."
)


def find_hyperfine(cache: Cache, say: Say) -> Path:
    """Return the machine's own hyperfine, or Debian's, unpacked into the cache.

    Raises ArtefactError, which says how to get it, where it can't be had.
    """
    if own := shutil.which("hyperfine"):
        return Path(own)
    return TREE.unpack(cache, say) / "usr" / "bin" / "hyperfine"


@dataclass(frozen=True)
class Hyperfine:
    """Times a start of a function's command on ``cpus``: one each time it is run.

    Several in a row would find the core as they left it, and by turns is how both tools are fair.
    """

    executable: Path
    cpus: Sequence[int]

    def to_end_s(self, function: Function) -> float:
        """Seconds of a command that ends by itself; ToolError where its code is another than 0."""
        with undisturbed(self.cpus), self._running(function, {}) as started:
            return started.time_s(0)

    def to_next_s(self, function: Function) -> float:
        """Seconds of a function that is killed as soon as it asks for an event.

        Who listens is a bare socket: nothing of the harness's own endpoint, mark or starter is in
        it. Raises ToolError where it ends before, or does not ask.
        """
        with socket.create_server((LOOPBACK, 0)) as listener:
            listener.settimeout(RUN_TIMEOUT_S)
            api = f"{LOOPBACK}:{listener.getsockname()[1]}"
            with undisturbed(self.cpus), self._running(function, {API_VARIABLE: api}) as started:
                _kill_at_call(listener, started.process)
                return started.time_s(_KILLED)

    @contextmanager
    def _running(self, function: Function, environ: Mapping[str, str]) -> Iterator[_Started]:
        with tempfile.TemporaryDirectory(prefix="spikebench-hyperfine-") as name:
            export, log = Path(name) / "times.json", Path(name) / "log"
            command = [str(self.executable), "--shell=none", "--ignore-failure", "--style=none"]
            command += ["--runs=1", f"--export-json={export}"]
            with log.open("wb") as output, _on(self.cpus):
                process = subprocess.Popen(
                    [*command, shlex.join(function.command)],
                    cwd=function.folder,
                    env={**function.environ, **environ},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            try:
                yield _Started(process, export, log)
            finally:
                _end(process)


@dataclass(frozen=True)
class _Started:
    process: subprocess.Popen[bytes]
    export: Path
    log: Path

    def time_s(self, code: int) -> float:
        """The seconds of the start, once it has ended, which must be with ``code``."""
        try:
            self.process.wait(RUN_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"hyperfine did not end in {RUN_TIMEOUT_S:g} s") from error
        if self.process.returncode != 0 or not self.export.exists():
            raise ToolError(f"hyperfine failed: {self.log.read_text(errors='replace')[-500:]}")
        (result,) = json.loads(self.export.read_text())["results"]
        if result["exit_codes"] != [code]:
            raise ToolError(f"a timed command ended with {result['exit_codes']}, not {code}")
        (time_s,) = result["times"]
        return float(time_s)


def _kill_at_call(listener: socket.socket, process: subprocess.Popen[bytes]) -> None:
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(RUN_TIMEOUT_S)
                if _is_call(connection):
                    os.kill(_child(process.pid), signal.SIGKILL)
                    return
    except TimeoutError as error:
        raise ToolError(f"no call for an event within {RUN_TIMEOUT_S:g} s of a start") from error


def _is_call(connection: socket.socket) -> bool:
    """Whether what comes asks for an event, as far as its first line says."""
    head = b""
    while b"\n" not in head:
        if not (data := connection.recv(4096)):
            return False
        head += data
    return NEXT in head.split(b"\n")[0]


def _child(pid: int) -> int:
    """The one process that hyperfine has started; by the kernel's own list where it keeps one."""
    found = [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text().split()
    ] or [child.pid for child in psutil.Process(pid).children()]
    if len(found) != 1:
        raise ToolError(f"hyperfine has {len(found)} processes where it should have one")
    return found[0]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End hyperfine and what it has started, where they still run."""
    if process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
    process.wait()


@contextmanager
def _on(cpus: Sequence[int]) -> Iterator[None]:
    """Have what is started meanwhile run on ``cpus``: a process inherits its starter's."""
    before = os.sched_getaffinity(0)
    if cpus:
        os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
