"""Whether a run drifted: a trend of per-trial values over the numbers of their blocks.

The block is the datum here as the trial is elsewhere: what slows a machine for a while slows every
cell of a block, so that cells are not evidence of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.special import stdtr, stdtrit

from spikebench.measure.outcome import Better
from spikebench.record.trials import Trials
from spikebench.stats.comparison import ALPHA
from spikebench.stats.family import adjusted
from spikebench.stats.interval import CONFIDENCE, Values
from spikebench.stats.welch import ROUNDING

FEWEST_BLOCKS = 5
"""The exact Mann-Kendall test of 4 blocks cannot fall below 0.08, whatever they hold."""


@dataclass(frozen=True)
class Drift:
    """A trend over ``blocks`` blocks of ``cells`` cells on one metric.

    ``per_block`` is the relative change from one block to the next (0.01 is +1 %), with its 95 %
    interval; ``p`` is two-sided, the larger of the slope's t test and the exact Mann-Kendall test.
    All are None for fewer than 5 blocks.
    """

    cells: int
    blocks: int
    better: Better
    per_block: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def shown(self) -> bool:
        """Whether there is a trend that chance would not often make."""
        return self.p is not None and self.p < ALPHA

    @property
    def worse(self) -> bool:
        """Whether the values got worse as the run went on."""
        return ((self.per_block or 0.0) > 0) == (self.better == "lower")


def drift(cells: Sequence[Trials], metric: str) -> Drift | None:
    """Test the trend that ``cells`` share over the blocks of their run; None without a value.

    A least-squares fit of cells and blocks to the logs of per-trial values frees each block of
    which cells it lacks; a line through the blocks' effects, with Student's t, gives the change a
    block and its interval. The exact Mann-Kendall test must agree (H. B. Mann, "Nonparametric tests
    against trend", Econometrica 13, 1945; M. G. Kendall, *Rank Correlation Methods*, 1948), for it
    does not care about the shape of the noise. Cells with a value of zero or below have no logs and
    are left out.
    """
    having = [cell for cell in cells if _has_logs(cell, metric)]
    if not having:
        return None
    return trend(*_logs(having, metric), having[0].metrics[metric].better)


def trend(numbers: Values, logs: Values, better: Better) -> Drift:
    """Test the trend of ``logs`` over the ``numbers`` of their blocks.

    ``logs`` has a row a cell and a column a block, nan where a cell lacks it; no row is all nan.
    """
    return _trend(numbers, _effects(logs), len(logs), better)


def drifting(cells: Sequence[Trials], metric: str) -> dict[int, Drift]:
    """Return, by ``id``, the cells that drift by themselves, each with its own trend.

    Such a cell has a trend of its own that is also one beside the mean of the others, so that a
    machine that slows all of them is not put down to each. The larger p of the two is adjusted by
    Holm over the cells.
    """
    having = [cell for cell in cells if _has_logs(cell, metric)]
    if not having:
        return {}
    numbers, logs = _logs(having, metric)
    found = [
        _alone(numbers, logs, row, cell.metrics[metric].better) for row, cell in enumerate(having)
    ]
    ps = adjusted([one.p for one in found])
    return {
        id(cell): one
        for cell, one, p in zip(having, found, ps, strict=True)
        if p is not None and p < ALPHA
    }


def _has_logs(cell: Trials, metric: str) -> bool:
    """Whether a cell has a value of its own in each block, all above zero, and a better way."""
    values = cell.by_block(metric).values()
    if not values or min(values) <= 0:
        return False
    declared = cell.metrics[metric]
    return declared.n != 1 and declared.better != "neither"


def _logs(cells: Sequence[Trials], metric: str) -> tuple[Values, Values]:
    """Numbers of all blocks, and logs of values: a row a cell, a column a block, nan for none."""
    had = [cell.by_block(metric) for cell in cells]
    numbers = sorted({block for values in had for block in values})
    logs = [[math.log(values[n]) if n in values else math.nan for n in numbers] for values in had]
    return np.array(numbers, dtype=np.float64), np.array(logs)


def _effects(logs: Values) -> Values:
    """The effect of each block beside those of its cells, by least squares; nan where unknown.

    Cells are eliminated from the normal equations, which leaves one equation a block. Blocks that
    no cells tie to the others have no effect that could be compared.
    """
    had = ~np.isnan(logs)
    centred = np.where(had, logs - np.nanmean(logs, axis=1, keepdims=True), 0.0)
    weights = had.astype(np.float64)
    normal = np.diag(weights.sum(axis=0)) - weights.T @ (weights / weights.sum(1, keepdims=True))
    if np.linalg.matrix_rank(normal) < logs.shape[1] - 1:
        return np.full(logs.shape[1], math.nan)
    effects: Values = np.linalg.pinv(normal) @ centred.sum(axis=0)
    return effects


def _alone(numbers: Values, logs: Values, row: int, better: Better) -> Drift:
    """A cell's own trend, with the larger p of its own and of that beside the other cells."""
    own = _trend(numbers, logs[row], 1, better)
    others = np.delete(logs, row, axis=0)
    if not len(others) or not own.shown:
        return own
    together = ~np.isnan(others).all(axis=0)
    beside = logs[row][together] - _effects(others[:, together])
    apart = _trend(numbers[together], beside, 1, better)
    return replace(own, p=max(own.p or 0.0, 1.0 if apart.p is None else apart.p))


def _trend(numbers: Values, values: Values, cells: int, better: Better) -> Drift:
    known = ~np.isnan(values)
    x, y = numbers[known], values[known]
    if len(x) < FEWEST_BLOCKS:
        return Drift(cells, len(x), better)
    slope, error = _line(x, y)
    freedom = len(x) - 2
    reach = error * float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
    by_slope = 2 * float(stdtr(freedom, -abs(slope) / error)) if error else float(slope == 0)
    return Drift(
        cells=cells,
        blocks=len(x),
        better=better,
        per_block=math.expm1(slope),
        low=math.expm1(slope - reach),
        high=math.expm1(slope + reach),
        p=max(by_slope, p_mann_kendall(y)),
    )


def _line(x: Values, y: Values) -> tuple[float, float]:
    """Slope and its standard error by least squares; what is rounding counts as nothing."""
    centred = x - x.mean()
    squares = float(centred @ centred)
    slope = float(centred @ y) / squares
    rest = y - y.mean() - slope * centred
    error = math.sqrt(float(rest @ rest) / (len(x) - 2) / squares)
    tiny = ROUNDING * max(1.0, float(np.abs(y).max()))
    return (slope if abs(slope) > tiny else 0.0), (error if error > tiny else 0.0)


def p_mann_kendall(values: Values) -> float:
    """Return the exact two-sided p of Kendall's S against the order of ``values``.

    Ties count for neither side and are judged by the distribution without ties, which is strict.
    """
    later = np.sign(values[None, :] - values[:, None])
    return _p(len(values), abs(int(np.triu(later, 1).sum())))


@lru_cache(maxsize=1024)
def _p(n: int, s: int) -> float:
    """Chance that |S| of ``n`` values in random order is ``s`` or more."""
    pairs = n * (n - 1) // 2
    orders = _orders(n)
    fewest = (pairs - s) // 2
    return min(1.0, 2 * sum(orders[: fewest + 1]) / sum(orders)) if s else 1.0


@lru_cache(maxsize=64)
def _orders(n: int) -> tuple[int, ...]:
    """How many orders of ``n`` values have 0, 1, 2, … pairs the wrong way round."""
    counts = [1]
    for size in range(2, n + 1):
        wider = [0] * (len(counts) + size - 1)
        for pairs, count in enumerate(counts):
            for more in range(size):
                wider[pairs + more] += count
        counts = wider
    return tuple(counts)
