"""A server started by us as a tree of processes on this machine."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from spikebench.errors import TargetError
from spikebench.target import small_disk
from spikebench.target.connection import PrivateConnection
from spikebench.target.guard import Charge, Guard
from spikebench.target.ports import is_taken
from spikebench.target.scratch import (
    MAKE_ROOM,
    Account,
    give,
    is_full,
    make_scratch,
    ordinary_account,
)
from spikebench.target.software import Cores, Say
from spikebench.target.tree import ProcessTree, kill_marked

_MARK = "SPIKEBENCH_SERVER"
_TAIL_LINES = 20
_POLL_S = 0.05
_IN_USE = re.compile(r"address (is )?already in use|eaddrinuse", re.IGNORECASE)
_NO_SPACE = re.compile(r"no space left|enospc", re.IGNORECASE)


@dataclass(frozen=True)
class Launch:
    """How one attempt starts a server whose data lies in a folder of its own.

    It is up when its processes listen on every port of ``listens`` and ``ready`` says so.
    ``as_ordinary_user`` is False only for a program that gives up root by itself.
    ``grace_s`` is how long it may take to end before it is killed; its data is thrown away.
    """

    command: Sequence[str]
    connection: Mapping[str, str]
    listens: Sequence[int]
    ready: Callable[[], bool]
    environ: Mapping[str, str] = field(default_factory=dict)
    as_ordinary_user: bool = True
    timeout_s: float = 90.0
    grace_s: float = 3.0


Prepare = Callable[[Path], Launch]
"""Writes a server's configuration into an empty folder, with free ports, and plans its start."""


class LocalServer:
    """A ``Running`` server of our own; ``start`` makes one."""

    def __init__(self, name: str, launch: Launch, folder: Path, cores: Cores) -> None:
        account = ordinary_account()
        give(folder, account)
        self._name = name
        self._launch = launch
        self._log = folder / "server.log"
        self._connection = PrivateConnection(launch.connection)
        self._mark = uuid.uuid4().hex
        self._startup_s: float | None = None
        self._last_words = ""
        self._stopped = False
        self._began = time.monotonic()
        self._guard = Guard(self._charge(folder, cores, account))
        self._tree = ProcessTree(self._guard.pid)

    @classmethod
    def start(cls, name: str, prepare: Prepare, cores: Cores, say: Say) -> LocalServer:
        """Start a server and wait until it is up, once more if a port was taken meanwhile.

        Raise TargetError with the end of its log if it ends, or is not up in time.
        """
        return with_free_ports(name, lambda: cls._up(name, prepare, cores), say)

    @classmethod
    def begin(cls, name: str, prepare: Prepare, cores: Cores) -> LocalServer:
        """Start a server that is up only together with others; ``await_ready`` waits for it."""
        return cls._launched(name, prepare, cores)

    def await_ready(self) -> None:
        """Wait until it is up; TargetError, or PortTakenError, where it is not in time."""
        self._await_ready()

    @property
    def connection(self) -> PrivateConnection:
        """How a driver reaches it."""
        return self._connection

    @property
    def startup_s(self) -> float | None:
        """Seconds from start to ready."""
        return self._startup_s

    @property
    def pids(self) -> list[int]:
        """Process numbers of server and children now."""
        return [member.pid for member in self._tree.members()]

    def cpu_s(self) -> float | None:
        """CPU seconds used so far by the server and all its children, ended ones too."""
        return self._tree.cpu_s()

    def peak_rss_bytes(self) -> int | None:
        """Sum of the peaks of resident memory of server and children."""
        return self._tree.peak_rss_bytes()

    def alive(self) -> bool:
        """Whether the server's first process still runs."""
        return not self._stopped and self._guard.alive() and self._guard.exit_code() is None

    def pause(self) -> None:
        """Take all its processes off the processor."""
        if not self._stopped:
            self._tree.stop()

    def resume(self) -> None:
        """Let it run on; returns when it answers again, raises TargetError if it does not."""
        if not self._stopped:
            self._tree.resume()
            self._await_ready()

    def crash(self) -> None:
        """Kill all its processes at once, as ``kill -9`` does; its data stays as it is."""
        if not self._stopped:
            self.cpu_s()
            self._tree.kill()
            self._await_end()

    def start_again(self) -> None:
        """Start it on the data that a crash left; returns when it answers, else TargetError."""
        if not self._stopped:
            self._guard.start_again()
            self._await_ready()

    def log_tail(self) -> str:
        """The last lines of what it printed, without its secrets."""
        if self._stopped:
            return self._last_words
        with suppress(OSError):
            lines = self._log.read_text(errors="replace").splitlines()
            return self._connection.redact("\n".join(lines[-_TAIL_LINES:]))
        return ""

    def stop(self) -> None:
        """End all its processes and remove its data; safe to call twice."""
        if self._stopped:
            return
        self.cpu_s()
        self.peak_rss_bytes()
        self._last_words = self.log_tail()
        self._stopped = True
        watched = self._guard.alive()
        self._guard.end()
        if not watched:
            # The watch was killed itself, and could clear nothing away.
            kill_marked(_MARK, self._mark)
            small_disk.release(self._log.parent)
            shutil.rmtree(self._log.parent, ignore_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name}, {self._connection})"

    @classmethod
    def _up(cls, name: str, prepare: Prepare, cores: Cores) -> LocalServer:
        server = cls._launched(name, prepare, cores)
        try:
            server._await_ready()
        except BaseException:
            server.stop()
            raise
        return server

    @classmethod
    def _launched(cls, name: str, prepare: Prepare, cores: Cores) -> LocalServer:
        folder = make_scratch(name, None)
        try:
            return cls(name, prepare(folder), folder, cores)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise TargetError(
                f"{name} could not be set up in {folder}: {error.strerror}. {MAKE_ROOM}"
            ) from error

    def _charge(self, folder: Path, cores: Cores, account: Account | None) -> Charge:
        runner = account if self._launch.as_ordinary_user else None
        return Charge(
            command=list(self._launch.command),
            environ=self._environ(folder),
            folder=str(folder),
            log=str(self._log),
            uid=runner.uid if runner else None,
            gid=runner.gid if runner else None,
            cpus=list(cores.server),
            grace_s=self._launch.grace_s,
            remove=[str(folder)],
        )

    def _environ(self, folder: Path) -> dict[str, str]:
        # Nothing else of ours: a server must not change with the shell it was started from.
        base = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
        own = {"HOME": str(folder), "TMPDIR": str(folder), _MARK: self._mark}
        return base | own | dict(self._launch.environ)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + self._launch.timeout_s
        while not self._is_ready():
            if not self.alive():
                raise self._failed(f"ended with code {self._guard.exit_code()} before it was up")
            if time.monotonic() > deadline:
                raise self._failed(f"was not up within {self._launch.timeout_s:.0f} s")
            time.sleep(_POLL_S)
        if self._startup_s is None:
            self._startup_s = time.monotonic() - self._began

    @property
    def ports(self) -> frozenset[int]:
        """The ports that clients connect to."""
        return frozenset(self._launch.listens)

    def confine(self) -> None:
        """Go on, after a restart, on a small file system that ``fill_disk`` can fill.

        Raise TargetError where none can be mounted.
        """
        self.crash()
        try:
            small_disk.confine(self._log.parent)
        finally:
            self.start_again()

    def fill_disk(self) -> None:
        """Leave no byte on the small file system."""
        small_disk.fill(self._log.parent)

    def free_disk(self) -> None:
        """Make room again."""
        small_disk.free(self._log.parent)

    def _await_end(self) -> None:
        deadline = time.monotonic() + self._launch.grace_s
        while self._guard.exit_code() is None or self._tree.members():
            if time.monotonic() > deadline:
                raise TargetError(f"{self._name} has outlived SIGKILL; is its disk stuck?")
            time.sleep(_POLL_S)

    def _is_ready(self) -> bool:
        # Listening is asked of our own processes, lest a stranger on the port answer for them.
        listening = all(self._tree.listens(port) for port in self._launch.listens)
        return listening and self.alive() and self._launch.ready()

    def _failed(self, what: str) -> TargetError:
        taken = self._startup_s is None and self._port_is_taken()
        advice = self._advice()
        self.stop()
        kind = PortTakenError if taken else TargetError
        tail = self._last_words or "(it printed nothing)"
        return kind(f"{self._name} {what}. The end of its log:\n{tail}\n{advice}")

    def _advice(self) -> str:
        """What to do about a server that failed; a disk that a fault has filled is meant to be."""
        folder = self._log.parent
        full = _NO_SPACE.search(self.log_tail()) or is_full(folder)
        if full and not folder.is_mount():
            return f"The disk of {folder.parent} is full. {MAKE_ROOM}"
        return "`spikebench doctor` tells what is missing; another target may serve (--target)."

    def _port_is_taken(self) -> bool:
        if _IN_USE.search(self.log_tail()):
            return True
        return any(not self._tree.listens(port) and is_taken(port) for port in self._launch.listens)


class PortTakenError(TargetError):
    """A port that was free a moment ago is somebody else's."""


Started = TypeVar("Started")


def with_free_ports(name: str, start: Callable[[], Started], say: Say) -> Started:
    """Return what ``start`` does; it chooses other ports once if one was taken meanwhile."""
    try:
        return start()
    except PortTakenError:
        say(f"{name}: a port was taken meanwhile, trying others")
        return start()
