"""A layout: what tables and plots know of a spike's measures, given by the spike itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spikebench.candidate import Candidate
from spikebench.record.model import Record
from spikebench.record.trials import ParamsKey, Trials
from spikebench.report.column import Column
from spikebench.report.source import is_read
from spikebench.scenario.model import Scenario

if TYPE_CHECKING:
    from spikebench.cost import Priced
    from spikebench.report.drawing import Drawing
    from spikebench.report.requirement import Judgement
    from spikebench.report.table import Row, Section, Table
    from spikebench.report.wording import Footnotes

SCREEN_WIDTH = 100
"""Characters that the terminal's table may take."""

Fill = Callable[["Row", "Footnotes"], str]
"""From a row to the text of one of its places on the screen, as rich markup, with its footnotes."""

Remarks = Callable[["Row"], list[str]]
"""From a row to what a reader must know beside a figure, as footnotes."""

Judge = Callable[[Scenario, Trials, Candidate | None], "Judgement | None"]
"""Holds a cell against what its scenario requires; None where nothing is required of it.

The candidate is None where a record names one that the spike does not have any more.
"""

Drawings = Callable[["Table"], "Sequence[Drawing]"]
"""From a table to its plots, which are drawn later."""


Complete = Callable[[Sequence[Record], Mapping[str, Scenario]], Sequence[Record]]
"""Adds to a run's records what is computed from them, and what others published beside them."""

Tell = Callable[["Section"], list[str]]
"""From a section to sentences that stand below it: what its rows say together."""


Bills = Callable[["Section"], "Sequence[Priced]"]
"""From a section to what its offers cost, each figure of which opens into its terms."""


def unbilled(_: Section) -> Sequence[Priced]:
    """Price nothing of a section."""
    return ()


def as_recorded(records: Sequence[Record], _: Mapping[str, Scenario]) -> Sequence[Record]:
    """Add nothing to a run's records."""
    return records


def untold(_: Section) -> list[str]:
    """Say nothing below a section."""
    return []


def nothing(row: Row) -> list[str]:  # noqa: ARG001 - a Remarks
    """Say nothing of any row."""
    return []


@dataclass(frozen=True)
class Count:
    """A count of the ledger, summed over valid trials: its name there, and its footnotes."""

    name: str
    remarks: Remarks = nothing


@dataclass(frozen=True)
class ScreenColumn:
    """A column of the terminal's table: a header of at most two lines, a width in characters.

    ``instead`` takes its place in a section that has the ``metric`` of ``instead``. ``left`` is for
    words; figures stand on the right.
    """

    header: str
    width: int
    fill: Fill
    metric: str = ""
    instead: ScreenColumn | None = None
    left: bool = False

    def among(self, metrics: Set[str]) -> ScreenColumn:
        """The column that stands here in a section that has ``metrics``."""
        if self.instead is not None and self.instead.metric in metrics:
            return self.instead
        return self


@dataclass(frozen=True)
class Layout:
    """Everything a table or a plot needs to know of a spike's measures.

    ``columns`` are those of the Markdown table, ``screen`` those of the terminal's, ``counts`` what
    a table shows of the ledger. ``limit`` is whether a row says which side was the limit.
    ``how_to_read`` stands above the Markdown table, ``left_out`` below the terminal's. ``headline``
    is the metric compared where a scenario declares none. ``alternatives`` are parameters that are
    answers, as candidates are, with their values in a reader's order: cells that differ in them
    alone stand in one group and are compared; any other parameter parts groups. ``settings`` are
    keys of a scenario that are shown as parameters where they were not swept. ``remarks`` are
    footnotes to a row's name. ``complete`` is applied to a run's records before they become a
    table, ``tell`` and ``money`` to each of its sections: what ``money`` says is of cost, and
    decision records have it too. ``bills`` are what its offers cost, for who wants every term.
    Raises ValueError where the columns do not fit.
    """

    columns: tuple[Column, ...]
    screen: tuple[ScreenColumn, ...]
    how_to_read: str
    left_out: str
    headline: str
    judge: Judge
    drawings: Drawings
    counts: tuple[Count, ...] = ()
    limit: bool = False
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    remarks: Remarks = nothing
    complete: Complete = as_recorded
    tell: Tell = untold
    money: Tell = untold
    bills: Bills = unbilled

    def __post_init__(self) -> None:
        """Refuse columns that a terminal would have to squeeze."""
        both = [(column.width, (column.instead or column).width) for column in self.screen]
        taken = sum(map(max, both)) + len(both) - 1
        if taken > SCREEN_WIDTH:
            raise ValueError(f"columns of {taken} characters, {SCREEN_WIDTH} fit the screen")

    def shared(self, params: ParamsKey) -> ParamsKey:
        """The parameters that a group's cells share."""
        return tuple((name, value) for name, value in params if name not in self.alternatives)

    def told(self, row: Row) -> ParamsKey:
        """What a row's group shares, with the scenario's own settings where it sweeps none.

        What was read elsewhere has only what is said of it.
        """
        had = dict(self.shared(row.cell.params))
        if not is_read(row.cell):
            own = {name: getattr(row.scenario, name, None) for name in self.settings}
            had = {name: str(value) for name, value in own.items() if value is not None} | had
        return tuple(sorted(had.items()))

    def chosen(self, params: ParamsKey) -> tuple[str, ...]:
        """The values that tell a group's cells apart, beside their candidate; empty for none."""
        had = dict(params)
        return tuple(had.get(name, "") for name in self.alternatives)

    def places(self, params: ParamsKey) -> tuple[tuple[int, str], ...]:
        """Where a cell's alternatives stand: in the order declared, those not declared after."""
        orders = self.alternatives.values()
        return tuple(
            (order.index(value) if value in order else len(order), value)
            for order, value in zip(orders, self.chosen(params), strict=True)
        )


def load(name: str) -> Layout:
    """Import and return the layout called ``package.module:ATTRIBUTE``."""
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    assert isinstance(found, Layout), f"{name} must be a Layout"
    return found
