"""Which processors belong to the server under test and which to the load."""

from __future__ import annotations

import os
from collections.abc import Iterable

from spikebench.target.software import Cores


def split_cores(available: Iterable[int] | None = None) -> Cores:
    """Divide the processors this process may use: half each, the odd one to the load.

    Where there is only one, server and load share it.
    """
    numbers = sorted(os.sched_getaffinity(0) if available is None else available)
    half = len(numbers) // 2
    if half == 0:
        return Cores(server=numbers, load=numbers)
    return Cores(server=numbers[:half], load=numbers[half:])
