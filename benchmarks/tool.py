"""A vendor's own tool, run as a process on the load's cores, Java with our generator's flags."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rig import Rig
from spikebench.errors import SpikebenchError
from spikebench.load.jvm import JVM_OPTIONS
from spikebench.target.maven import class_path

ARTEFACTS = Path(__file__).parents[1] / "spikes" / "messaging" / "artefacts"
TIMEOUT_S = 180.0
LOOK_EVERY_S = 0.5
CLOSING_S = 10.0


class ToolError(SpikebenchError):
    """A vendor's tool ended badly, hung, or printed what nobody expected."""


@dataclass(frozen=True)
class JavaTool:
    """A Java program by its main class and its class path: ``class_path``, then that of lock files.

    ``options`` are for the JVM, and go before our generator's where the two disagree.
    """

    main: str
    locks: Sequence[Path] = field(default_factory=tuple)
    class_path: Sequence[Path] = field(default_factory=tuple)
    options: Sequence[str] = field(default_factory=tuple)

    def run(
        self,
        rig: Rig,
        arguments: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        ended: Callable[[], bool] | None = None,
        started: Callable[[int], None] | None = None,
    ) -> str:
        """Run it to its end and return what it printed; raise ToolError with its last words.

        ``environ`` is for what must not be seen in a list of processes; ``folder`` is where it
        runs. ``ended`` is for a program that does its work and stays: it is then ended.
        ``started`` is told its process number.
        """
        locked = [jar for lock in self.locks for jar in class_path(lock, rig.cache, rig.say)]
        jars = ":".join(map(str, (*self.class_path, *locked)))
        java = [str(rig.java_home / "bin" / "java"), *JVM_OPTIONS, *self.options, "-cp", jars]
        command = [*java, self.main, *arguments]
        process = _begun(command, rig.cores.load, environ or {}, folder)
        if started is not None:
            started(process.pid)
        return _finished(process, self.main, ended)


@dataclass(frozen=True)
class PythonTool:
    """A Python program by its module, run by the interpreter that runs the benchmarks."""

    module: str

    def run(self, rig: Rig, arguments: Sequence[str]) -> str:
        """Run it to its end and return what it printed; raise ToolError with its last words."""
        command = [sys.executable, "-m", self.module, *arguments]
        return _finished(_begun(command, rig.cores.load, {}), self.module)


def _begun(
    command: Sequence[str],
    cores: Sequence[int],
    environ: Mapping[str, str],
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    # A child inherits the cores of the thread that starts it.
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environ},
            cwd=folder,
        )
    finally:
        os.sched_setaffinity(0, before)


def _finished(
    process: subprocess.Popen[str], name: str, ended: Callable[[], bool] | None = None
) -> str:
    try:
        printed, complaints = _communicated(process, ended)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise ToolError(f"{name} did not end within {TIMEOUT_S:.0f} s; is its server up?") from None
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode != 0 and not (ended and ended()):
        words = " | ".join((complaints or printed).strip().splitlines()[-5:])
        raise ToolError(f"{name} ended with code {process.returncode}: {words}")
    return printed


def _communicated(
    process: subprocess.Popen[str], ended: Callable[[], bool] | None
) -> tuple[str, str]:
    """What it printed and complained of; raises TimeoutExpired where it does not end in time."""
    if ended is None:
        return process.communicate(timeout=TIMEOUT_S)
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline and not ended():
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=LOOK_EVERY_S)
    if ended():
        process.terminate()
    return process.communicate(timeout=CLOSING_S)


def unexpected(name: str, printed: str) -> ToolError:
    """The error for output that could not be read, with the end of it."""
    tail = "\n".join(printed.strip().splitlines()[-5:]) or "(nothing)"
    return ToolError(
        f"{name} printed no result that this benchmark can read; its last lines:\n{tail}\n"
        "Has its version changed? Its parser stands in benchmarks/."
    )
