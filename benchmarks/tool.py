"""A vendor's own tool, run as a process on the load's cores, Java with our generator's flags."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rig import Rig
from spikebench.errors import SpikebenchError
from spikebench.load.jvm import JVM_OPTIONS
from spikebench.target.maven import class_path

ARTEFACTS = Path(__file__).parents[1] / "spikes" / "messaging" / "artefacts"
TIMEOUT_S = 180.0


class ToolError(SpikebenchError):
    """A vendor's tool ended badly, hung, or printed what nobody expected."""


@dataclass(frozen=True)
class JavaTool:
    """A Java program by its main class and the lock files of its class path."""

    main: str
    locks: Sequence[Path] = field(default_factory=tuple)

    def run(
        self, rig: Rig, arguments: Sequence[str], environ: Mapping[str, str] | None = None
    ) -> str:
        """Run it to its end and return what it printed; raise ToolError with its last words.

        ``environ`` is for what must not be seen in a list of processes.
        """
        jars = [str(jar) for lock in self.locks for jar in class_path(lock, rig.cache, rig.say)]
        java = [str(rig.java_home / "bin" / "java"), *JVM_OPTIONS, "-cp", ":".join(jars)]
        return _output([*java, self.main, *arguments], rig.cores.load, environ or {}, self.main)


@dataclass(frozen=True)
class PythonTool:
    """A Python program by its module, run by the interpreter that runs the benchmarks."""

    module: str

    def run(self, rig: Rig, arguments: Sequence[str]) -> str:
        """Run it to its end and return what it printed; raise ToolError with its last words."""
        return _output(
            [sys.executable, "-m", self.module, *arguments], rig.cores.load, {}, self.module
        )


def _output(
    command: Sequence[str], cores: Sequence[int], environ: Mapping[str, str], name: str
) -> str:
    # A child inherits the cores of the thread that starts it.
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environ},
        )
    finally:
        os.sched_setaffinity(0, before)
    return _finished(process, name)


def _finished(process: subprocess.Popen[str], name: str) -> str:
    try:
        printed, complaints = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise ToolError(f"{name} did not end within {TIMEOUT_S:.0f} s; is its server up?") from None
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode != 0:
        words = " | ".join((complaints or printed).strip().splitlines()[-5:])
        raise ToolError(f"{name} ended with code {process.returncode}: {words}")
    return printed


def unexpected(name: str, printed: str) -> ToolError:
    """The error for output that could not be read, with the end of it."""
    tail = "\n".join(printed.strip().splitlines()[-5:]) or "(nothing)"
    return ToolError(
        f"{name} printed no result that this benchmark can read; its last lines:\n{tail}\n"
        "Has its version changed? Its parser stands in benchmarks/."
    )
