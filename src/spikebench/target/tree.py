"""A server's processes: everything below its watch, seen and signalled as one."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil


class ProcessTree:
    """All descendants of process ``root``, which does not itself belong to the tree."""

    def __init__(self, root: int) -> None:
        self._root = psutil.Process(root)
        self._cpu_s = 0.0
        self._peak_rss = 0

    def members(self) -> list[psutil.Process]:
        """Return the processes that live now, parents before their children."""
        try:
            return self._root.children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def cpu_s(self) -> float:
        """Return the CPU seconds used by all members, ended ones included; never falls."""
        with suppress(psutil.NoSuchProcess):
            ended = self._root.cpu_times()
            used = ended.children_user + ended.children_system
            used += sum(map(_cpu_s, self.members()))
            self._cpu_s = max(self._cpu_s, used)
        return self._cpu_s

    def peak_rss_bytes(self) -> int:
        """Return the sum of the members' own peaks of resident memory; never falls."""
        peaks = sum(_peak_rss_bytes(member.pid) for member in self.members())
        self._peak_rss = max(self._peak_rss, peaks)
        return self._peak_rss

    def listens(self, port: int) -> bool:
        """Tell whether a member of the tree (and not a stranger) listens on TCP port ``port``."""
        return any(port in _listening(member) for member in self.members())

    def stop(self) -> None:
        """Take every member off the processor, those forked meanwhile too."""
        stopped: set[int] = set()
        while fresh := [member for member in self.members() if member.pid not in stopped]:
            for member in fresh:
                stopped.add(member.pid)
                with suppress(psutil.NoSuchProcess):
                    member.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """Kill every member, those forked meanwhile too."""
        while members := self.members():
            for member in members:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            time.sleep(0.01)

    def resume(self) -> None:
        """Undo ``stop``."""
        for member in self.members():
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGCONT)


def kill_marked(variable: str, value: str) -> None:
    """Kill every process in whose environment ``variable`` is ``value``.

    This finds what a server forked when its watch was killed before it.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(variable) == value:
                process.kill()


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _peak_rss_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _listening(process: psutil.Process) -> set[int]:
    try:
        sockets = process.net_connections(kind="tcp")
    except psutil.Error:
        return set()
    return {socket.laddr.port for socket in sockets if socket.status == psutil.CONN_LISTEN}
