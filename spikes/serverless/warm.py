"""When a function is warm: a rule over the durations of its invokes, in their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

WINDOW = 10
TOLERANCE = 0.10
FLOOR_MS = 0.02
"""Below a tolerance of 20 µs it is not the function that is told apart but the machine's noise."""

STAYS = 0.80
"""Under a small CPU share every third warm invoke waits for quota; then one running median in five
lies on the slow side by chance."""

LEAST_INVOKES = 40
FINAL_PART = 4


def invokes_until_warm(durations_ms: Sequence[float]) -> tuple[int | None, str]:
    """Return how many invokes come before the first warm one, or None with the reason.

    The *final median* is that of the last quarter of the invokes. A running median of 10 invokes is
    warm where it is no more than 10 % (or 20 µs, the larger) above the final median; faster is no
    fault. Warm is the first invoke whose running median is warm and from which four in five
    running medians are: a median shrugs off single slow invokes, the four in five bursts of them,
    and a plateau before the last compilation is not warm in itself. The first invoke is
    the cold one, so that the answer is 1 at least. It is withheld below 40 invokes, and where the
    first warm invoke lies in the last quarter: what still gets faster then has no final speed.
    """
    count = len(durations_ms)
    if count < LEAST_INVOKES:
        return None, f"{count} invokes; {LEAST_INVOKES} are needed to see it"
    durations = np.asarray(durations_ms, np.float64)
    final_from = count - count // FINAL_PART
    limit = _limit(float(np.median(durations[final_from:])))
    warm = _running_medians(durations) <= limit
    for start in np.flatnonzero(warm):
        if warm[start:].mean() >= STAYS:
            break
    else:
        return None, f"not warm after {count} invokes"
    if start >= final_from:
        return None, f"still getting faster after {count} invokes"
    return max(1, int(start)), ""


def _limit(final_median_ms: float) -> float:
    return final_median_ms + max(TOLERANCE * final_median_ms, FLOOR_MS)


def _running_medians(durations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(durations, WINDOW)
    return np.asarray(np.median(windows, axis=1), np.float64)
