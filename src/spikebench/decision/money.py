"""The parts of a record that rest on costs alone: what is cheapest, and what was not measured."""

from __future__ import annotations

from collections.abc import Iterator

from spikebench.cost import Priced
from spikebench.decision.assess import Assessment
from spikebench.decision.model import Option
from spikebench.decision.wording import foreign
from spikebench.report.column import figure
from spikebench.report.layout import load
from spikebench.report.table import Section

NO_MODEL = "the spike has no model of cost"


def cheapest(found: Assessment) -> Iterator[str]:
    """What stands below the tables of the scenarios that were used, on cost alone."""
    yield "### Where the cheapest changes"
    yield ""
    said = [f"{foreign(one.name)}: {foreign(each)}" for one in _used(found) for each in one.money]
    yield from (f"* {each}" for each in said or [f"{NO_MODEL}."])


def offered(found: Assessment, option: Option) -> list[str]:
    """What an offer of an option's name costs that no trial stands for, such as tasks all day."""
    bills = load(found.spike.layout).bills
    offers = {
        one.about: one
        for section in _used(found)
        for one in bills(section)
        if one.name == option.name
    }
    return [_said(one) for one in offers.values()]


def _used(found: Assessment) -> list[Section]:
    used = {row.cell.scenario for row in found.rows.values()}
    return [section for section in found.table.sections if section.name in used]


def _said(offer: Priced) -> str:
    costs = offer.costs.values()
    missing = dict.fromkeys(said for cost in costs for said in cost.unpriced)
    if missing:
        return f"not priced, {foreign(offer.about)}: {foreign('; '.join(missing))}"
    amounts = [
        f"{figure(cost.total)} {foreign(cost.currency)} {of_what}"
        for of_what, cost in offer.costs.items()
    ]
    doubts = dict.fromkeys(mark for cost in costs for mark in cost.marks)
    said = f"{' and '.join(amounts)} at list prices, not measured, {foreign(offer.about)}"
    return f"{said} ({foreign('; '.join(doubts))})" if doubts else said
