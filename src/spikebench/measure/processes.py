"""CPU seconds and memory of processes of ours, seen from outside."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def cpu_s(pids: Iterable[int]) -> float:
    """Return CPU seconds (user and system) the processes have used so far; a gone one counts 0."""
    return sum(_cpu_s(pid) for pid in pids)


def rss_bytes(pids: Iterable[int]) -> int:
    """Return the resident memory of the largest of the processes, in bytes."""
    return max((_rss(pid) for pid in pids), default=0)


def _cpu_s(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _rss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
