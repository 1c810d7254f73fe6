"""Starts one function, stamps the moment, keeps its last words, and clears away what it leaves.

Run by path and without site packages: a process this small forks in a fraction of a millisecond,
where the harness with its libraries takes many. It reads one line of JSON from its standard input:
``command`` (its first word a path), ``environ``, ``folder``, ``cpus``, ``joins`` (files of control
groups, to each of which the new process writes ``0``) and ``remove`` (paths that go in the end).

The new process does all that has to be done, joins its control groups, reads the clock, tells us,
and executes the command. Between the stamp and the command's first instruction lie one write to a
pipe, the making of an argument list and the kernel's ``execve``, which also has our memory to tear
down: about 0.2 ms more than after ``vfork`` (``/bin/true`` to its end: 0.8 ms, not 0.6). Nothing of
the runtime's own start is before the stamp or outside the groups.

It reports lines of JSON: ``started`` or ``unstarted``; ``ended``; and, when its input ends or says
anything, so also when the harness is killed, it kills every descendant, removes what it was told to
and reports ``cleared``, with the last words of standard output and error.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import time
from contextlib import suppress
from typing import Any

KEPT_BYTES = 32_768
"""How much of the function's output is kept: the end of it."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_REMOVAL_S = 2.0


class Starter:
    """One function, from its start until nothing of it is left."""

    def __init__(self, charge: dict[str, Any]) -> None:
        self._charge = charge
        self._wakeups = _wakeup_pipe()
        self._output, self._output_end = os.pipe()
        os.set_blocking(self._output, False)
        self._words = bytearray()
        self._pid = 0

    def run(self) -> None:
        """Start it, wait, and clear away."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            self._start()
            self._wait()
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            _report(kind="unstarted", at_ns=time.monotonic_ns(), text=text)
        finally:
            self._clear()

    def _start(self) -> None:
        joins = [os.open(path, os.O_WRONLY | os.O_CLOEXEC) for path in self._charge["joins"]]
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            _become(self._charge, joins, writer, self._output_end)
        for descriptor in (*joins, writer, self._output_end):
            os.close(descriptor)
        self._pid = pid
        at_ns, failure = _read_start(reader)
        if failure:
            _report(kind="unstarted", at_ns=at_ns, text=failure)
        else:
            _report(kind="started", at_ns=at_ns, pid=pid)

    def _wait(self) -> None:
        poll = select.poll()
        for descriptor in (0, self._wakeups, self._output):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            woken_ns = time.monotonic_ns()
            if self._wakeups in ready:
                os.read(self._wakeups, 4096)
                self._reap(woken_ns)
            if self._output in ready and not self._drain():
                poll.unregister(self._output)
            if 0 in ready:
                return

    def _drain(self) -> bool:
        """Take what the function has written; return whether more may come."""
        while True:
            try:
                data = os.read(self._output, 65_536)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._words += data
            del self._words[:-KEPT_BYTES]

    def _reap(self, woken_ns: int) -> bool:
        """Collect children that had ended at ``woken_ns``; return whether any are left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._pid:
                self._ended(woken_ns, status, usage.ru_maxrss)

    def _ended(self, at_ns: int, status: int, peak_kb: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        _report(kind="ended", at_ns=at_ns, code=code, peak_bytes=peak_kb * 1024)

    def _clear(self) -> None:
        while self._reap(time.monotonic_ns()):
            _kill(_descendants(os.getpid()))
            time.sleep(0.002)
        self._drain()
        usage = _children_cpu_s()
        for path in self._charge["remove"]:
            _remove(path)
        _report(kind="cleared", cpu_s=usage, output=self._words.decode(errors="replace"))


def _wakeup_pipe() -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Ctrl-C goes to the whole terminal: the harness decides, and closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return reader


def _become(charge: dict[str, Any], joins: list[int], report: int, output: int) -> None:
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        if charge["cpus"]:
            os.sched_setaffinity(0, charge["cpus"])
        os.chdir(charge["folder"])
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        command, environ = charge["command"], charge["environ"]
        for group in joins:
            os.write(group, b"0")
        os.write(report, b"%d " % time.monotonic_ns())
        os.execve(command[0], command, environ)
    except BaseException as error:
        os.write(report, f"{error}".encode())
    os._exit(127)


def _read_start(reader: int) -> tuple[int, str]:
    """Return the stamp, and why the command could not be executed: empty where it was."""
    with open(reader, encoding="utf-8", errors="replace") as stream:  # ends with the execution
        stamp, _, failure = stream.read().partition(" ")
    if stamp.isdigit():
        return int(stamp), failure
    return time.monotonic_ns(), f"{stamp} {failure}".strip() or "it ended before its start"


def _children_cpu_s() -> float:
    import resource  # late: not needed until nothing is measured any more

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


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


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _remove(path: str) -> None:
    """Remove a file or an empty folder; a control group takes a moment to be empty."""
    until = time.monotonic() + _REMOVAL_S
    while os.path.lexists(path) and time.monotonic() < until:
        with suppress(OSError):
            (os.rmdir if os.path.isdir(path) else os.unlink)(path)  # noqa: PTH112
            return
        time.sleep(0.005)


def _report(**line: Any) -> None:
    with suppress(OSError):
        os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    gc.disable()
    with open(0, "rb", buffering=0, closefd=False) as stream:
        given = json.loads(stream.readline())
    Starter(given).run()
