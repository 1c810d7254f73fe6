"""What tables and plots know of the messaging spike: the usual of messages, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spikebench.report.column import Column
from spikebench.report.curve import draw_costs
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


def _draw(table: Table, folder: Path) -> list[Path]:
    drawn = MESSAGES.draw(table, folder)
    curves = {section.name: cost_curves(section) for section in table.sections}
    return [*drawn, *draw_costs(curves, pattern().rate_per_s, folder, WHAT_IS_MARKED)]


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
    draw=_draw,
)
