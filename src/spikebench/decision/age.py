"""What time does to a record: its review date passes, and the prices that it rests on grow old.

Neither changes a figure, so that a record's text does not depend on the day; it is warned of.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from spikebench.cost.money import Term
from spikebench.cost.priced import load
from spikebench.cost.prices import why_old
from spikebench.decision.assess import Assessment
from spikebench.decision.evidence import is_fault
from spikebench.decision.read import decision_path


def aged(found: Assessment, today: date) -> list[str]:
    """A sentence for each thing that time has done to a decision by ``today``."""
    return [*_overdue(found, today), *_old_prices(found, today)]


def _overdue(found: Assessment, today: date) -> Iterator[str]:
    if date.fromisoformat(found.decision.review) < today:
        yield (
            f"was to be looked at again by {found.decision.review}; do so, then set the next "
            f"'review' in {decision_path(found.spike)} and run: spikebench decide "
            f"{found.spike.name}"
        )


def _old_prices(found: Assessment, today: date) -> Iterator[str]:
    days = dict.fromkeys(term.as_of for term in terms(found) if why_old(term.as_of, today))
    if days:
        yield (
            f"its costs rest on prices that may no longer hold, by their dates ({_listed(days)}): "
            f"spikebench cost {found.spike.name} marks each; read them anew with: "
            "spikebench prices refresh"
        )


def price_days(found: Assessment) -> str:
    """The days that the prices behind a record's costs are of; empty where nothing was priced."""
    return _listed({term.as_of: None for term in terms(found)})


def terms(found: Assessment) -> list[Term]:
    """Each priced term of what the options cost with the workloads of the rows that were used."""
    if not found.spike.pricing:
        return []
    rows = [row for row in found.rows.values() if not is_fault(row)]
    records = [record for row in rows for record in row.cell.records]
    names = {*(row.cell.candidate for row in rows), *(one.name for one in found.decision.options)}
    price = load(found.spike.pricing)
    return [
        term
        for scenario in dict.fromkeys(row.cell.scenario for row in rows)
        for one in price(records, found.scenarios, scenario)
        if one.candidate in names
        for cost in one.costs.values()
        for term in cost.terms
        if term.as_of
    ]


def _listed(days: dict[str, None]) -> str:
    return ", ".join(sorted(days))
