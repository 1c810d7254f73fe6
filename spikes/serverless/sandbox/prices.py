"""The price book as a budget reads it: US dollars for one unit of a dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spikebench.cost.prices import PriceBook
from spikes.serverless.sandbox.cost import REQUEST, gb_second

_BOOKED: Mapping[str, tuple[str, str, float]] = {
    REQUEST: ("requests", "million requests", 1e6),
    gb_second("x86_64"): ("GB-second x86", "GB-second", 1),
    gb_second("arm64"): ("GB-second arm", "GB-second", 1),
}
"""Of each dimension: what the book calls it, its unit there, and how many of ours that is."""


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
