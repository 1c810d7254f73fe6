"""The watch over one server: a process of its own that ends it when the harness is gone.

Run by path and without site packages, so that it stays small. It reads one line of JSON (a
``spikebench.target.guard.Charge``) from its standard input, starts the server in a session of its
own, adopts whatever the server forks, and waits. When its input ends or says ``stop``, when its
parent dies, or on SIGTERM, it ends every descendant, removes what it was told to remove, and runs
the last command. ``again`` starts a server that has ended once more, in its folder as it left it;
``dismiss`` ends the watch without the removal and the command.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MNT_DETACH = 2
_TICK_MS = 1000
_REMOVE_WITHIN_S = 10.0


class Watch:
    """One charge being watched."""

    def __init__(self, charge: dict[str, Any]) -> None:
        self._charge = charge
        self._parent = os.getppid()
        self._terminated = False
        self._server = 0
        self._wakeups = _wakeup_pipe()
        signal.signal(signal.SIGTERM, self._on_term)

    def run(self) -> None:
        """Start the server, wait for an end, and clear away."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if self._charge["command"]:
            self._start()
        if self._wait() == "dismiss":
            return
        self._end_descendants()
        for path in self._charge["remove"]:
            _remove(path)
        if self._charge["at_death"]:
            _run(self._charge["at_death"])

    def _wait(self) -> str:
        poll = select.poll()
        poll.register(0, select.POLLIN | select.POLLHUP)
        poll.register(self._wakeups, select.POLLIN)
        while not self._terminated and os.getppid() == self._parent:
            ready = {descriptor for descriptor, _ in poll.poll(_TICK_MS)}
            if self._wakeups in ready:
                os.read(self._wakeups, 4096)
            if 0 in ready:
                said = os.read(0, 4096).decode().strip()
                if said != "again":
                    return said
                self._start()
            self._reap()
        return "stop"

    def _start(self) -> None:
        self._server = _spawn(self._charge)
        _report(f"started {self._server}")

    def _reap(self) -> bool:
        """Collect ended children; return whether any are left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._server:
                self._server = 0
                _report(f"ended {os.waitstatus_to_exitcode(status)}")
                self._end_descendants()

    def _end_descendants(self) -> None:
        deadline = time.monotonic() + self._charge["grace_s"]
        _signal(_descendants(os.getpid()), signal.SIGTERM)
        while self._reap() and time.monotonic() < deadline:
            time.sleep(0.02)
        while self._reap():
            _signal(_descendants(os.getpid()), signal.SIGKILL)
            time.sleep(0.02)

    def _on_term(self, *_: object) -> None:
        self._terminated = True


def _wakeup_pipe() -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def _spawn(charge: dict[str, Any]) -> int:
    watch = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _become(charge, watch)
        os.execvpe(charge["command"][0], charge["command"], charge["environ"])
    except BaseException as error:
        os.write(2, f"cannot start {charge['command'][0]}: {error}\n".encode())
    os._exit(127)


def _become(charge: dict[str, Any], watch: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.setsid()
    log = os.open(charge["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    if charge["cpus"]:
        os.sched_setaffinity(0, charge["cpus"])
    if charge["uid"] is not None:
        os.setgroups([])
        os.setgid(charge["gid"])
        os.setuid(charge["uid"])
    os.chdir(charge["folder"])
    # After the change of user, which would undo it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != watch:
        os._exit(1)


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - stays small
        with suppress(OSError), open(f"/proc/{entry}/stat", "rb") as file:  # noqa: PTH123
            parent = int(file.read().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found = list(children.get(root, ()))
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)


def _remove(path: str) -> None:
    """Remove a folder; again where somebody who is about to end still wrote into it."""
    # What was mounted over it goes first; where nothing was, this does nothing.
    ctypes.CDLL(None).umount2(os.fsencode(path), _MNT_DETACH)
    give_up = time.monotonic() + _REMOVE_WITHIN_S
    while os.path.lexists(path) and time.monotonic() < give_up:
        shutil.rmtree(path, ignore_errors=True)
        time.sleep(0.02)


def _run(command: list[str]) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=50,
            check=False,
        )


def _report(line: str) -> None:
    with suppress(OSError):
        os.write(1, f"{line}\n".encode())


def _read_charge() -> dict[str, Any]:
    with open(0, "rb", buffering=0, closefd=False) as stream:
        line = stream.readline()
    charge: dict[str, Any] = json.loads(line)
    return charge


if __name__ == "__main__":
    try:
        Watch(_read_charge()).run()
    except Exception as error:
        _report(f"failed {type(error).__name__}: {error}")
        sys.exit(1)
