"""The weighted matrix: each option's score a criterion, its total, and how often it comes first.

The total is the weighted mean of the scores. Options of which a measured score is missing are not
ranked: their total is known to lie between two bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikebench.decision.evidence import Figure
from spikebench.decision.model import Criterion, Option
from spikebench.decision.resample import DRAWS, scores
from spikebench.decision.scale import Values, middle, score

SETTLED = 0.95
"""Share of the draws in which an option must come first to be proposed."""

SAME = 1e-9
"""Totals that differ by less are a tie."""


@dataclass(frozen=True)
class Entry:
    """One option on one criterion; ``score`` is None where it is missing, and ``figure`` says why.

    ``drawn`` are the scores of resampled trials, None for a judged score. ``value`` is the mean
    over trials, in the metric's unit; None for a judged score, whose ``figure`` says why what was
    measured does not stand in its place, where something was to be.
    """

    score: float | None
    value: float | None = None
    figure: Figure | None = None
    drawn: Values | None = None
    why: str = ""

    @property
    def draw(self) -> Values | float:
        """The scores of the draws, or the one that a judged score is in all of them."""
        return (self.score or 0.0) if self.drawn is None else self.drawn


@dataclass(frozen=True)
class Standing:
    """Where an option stands: its ``total`` and 95 % bounds over draws; ``first`` is how often.

    Of an option that is not ranked, ``low`` and ``high`` are the total with the worst and with the
    best that its missing scores can be; ``total`` and ``first`` are None.
    """

    option: Option
    total: float | None
    low: float
    high: float
    first: float | None = None


@dataclass(frozen=True)
class Matrix:
    """Options that are in, criteria with their shares, and an entry of each for each.

    ``entries`` has a sequence a criterion, in the options' order.
    """

    options: tuple[Option, ...]
    criteria: tuple[Criterion, ...]
    shares: tuple[float, ...]
    entries: tuple[tuple[Entry, ...], ...]
    draws: int = DRAWS

    def column(self, at: int) -> list[Entry]:
        """The entries of the option at a place, a criterion each."""
        return [row[at] for row in self.entries]

    def missing(self, at: int) -> list[int]:
        """The places of the criteria on which an option has no score."""
        return [place for place, entry in enumerate(self.column(at)) if entry.score is None]

    def known(self, at: int) -> float:
        """What an option's scores that are there add up to, by weight."""
        pairs = zip(self.shares, self.column(at), strict=True)
        return sum(share * (entry.score or 0.0) for share, entry in pairs)

    @property
    def ranked(self) -> list[int]:
        """The places of the options that have all scores."""
        return [at for at in range(len(self.options)) if not self.missing(at)]

    @property
    def leader(self) -> int | None:
        """The place of the ranked option with the highest total; None for a tie, or for none."""
        totals = sorted(((self.known(at), at) for at in self.ranked), reverse=True)
        if not totals or (len(totals) > 1 and totals[0][0] - totals[1][0] < SAME):
            return None
        return totals[0][1]

    def standings(self) -> list[Standing]:
        """Ranked options by total, then those that are not by what they could come to."""
        ranked, drawn = self.ranked, self._drawn()
        firsts = dict(zip(ranked, _firsts(drawn), strict=True))
        rows = dict(zip(ranked, drawn, strict=True))
        found = [self._standing(at, rows.get(at), firsts) for at in range(len(self.options))]
        return sorted(found, key=lambda one: (one.total is None, -(one.total or one.high)))

    def _standing(self, at: int, drawn: Values | None, firsts: Mapping[int, float]) -> Standing:
        known = self.known(at)
        if drawn is None:
            most = known + sum(self.shares[place] for place in self.missing(at))
            return Standing(self.options[at], None, known, most)
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Standing(self.options[at], known, float(low), float(high), firsts[at])

    def _drawn(self) -> Values:
        """Totals, an option that is ranked each row, a draw each column."""
        found = np.zeros((len(self.ranked), self.draws))
        for row, at in enumerate(self.ranked):
            for share, entry in zip(self.shares, self.column(at), strict=True):
                found[row] += share * entry.draw
        return found


def _firsts(totals: Values) -> list[float]:
    """Share of the columns in which each row is the highest; a tie is shared out."""
    if not totals.size:
        return []
    highest: npt.NDArray[np.bool_] = totals >= totals.max(axis=0) - SAME
    return [float(share) for share in (highest / highest.sum(axis=0)).mean(axis=1)]


def measured_entry(found: Figure, criterion: Criterion, seed: int, draws: int = DRAWS) -> Entry:
    """The entry of a figure: the score of its mean over trials, and its draws."""
    asked = criterion.measured
    assert asked is not None, "a judged criterion has no figure"
    if not found.values:
        return Entry(None, figure=found, why=found.missing)
    value = float(middle(np.array(found.values), asked))
    return Entry(
        score=float(score(value, asked)),
        value=value,
        figure=found,
        drawn=scores(found, asked, seed, draws),
    )


def judged_entry(criterion: Criterion, option: Option, shown: Figure | None = None) -> Entry:
    """The entry of a score that somebody gave, where a figure, if any, does not count."""
    given = criterion.given(option.name)
    assert given is not None, "the file was checked for it"
    return Entry(given.score, figure=shown, why=given.why)
