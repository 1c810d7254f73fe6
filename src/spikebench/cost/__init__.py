"""Money from usage and prices: a price book, and costs that open into their terms."""

from spikebench.cost.money import Cost, Term
from spikebench.cost.prices import PriceBook, Usage, read_prices

__all__ = ["Cost", "PriceBook", "Term", "Usage", "read_prices"]
