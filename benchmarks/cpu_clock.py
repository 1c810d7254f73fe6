"""CPU time of another process, to the nanosecond, its ended threads included."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path


def process_cpu_s(pid: int) -> float:
    """Return the CPU seconds that process ``pid`` has used; OSError where it is gone.

    A process's clock (POSIX ``clock_getcpuclockid``), because the ticks of /proc are 10 ms.
    """
    clock = ctypes.c_int()
    failure = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
    if failure:
        raise OSError(failure, os.strerror(failure))
    return time.clock_gettime(clock.value)


def main_thread_cpu_s(pid: int) -> float:
    """Return the CPU seconds that the first thread of process ``pid`` has used; Linux only."""
    # schedstat: nanoseconds on a processor, nanoseconds waiting for one, turns.
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9
