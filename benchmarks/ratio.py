"""Ratios of pairs measured side by side, with how sure they are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import geometric_mean
from typing import Literal, Self, TypeVar

from spikebench.stats.interval import interval

Verdict = Literal["met", "not met", "not shown"]


@dataclass(frozen=True)
class Target:
    """What a ratio should be: ``bound`` or more, below it, or no further than it from 1."""

    sense: Literal["at least", "below", "within"]
    bound: float

    def judged(self, low: float, high: float) -> Verdict:
        """Whether all that lies between ``low`` and ``high`` is as it should be, or none of it."""
        if self.sense == "below":
            return _verdict(high < self.bound, low >= self.bound)
        least, most = self._span
        return _verdict(least <= low and high <= most, high < least or low > most)

    @property
    def _span(self) -> tuple[float, float]:
        if self.sense == "within":
            return 1 - self.bound, 1 + self.bound
        return self.bound, float("inf")

    def __str__(self) -> str:
        if self.sense == "within":
            return f"within {self.bound * 100:g} %"
        return f"{self.sense} {self.bound:g}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the target that ``str`` wrote; ValueError where it is none."""
        if (found := re.fullmatch(r"within ([\d.]+) %", text)) is not None:
            return cls("within", float(found[1]) / 100)
        if text.startswith("at least "):
            return cls("at least", float(text.removeprefix("at least ")))
        if text.startswith("below "):
            return cls("below", float(text.removeprefix("below ")))
        raise ValueError(f"{text!r} is no target")


def _verdict(all_of_it: bool, none_of_it: bool) -> Verdict:
    if all_of_it:
        return "met"
    return "not met" if none_of_it else "not shown"


@dataclass(frozen=True)
class Ratio:
    """One row of the result: geometric mean of the pairs' ratios and its 95 % interval.

    ``note`` says what was divided by what; ``target`` is None where the row only informs. The
    bounds are None for a single pair. ``ratio`` is None where nothing could be measured; the note
    then says why.
    """

    name: str
    ratio: float | None
    low: float | None
    high: float | None
    n: int
    note: str
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """``met`` or ``not met`` where all of the interval is, else ``not shown``.

        Empty where there is no target. A single pair has no interval, and its verdict says so.
        """
        if self.target is None or self.ratio is None:
            return ""
        if self.low is None or self.high is None:
            return f"{self.target.judged(self.ratio, self.ratio)}, one value"
        return self.target.judged(self.low, self.high)


def ratio_of(name: str, ratios: Sequence[float], note: str, target: Target | None = None) -> Ratio:
    """Sum up one ratio a pair; the interval is Student's t on their logs.

    The ratio of two geometric means over pairs is the geometric mean of the pairs' ratios, so that
    what drifts with the machine falls out of each pair. Raises ValueError where a ratio is not
    above zero or not finite.
    """
    if not all(ratio > 0 for ratio in ratios):
        raise ValueError(f"{name}: a ratio has to be above zero, got {list(ratios)}")
    summed = interval(ratios)
    return Ratio(name, summed.mean, summed.low, summed.high, summed.n, note, target)


def middles(pairs: Sequence[tuple[float, ...]]) -> tuple[float, float]:
    """What the first two tools of each pair came to: geometric means, whose ratio is the pairs'."""
    ours, theirs = (geometric_mean(pair[side] for pair in pairs) for side in (0, 1))
    return ours, theirs


def withheld(name: str, why: str) -> Ratio:
    """Return a row without a figure, for what can't be measured here."""
    return Ratio(name, None, None, None, 0, why)


T = TypeVar("T")


def alternate(
    rounds: int, *tools: Callable[[], T], settle: Callable[[], None] = os.sync
) -> Iterator[tuple[T, ...]]:
    """Yield what the tools returned, a tuple a round in the order given.

    They run in that order and in its reverse by turns (ABBA…), so that a steady drift of the
    machine favours none. Before each, ``settle``: what the one before had written is on the disk,
    and no tool's broker waits for another's pages.
    """
    for number in range(rounds):
        turn = tools if number % 2 == 0 else tools[::-1]
        said = [_settled(tool, settle) for tool in turn]
        yield tuple(said if number % 2 == 0 else said[::-1])


def _settled(tool: Callable[[], T], settle: Callable[[], None]) -> T:
    settle()
    return tool()
