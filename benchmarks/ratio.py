"""Ratios of pairs measured side by side, with how sure they are."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from spikebench.stats.interval import interval


@dataclass(frozen=True)
class Target:
    """What a ratio should be: ``bound`` or more, or below it."""

    sense: Literal["at least", "below"]
    bound: float

    def met(self, ratio: float) -> bool:
        """Whether ``ratio`` is what it should be."""
        holds = operator.ge if self.sense == "at least" else operator.lt
        return bool(holds(ratio, self.bound))

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}"


@dataclass(frozen=True)
class Ratio:
    """One row of the result: geometric mean of the pairs' ratios and its 95 % interval.

    ``note`` says what was divided by what; ``target`` is None where the row only informs. The
    bounds are None for a single pair.
    """

    name: str
    ratio: float
    low: float | None
    high: float | None
    n: int
    note: str
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """Whether the target was met, and whether the interval leaves doubt; empty without one."""
        if self.target is None:
            return ""
        word = "met" if self.target.met(self.ratio) else "not met"
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        unsure = len({self.target.met(value) for value in (self.ratio, *bounds)}) > 1
        return f"{word}, the interval straddles the target" if unsure else word


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


T = TypeVar("T")


def alternate(rounds: int, *tools: Callable[[], T]) -> Iterator[tuple[T, ...]]:
    """Yield what the tools returned, a tuple a round in the order given.

    They run in that order and in its reverse by turns (ABBA…), so that a steady drift of the
    machine favours none.
    """
    for number in range(rounds):
        if number % 2 == 0:
            yield tuple([tool() for tool in tools])
        else:
            yield tuple([tool() for tool in reversed(tools)][::-1])
