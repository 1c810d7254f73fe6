"""What a spike's offers cost, for whoever asks on the command line."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from spikebench.cost.money import Cost
from spikebench.record.model import Record
from spikebench.scenario.model import Scenario


@dataclass(frozen=True)
class Priced:
    """One offer: its ``name``, the ``candidate`` it stands for, and costs by what they are of.

    ``about`` says whose usage it is, ``costs`` maps a heading such as ``a month`` to a cost, and
    ``group`` says among which others it stands, such as a handler's, where they are not all alike.
    """

    name: str
    candidate: str
    about: str
    costs: Mapping[str, Cost]
    group: str = ""


@dataclass(frozen=True)
class Offers:
    """All offers of a spike, and sentences about them together, such as which is the cheapest."""

    priced: tuple[Priced, ...]
    said: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Priced]:
        """Each offer."""
        return iter(self.priced)


Pricing = Callable[[Sequence[Record], Mapping[str, Scenario], str | None], Offers]
"""From a run's records, which may be none, the scenarios, and one that was asked for, to offers.

Raises UsageError where that scenario has no costs.
"""


def load(name: str) -> Pricing:
    """Import and return the pricing called ``package.module:ATTRIBUTE``."""
    module, _, attribute = name.partition(":")
    found: Pricing = getattr(importlib.import_module(module), attribute)
    return found
