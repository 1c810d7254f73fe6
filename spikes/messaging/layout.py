"""What tables and plots know of the messaging spike: the usual of messages, and what they cost."""

from __future__ import annotations

from dataclasses import replace

from spikebench.report.column import Column
from spikebench.report.curve import of_costs
from spikebench.report.drawing import Drawing
from spikebench.report.messages import LAYOUT as MESSAGES
from spikebench.report.table import Row, Table
from spikes.messaging.beside import (
    A_MONTH,
    MARKED,
    PER_MILLION,
    bills,
    complete,
    cost_curves,
    pattern,
    tell,
)

COSTS = (
    Column(PER_MILLION, "USD per million", fixed=False),
    Column(A_MONTH, "USD a month", fixed=False),
)

WHAT_IS_MARKED = f"{MARKED} with a price of another region, or one that is old or undated"


def _remarks(row: Row) -> list[str]:
    """Why a row has no cost, or which of its prices may not hold, and why."""
    cost = row.cell.metrics.get(A_MONTH)
    if cost is None:
        return []
    if cost.value is None:
        return [f"no cost: {cost.note}"]
    return [f"cost: {cost.note}"] if cost.note else []


def _drawings(table: Table) -> list[Drawing]:
    curves = {section.name: cost_curves(section) for section in table.sections}
    costs = of_costs(curves, pattern().rate_per_s, WHAT_IS_MARKED)
    return [*MESSAGES.drawings(table), *costs]


LAYOUT = replace(
    MESSAGES,
    columns=(*MESSAGES.columns, *COSTS),
    how_to_read=(
        f"{MESSAGES.how_to_read} USD are a model of list prices and upkeep at the team's load, "
        "whatever the row's fidelity (docs/cost.md)."
    ),
    left_out=MESSAGES.left_out.replace("memory,", "memory, USD,"),
    remarks=_remarks,
    complete=complete,
    money=tell,
    bills=bills,
    drawings=_drawings,
)
