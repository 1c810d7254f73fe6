"""How much of the machine's CPU other work took while something was measured."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True)
class Reading:
    """CPU seconds since the machine's start: of everything, and of this process and its children.

    A hypervisor's stolen time is everything's too.
    """

    at_s: float
    all_s: float
    own_s: float

    @classmethod
    def now(cls) -> Self:
        """Read the clocks; children that have ended count where somebody waited for them."""
        machine = psutil.cpu_times()
        idle_s = machine.idle + getattr(machine, "iowait", 0.0)
        guests_s = getattr(machine, "guest", 0.0) + getattr(machine, "guest_nice", 0.0)
        own = psutil.Process()
        family = [own, *own.children(recursive=True)]
        # a guest's time is in its user's as well
        return cls(time.monotonic(), sum(machine) - idle_s - guests_s, sum(map(_cpu_s, family)))

    def others_share(self, since: Reading) -> float:
        """Share of all processors' time since another reading that was not ours, 0 to 1."""
        had_s = (self.at_s - since.at_s) * (psutil.cpu_count() or 1)
        others_s = (self.all_s - since.all_s) - (self.own_s - since.own_s)
        return min(max(others_s / had_s, 0.0), 1.0) if had_s > 0 else 0.0


def _cpu_s(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        used = process.cpu_times()
        return float(used.user + used.system + used.children_user + used.children_system)
    return 0.0
