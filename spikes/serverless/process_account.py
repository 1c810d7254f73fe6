"""What the kernel knows of a living process: CPU, reads from the disk, its start, its sockets."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
"""How fine the start of a process is told: 10 ms on Linux."""

_PROC = Path("/proc")
_FIRST_AFTER_NAME = 3
_START_FIELD = 22


def cpu_s(pids: Sequence[int]) -> float:
    """CPU seconds of processes that live, their ended threads included, to the nanosecond.

    By each process's clock (POSIX ``clock_getcpuclockid``), because the ticks of /proc are 10 ms.
    """
    return sum(_cpu_s(pid) for pid in pids)


def _cpu_s(pid: int) -> float:
    clock = ctypes.c_int()
    with suppress(OSError):
        if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)) == 0:
            return time.clock_gettime(clock.value)
    return 0.0


def waited_for_core_ns(schedstat: Path = _PROC / "thread-self" / "schedstat") -> int | None:
    """How long this thread has been ready and waiting for a processor so far, in nanoseconds.

    The second figure of Linux's schedstat ("time spent waiting on a runqueue"); None without it.
    """
    with suppress(OSError, ValueError, IndexError):
        return int(schedstat.read_text().split()[1])
    return None


def disk_read_bytes(pids: Sequence[int], proc: Path = _PROC) -> int | None:
    """Bytes that processes had the kernel fetch from storage, by reading or by page faults.

    What was in the page cache already is not among them. None where the kernel does not say.
    """
    found = [read for pid in pids if (read := _disk_read(proc / str(pid) / "io")) is not None]
    return sum(found) if found else None


def _disk_read(account: Path) -> int | None:
    with suppress(OSError):
        for line in account.read_text().splitlines():
            if line.startswith("read_bytes:"):
                return int(line.split()[1])
    return None


def started_s(pid: int, proc: Path = _PROC) -> float:
    """When a process was made, in seconds since the machine's boot, rounded down to a tick.

    Raises OSError where it is gone.
    """
    after_name = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(after_name[_START_FIELD - _FIRST_AFTER_NAME]) * TICK_S


def since_boot_s() -> float:
    """Now, on the clock of ``started_s``."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def owner_of(port: int, pids: Sequence[int]) -> int | None:
    """The process among ``pids`` that holds the TCP socket with the local ``port``; None: none."""
    for pid in pids:
        with suppress(psutil.Error):
            sockets = psutil.Process(pid).net_connections("tcp")
            if any(socket.laddr and socket.laddr.port == port for socket in sockets):
                return pid
    return None
