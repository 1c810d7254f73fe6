"""The price book: list prices of one region, each with its date and source, read from YAML.

``docs/cost.md`` explains the file. A price that is not in the book is "not priced", never zero, and
one that is older than a year, or undated, is marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from spikebench.cost.money import Cost, Term
from spikebench.errors import ScenarioError
from spikebench.scenario.check import validated
from spikebench.scenario.document import Document, shown

UNDATED = "undated"
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def _refuse(key: str, what: str) -> PydanticCustomError:
    """An error to be shown at ``key``, from the part that is checked."""
    return PydanticCustomError("scenario", "{what}", {"what": what, "key": key})


def first_day(as_of: str) -> date | None:
    """Return the first day that a date, a month or a year can mean; None for ``undated``.

    Raises ValueError for anything else.
    """
    if as_of == UNDATED:
        return None
    parts = _DATE.fullmatch(as_of)
    if parts is None:
        raise ValueError(f"{as_of!r} is no date, month or year")
    year, month, day = (int(part or 1) for part in parts.groups())
    return date(year, month, day)


@lru_cache(maxsize=1024)
def why_old(as_of: str, today: date) -> str:
    """Say why a price of that date may no longer hold on a day; empty where it should."""
    day = first_day(as_of)
    if day is None:
        return "the price is undated"
    if day > today:
        return f"the price is of {as_of}, which is yet to come"
    if (day.year + 1, day.month, day.day) < (today.year, today.month, today.day):
        return f"the price is of {as_of}: older than a year"
    return ""


def _as_of(value: object) -> str:
    text = str(value)  # a year is a number to YAML
    try:
        first_day(text)
    except ValueError:
        what = f"{shown(value)} is no date; write 2026-10-01, 2026-10, 2026, or {UNDATED}"
        raise PydanticCustomError("scenario", "{what}", {"what": what}) from None
    return text


AsOf = Annotated[str, BeforeValidator(_as_of)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Step(_Part):
    """The price of each unit up to ``up_to`` units a month; None: of all that follow.

    ``as_of`` and ``source`` are those of the price it is a step of, where it has none of its own.
    """

    up_to: float | None = Field(default=None, gt=0)
    price: float = Field(ge=0)
    as_of: AsOf = ""
    source: str = ""


class Price(_Part):
    """What one unit of a service's dimension costs.

    Either ``price`` or ``steps``. ``free`` is how many units a month cost nothing in the provider's
    free tier, for whoever asks for that; ``free_with`` names the dimension of the same service
    whose free units are this one's too, so that an account has them once. ``minimum`` is the least
    that a use is billed as, in units. ``as_of`` is the date of the price file or page that was
    read.
    """

    service: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    dimension: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    price: float | None = Field(default=None, ge=0)
    steps: list[Step] = []
    free: float = Field(default=0.0, ge=0)
    free_with: str = ""
    minimum: float = Field(default=0.0, ge=0)
    as_of: AsOf
    source: str = Field(min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if (self.price is None) != bool(self.steps):
            raise _refuse("price", "write either price or steps")
        ends = [step.up_to for step in self.steps]
        if None in ends[:-1]:
            raise _refuse("steps", "only the last step may be without up_to; order them")
        bounded = [end for end in ends if end is not None]
        if bounded != sorted(set(bounded)):
            raise _refuse("steps", "up_to has to grow from step to step; order them")
        if self.free and self.free_with:
            raise _refuse("free_with", "has free units of its own; remove free or free_with")
        return self

    @cached_property
    def stairs(self) -> list[Step]:
        """The steps; one without end for a single price."""
        return self.steps or [Step(price=self.price or 0.0)]


class _Book(_Part):
    region: str = Field(min_length=1)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    prices: list[Price] = Field(min_length=1)


@dataclass(frozen=True)
class Usage:
    """How much of a service's dimension is used in a month, in ``unit``; ``what`` is for people."""

    what: str
    service: str
    dimension: str
    quantity: float
    unit: str


@dataclass(frozen=True)
class PriceBook:
    """One region's prices; ``today`` is the day by which a price is judged to be old.

    ``elsewhere`` is another region's book, asked for what this one lacks (see ``or_else``).
    """

    document: Document
    region: str
    currency: str
    prices: tuple[Price, ...]
    today: date
    elsewhere: PriceBook | None = None

    def or_else(self, other: PriceBook) -> Self:
        """Return a book that takes from ``other`` what this one lacks; each such term is marked.

        Raises ValueError for two currencies.
        """
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix; convert first")
        return replace(self, elsewhere=other)

    def on(self, day: date) -> Self:
        """Return the same book, its prices judged to be old or not by another day."""
        elsewhere = self.elsewhere and self.elsewhere.on(day)
        return replace(self, today=day, elsewhere=elsewhere)

    @property
    def newest(self) -> date:
        """The latest day that a price of this book, or of the other, is of."""
        days = [first_day(price.as_of) or date.min for price in self.prices]
        return max([*days, *([self.elsewhere.newest] if self.elsewhere else [])])

    def beside_a_run(self, day: date) -> Self:
        """Return the same book for what was measured by ``day``, whenever it is read.

        Its prices are judged by the later of that day and the newest price: they age as the book
        does, not by the clock, so that a table comes out the same whenever it is made.
        """
        return self.on(max(day, self.newest))

    @cached_property
    def _places(self) -> dict[tuple[str, str], int]:
        return {(price.service, price.dimension): at for at, price in enumerate(self.prices)}

    def find(self, service: str, dimension: str) -> Price | None:
        """Return the price of a service's dimension, or None: then it is not priced."""
        at = self._places.get((service, dimension))
        return None if at is None else self.prices[at]

    def mark(self, as_of: str) -> str:
        """Say why a price of that date may no longer hold; empty where it should."""
        return why_old(as_of, self.today)

    def cost(self, usages: Iterable[Usage], *, free_tier: bool = False) -> Cost:
        """Return what a month's usage costs, a term each, or more where it crosses steps.

        Uses of one dimension share its steps and, with ``free_tier``, its free units, as do
        dimensions that have them together; the first named has them first. Steps count what is
        left after free units. Raises ScenarioError
        where the book counts a dimension in another unit than a usage does, and ValueError for a
        quantity below zero.
        """
        meters: dict[tuple[str, str], _Meter] = {}
        shares: dict[tuple[str, str], _Free] = {}
        terms: list[Term] = []
        for usage in usages:
            if not usage.quantity >= 0:
                raise ValueError(f"{usage.what}: {usage.quantity} is no quantity")
            book = self._having(usage)
            price = book.find(usage.service, usage.dimension)
            if price is None:
                terms.append(self._unpriced(usage, usage.quantity))
                continue
            book._agree(usage, price)
            key = (usage.service, usage.dimension)
            owner = book._owner_of_free(price)
            had = _Free(owner.free if free_tier else 0.0)
            free = shares.setdefault((owner.service, owner.dimension), had)
            meter = meters.setdefault(key, _Meter(price, free))
            terms += self._terms(usage, meter, book)
        return Cost(tuple(terms), self.currency)

    def _owner_of_free(self, price: Price) -> Price:
        """The price whose free units a price's uses take: its own, or another's of the service."""
        other = self.find(price.service, price.free_with) if price.free_with else None
        return other or price

    def _having(self, usage: Usage) -> PriceBook:
        """The book that has a price of it: this one, or else the other; this one where none has."""
        if self.elsewhere is None or self.find(usage.service, usage.dimension) is not None:
            return self
        return self.elsewhere if self.elsewhere.find(usage.service, usage.dimension) else self

    def _terms(self, usage: Usage, meter: _Meter, book: PriceBook) -> Iterator[Term]:
        price = meter.price
        quantity = max(usage.quantity, price.minimum) if usage.quantity else 0.0
        for part, step in meter.shares(quantity):
            if step is None:
                yield self._unpriced(usage, part)
                continue
            as_of, source = step.as_of or price.as_of, step.source or price.source
            said = f"{source}, {as_of}"
            foreign = "" if book is self else f"a price of {book.region}"
            mark = ", ".join(filter(None, [foreign, self.mark(as_of)]))
            yield Term(usage.what, part, usage.unit, step.price, said, mark, as_of)

    def _unpriced(self, usage: Usage, quantity: float) -> Term:
        some = "so much " if self.find(usage.service, usage.dimension) else ""
        what = f"{usage.service} {usage.dimension}"
        why = f"not priced: {self.region} has no price of {some}{what} ({ADD_IT})"
        return Term(usage.what, quantity, usage.unit, None, why)

    def _agree(self, usage: Usage, price: Price) -> None:
        if usage.unit == price.unit:
            return
        key = ("prices", self._places[price.service, price.dimension], "unit")
        what = f"{shown(price.unit)} where usage is in {usage.unit!r}; convert price and unit"
        raise ScenarioError(self.document.problem(key, what))


FREE = Step(price=0.0, source="free tier, a month")

ADD_IT = "add it, or run `spikebench prices refresh`"


@dataclass
class _Free:
    """Free units of a month that are left, for all dimensions that have them together."""

    units: float


@dataclass
class _Meter:
    """What has been used of one dimension in a month, and what is still free."""

    price: Price
    free: _Free
    used: float = field(default=0.0)

    def shares(self, quantity: float) -> Iterator[tuple[float, Step | None]]:
        """Share ``quantity`` out to free units and steps; None stands for beyond the last step."""
        free = min(quantity, self.free.units)
        self.free.units -= free
        left = quantity - free
        if free:
            yield free, FREE
        for step in self.price.stairs:
            room = left if step.up_to is None else max(0.0, step.up_to - self.used)
            part = min(left, room)
            if part or not quantity:
                yield part, step
            self.used += part
            left -= part
            if not left:
                return
        yield left, None


def read_prices(path: Path, today: date | None = None) -> PriceBook:
    """Return the book in ``path``; raise ScenarioError for anything wrong with it.

    ``today`` is the day by which prices are old; None: the day it is.
    """
    if not path.is_file():
        known = ", ".join(sorted(book.name for book in path.parent.glob("*.yaml"))) or "none"
        raise ScenarioError(f"{path}:1: no such price book; there are: {known}")
    document = Document.read(path, begins="region: <region>")
    book = validated(_Book, document.values, document)
    if book.region != path.stem:
        what = f"must be the file's name; write 'region: {path.stem}' or rename the file"
        raise ScenarioError(document.problem(("region",), what))
    _refuse_twice(document, book.prices)
    _refuse_free_of_none(document, book.prices)
    day = today or date.today()
    return PriceBook(document, book.region, book.currency, tuple(book.prices), day)


def _refuse_twice(document: Document, prices: list[Price]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for at, price in enumerate(prices):
        first = seen.setdefault((price.service, price.dimension), at)
        if first != at:
            line = document.line(("prices", first))
            what = f"{price.service} {price.dimension} is priced twice, first on line {line}"
            key = ("prices", at, "dimension")
            raise ScenarioError(document.problem(key, f"{what}; keep one"))


def _refuse_free_of_none(document: Document, prices: list[Price]) -> None:
    having = {(price.service, price.dimension): price.unit for price in prices if price.free}
    for at, price in enumerate(prices):
        if price.free_with and having.get((price.service, price.free_with)) != price.unit:
            what = (
                f"{price.service} {shown(price.free_with)} has no free units in {price.unit}; name "
                "a dimension that has"
            )
            raise ScenarioError(document.problem(("prices", at, "free_with"), what))
