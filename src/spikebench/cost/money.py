"""A cost that opens into its terms, each with its quantity, its price and where that is from.

Amounts are floats. What is multiplied with a price was measured or simulated, and is uncertain in
its second or third digit; a float is certain in its fifteenth. Resampling and root finding work on
floats, and so do records. Sums are exactly rounded (``math.fsum``), so that no order of terms
changes a total. A price is printed with the digits that its file has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from math import fsum
from typing import Self


@dataclass(frozen=True)
class Term:
    """One line of a bill: ``quantity`` of ``unit`` at ``price`` each.

    ``price`` is None where the book has none: such a term is not priced, which is not zero.
    ``source`` is where the price was read, and when, or that there is none; ``mark`` why it may no
    longer hold, empty where it should; ``as_of`` the date of its price, empty where no book has it.
    """

    what: str
    quantity: float
    unit: str
    price: float | None
    source: str
    mark: str = ""
    as_of: str = ""

    @property
    def amount(self) -> float | None:
        """Quantity times price, in the cost's currency; None where it is not priced."""
        return None if self.price is None else self.quantity * self.price


@dataclass(frozen=True)
class Cost:
    """Terms in one ``currency``."""

    terms: tuple[Term, ...]
    currency: str

    @property
    def total(self) -> float | None:
        """The sum of the terms; None where one of them is not priced."""
        return None if self.unpriced else self.known

    @property
    def known(self) -> float:
        """The sum of the terms that are priced: a lower bound where others are not."""
        return fsum(term.amount for term in self.terms if term.amount is not None)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """What is not priced, and why."""
        return tuple(f"{term.what}: {term.source}" for term in self.terms if term.price is None)

    @property
    def marks(self) -> tuple[str, ...]:
        """Why prices may not hold, each reason once, with the terms that have it."""
        marked: dict[str, list[str]] = {}
        for term in self.terms:
            if term.mark and term.quantity:
                marked.setdefault(term.mark, []).append(term.what)
        return tuple(f"{mark}: {', '.join(dict.fromkeys(what))}" for mark, what in marked.items())

    def times(self, factor: float) -> Self:
        """Return the cost of ``factor`` as much of everything."""
        terms = (replace(term, quantity=term.quantity * factor) for term in self.terms)
        return replace(self, terms=tuple(terms))

    def __add__(self, other: Cost) -> Cost:
        """Return both together; raise ValueError for two currencies."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up; convert first")
        return replace(self, terms=self.terms + other.terms)

    @property
    def lines(self) -> tuple[str, ...]:
        """Each term as a sentence of plain text, and the total."""
        total = "not known" if self.total is None else f"{self.total:.4f} {self.currency}"
        return (*(self._line(term) for term in self.terms), f"total: {total}")

    def _line(self, term: Term) -> str:
        digits = ",.0f" if term.quantity >= 1e5 else ",.6g"
        quantity = f"{term.what}: {term.quantity:{digits}} {term.unit}"
        if term.price is None:
            return f"{quantity}, {term.source}"
        said = f"{term.source}; {term.mark}" if term.mark else term.source
        return f"{quantity} × {plain(term.price)} = {term.amount:.4f} {self.currency} ({said})"


def plain(price: float) -> str:
    """Return a price with the digits it was written with, never in powers of ten."""
    return format(Decimal(repr(price)), "f")
