"""Money from usage and prices: a price book, and costs that open into their terms."""

from spikebench.cost.crossing import CostAt, Crossing, cheapest, crossings
from spikebench.cost.money import Cost, Term
from spikebench.cost.priced import Offers, Priced
from spikebench.cost.prices import PriceBook, Usage, read_prices

__all__ = [
    "Cost",
    "CostAt",
    "Crossing",
    "Offers",
    "PriceBook",
    "Priced",
    "Term",
    "Usage",
    "cheapest",
    "crossings",
    "read_prices",
]
