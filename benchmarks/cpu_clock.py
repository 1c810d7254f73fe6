"""CPU time of another process, to the nanosecond, its ended threads included."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
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


def wake_up_cpu_s(cores: Sequence[int], sleep_s: float = 0.001, count: int = 1000) -> float:
    """Return the CPU seconds of one bare sleep on ``cores``: what the machine asks for a wake-up.

    It is dear on a virtual machine, whose idle core is given back to the host.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        began = time.thread_time()
        for _ in range(count):
            time.sleep(sleep_s)
        return (time.thread_time() - began) / count
    finally:
        os.sched_setaffinity(0, before)
