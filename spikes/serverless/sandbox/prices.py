"""The price book as a budget reads it: US dollars for one unit of a dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikebench.cost.prices import PriceBook, read_prices
from spikebench.target.sandbox.budget import Prices
from spikes.serverless.sandbox.cost import REQUEST, gb_second

_BOOKED: Mapping[str, tuple[str, str, float]] = {
    REQUEST: ("requests", "million requests", 1e6),
    gb_second("x86_64"): ("GB-second x86", "GB-second", 1),
    gb_second("arm64"): ("GB-second arm", "GB-second", 1),
}
"""Of each dimension: what the book calls it, its unit there, and how many of ours that is."""


BOOKS = Path(__file__).parents[3] / "scenarios" / "prices"
"""A file for each region whose prices are known."""


@dataclass(frozen=True)
class NoPrices:
    """Those of a region that no book is of: nothing is priced."""

    def price(self, dimension: str) -> float | None:  # noqa: ARG002
        """None."""
        return None


def prices_of(region: str, books: Path = BOOKS) -> Prices:
    """Return the prices of a region; raise ScenarioError where its book is malformed."""
    path = books / f"{region}.yaml"
    return BookPrices(read_prices(path)) if path.exists() else NoPrices()


@dataclass(frozen=True)
class BookPrices:
    """Prices of Lambda from a book of the region that is measured in."""

    book: PriceBook

    def price(self, dimension: str) -> float | None:
        """Return the price; None where the book has none, in this unit and in US dollars.

        Of steps the first, which is the dearest; free units are not taken off.
        """
        if dimension not in _BOOKED or self.book.currency != "USD":
            return None
        name, unit, ours = _BOOKED[dimension]
        found = self.book.find("lambda", name)
        if found is None or found.unit != unit:
            return None
        return max(step.price for step in found.stairs) / ours
