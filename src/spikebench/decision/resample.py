"""Trials drawn anew: how far an option's score would have come out otherwise.

Of n trials n - 1 are drawn with replacement, so that the mean of a draw varies as the mean of the
trials does; n of n would vary by (n - 1)/n of that, a sixth less at 6 trials (J. N. K. Rao and
C. F. J. Wu, "Resampling inference with complex survey data", JASA 83, 1988). Metrics of one row are
drawn together, since a trial that is slow in one is slow in others.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from spikebench.decision.evidence import Figure
from spikebench.decision.model import Measured
from spikebench.decision.scale import Values, middle, score

DRAWS = 10_000


def scores(found: Figure, asked: Measured, seed: int, draws: int = DRAWS) -> Values:
    """The score of a figure's mean in each draw; the same in all where one value is all there is.

    The draws depend on ``seed``, the row and the number of its trials alone, on any version of
    numpy: only raw bits are drawn, whose stream is fixed (NEP 19).
    """
    assert found.row is not None, "values come from a row"
    assert found.values, "only figures that count are drawn"
    values = np.array(found.values)
    if values.size == 1:
        return np.full(draws, score(values[0], asked))
    places = _places(f"{seed}/{found.row.cell.first.cell}", values.size, draws)
    return score(middle(values[places], asked), asked)


def _places(of: str, n: int, draws: int) -> npt.NDArray[np.uint64]:
    bits = np.random.PCG64(zlib.crc32(f"{of}/{n}".encode()))
    raw = np.asarray(bits.random_raw(draws * (n - 1)), dtype=np.uint64)
    return (raw % np.uint64(n)).reshape(draws, n - 1)
