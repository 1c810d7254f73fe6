"""A grid: a table for the browser, each place with its text, its order and its footnotes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from spikebench.report.column import NOTHING, figure
from spikebench.report.wording import printable
from spikebench.stats import Interval


@dataclass(frozen=True)
class Heading:
    """A column's header. ``figures`` stand on the right; a ``choice`` can be filtered by value."""

    text: str
    figures: bool = False
    choice: bool = False


@dataclass(frozen=True)
class Place:
    """One place of a row: its text, what it is sorted by, and what else a reader sees there.

    ``key`` is None where there is nothing to sort by: such a row comes last either way. ``notes``
    are numbers of the grid's footnotes, ``interval`` the text below a figure, ``href`` a link;
    ``trials`` are those that a figure rests on, where they are not the row's.
    """

    text: str
    key: float | str | None = None
    interval: str = ""
    trials: int | None = None
    leads: bool = False
    notes: tuple[int, ...] = ()
    href: str = ""


@dataclass(frozen=True)
class Line:
    """One row of a grid; ``anchor`` is its id in the page, empty for none."""

    places: tuple[Place, ...]
    anchor: str = ""


@dataclass(frozen=True)
class Grid:
    """A table for the browser. ``name`` is unique in its page; the first place names its row."""

    name: str
    caption: str
    headings: tuple[Heading, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @property
    def has_intervals(self) -> bool:
        """Whether any figure has an interval below it."""
        return any(place.interval for line in self.lines for place in line.places)


@dataclass
class Notes:
    """Footnotes collected while a grid is made; the same reason has one number."""

    reasons: list[str] = field(default_factory=list)

    def numbers(self, reasons: Iterable[str]) -> tuple[int, ...]:
        """Return the numbers of ``reasons``, from 1, in their order, each once."""
        found: dict[int, None] = {}
        for reason in map(printable, reasons):
            if reason not in self.reasons:
                self.reasons.append(reason)
            found[self.reasons.index(reason) + 1] = None
        return tuple(found)


def words(text: str, *, notes: tuple[int, ...] = (), href: str = "") -> Place:
    """A place with text, sorted as text; ``—`` for none."""
    return Place(text or NOTHING, text or None, notes=notes, href=href)


def number(text: str, value: float | None, *, notes: tuple[int, ...] = ()) -> Place:
    """A place with a number that is written as ``text``."""
    return Place(text, value, notes=notes)


def measured(
    found: Interval | None, leads: bool = False, *, n: int, notes: tuple[int, ...] = ()
) -> Place:
    """A metric's median, sorted by it, with the 95 % interval of the mean below it.

    Its own number of trials stands there where it is not ``n``, that of its row; ``notes`` say why
    there is none.
    """
    if found is None:
        return Place(NOTHING, notes=notes)
    own = None if found.n == n else found.n
    return Place(figure(found.median), found.median, bounds(found), own, leads)


def bounds(found: Interval) -> str:
    """The 95 % interval as text; empty for fewer than two trials."""
    if found.low is None or found.high is None:
        return ""
    return f"{figure(found.low)} to {figure(found.high)}"
