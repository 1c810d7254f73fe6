"""CPU seconds and memory of processes of ours, seen from outside, and how busy each core was."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psutil


def cpu_s(pids: Iterable[int]) -> float | None:
    """Return CPU seconds (user and system) the processes have used so far.

    None where one of them is gone, and what it used with it. One that has ended and was not waited
    for still tells.
    """
    return whole_sum(_cpu_s(pid) for pid in pids)


def whole_sum(parts: Iterable[float | None]) -> float | None:
    """Return the sum of the parts; None where one of them is not known."""
    had = list(parts)
    known = [part for part in had if part is not None]
    return sum(known) if len(known) == len(had) else None


def rss_bytes(pids: Iterable[int]) -> int:
    """Return the resident memory of the largest of the processes, in bytes."""
    return max((_rss(pid) for pid in pids), default=0)


def cores_busy_s() -> dict[int, float]:
    """Return, by its number, the seconds each core has been busy so far, whoever it worked for.

    What the host of a virtual machine took away counts: nobody here could have it. Empty where
    ``/proc/stat`` does not tell.
    """
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    cores = [line.split() for line in lines if line.startswith("cpu") and line[3].isdigit()]
    return {int(core[0][3:]): _busy_s([int(ticks) for ticks in core[1:9]]) for core in cores}


def _busy_s(ticks: list[int]) -> float:
    """Seconds of all that is not idle (the fourth) or waiting for a disk (the fifth)."""
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _cpu_s(pid: int) -> float | None:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def _rss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
