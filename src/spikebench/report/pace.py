"""What is said of the machine's pace: that it varied within a run, or differs between two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from spikebench.measure.pace import PACE
from spikebench.record.trials import Trials

FEWEST = 10
"""Trials of which a tenth is one."""

UNEVEN = 1.25
APART = 1.1


def uneven(cells: Iterable[Trials]) -> Iterator[str]:
    """Say so where the slow trials of a run met a slower machine than the fast ones."""
    found = _paces(cells)
    if len(found) < FEWEST:
        return
    fast, slow = np.quantile(found, [0.1, 0.9])
    if slow >= UNEVEN * fast:
        yield (
            f"this machine's pace varied by {slow / fast:.2f}×: the same calculation took "
            f"{fast:.1f} ms of CPU in the fastest tenth of {len(found)} trials, {slow:.1f} ms in "
            "the slowest, as where cores are shared; intervals are wider for it"
        )


def apart(runs: Mapping[str, Sequence[Trials]]) -> Iterator[str]:
    """Say so where one run's machine was slower than another's, be it the same one."""
    found = {run: _paces(cells) for run, cells in runs.items()}
    middles = {run: float(np.median(had)) for run, had in found.items() if len(had) >= FEWEST}
    if len(middles) > 1 and max(middles.values()) >= APART * min(middles.values()):
        told = "; ".join(f"{run} {middle:.1f} ms" for run, middle in middles.items())
        factor = max(middles.values()) / min(middles.values())
        yield (
            f"the machine's pace differs by {factor:.2f}× between the runs (the same calculation "
            f"took {told} of CPU): a difference of theirs may be the machine's"
        )


def _paces(cells: Iterable[Trials]) -> list[float]:
    return [value for cell in cells for value in cell.values(PACE)]
