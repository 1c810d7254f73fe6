"""Plots of messages: rate and end-to-end latency of each cell, with 95 % intervals.

Readable without colour: shapes tell metrics apart, filled marks are measured on the software or the
service itself, hollow ones on an emulator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from spikebench.report import wording
from spikebench.report.declared import CEILING
from spikebench.report.drawing import Drawing
from spikebench.report.figure import (
    INK,
    NAME_POINTS,
    dress,
    reach,
    say,
    say_not_measured,
    scale_by_decades,
)
from spikebench.report.frame import (
    AXIS_INCHES,
    TITLE_INCHES,
    Frame,
    legend_inches,
    names_inches,
)
from spikebench.report.percentiles import of_percentiles, of_rates
from spikebench.report.ratios import of_ratios
from spikebench.report.table import Row, Section, Table
from spikebench.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

ROW_INCHES = 0.34
LEGEND_COLUMNS = 3
CAPTION = "marks: means over trials; bars: their 95 % intervals"
WIDE = 10
"""Ratio of the highest rate to the lowest above which rates are drawn on a log scale."""


@dataclass(frozen=True)
class Series:
    """One metric of a panel: its mark, its colour and how far it stands off its row's line."""

    metric: str
    label: str
    marker: str
    colour: str
    offset: float = 0.0


LATENCIES = (
    Series("end_to_end_p50", "p50", "o", "#0b5394", 0.14),
    Series("end_to_end_p99", "p99", "D", "#b45f06", -0.14),
)


def drawings(table: Table) -> list[Drawing]:
    """The plots of each scenario that has a measured cell.

    Beside rate and latency of every cell: ratios to the baseline, latency by percentile, and
    latency against the rate where that was swept.
    """
    return [*_of_cells(table), *of_ratios(table), *of_percentiles(table), *of_rates(table)]


def _of_cells(table: Table) -> Iterator[Drawing]:
    for section in table.sections:
        if any(row.intervals for row in section.rows if row.cell.candidate != CEILING):
            yield Drawing(f"plot-{section.name}", partial(figure_of, section))


def figure_of(section: Section) -> Figure:
    """Draw one scenario: a row a cell, its rate on the left, its latency on the right.

    The generator's own ceiling is left to the table: it would squeeze all else into a corner.
    """
    rows = [row for row in section.rows if row.cell.candidate != CEILING]
    bottom = AXIS_INCHES + legend_inches(len(LATENCIES) + 1, LEGEND_COLUMNS)
    frame = Frame(
        height=TITLE_INCHES + ROW_INCHES * (len(rows) + 0.6) + bottom,
        left=names_inches(map(_name, rows), NAME_POINTS),
        bottom=bottom,
    )
    title = section.scenario.title if section.scenario else ""
    named = f"{section.name}: {title}" if title else section.name
    figure = frame.figure(named, ratios=(1, 1.25))
    rate, latency = figure.axes
    _rates(rate, rows)
    _latencies(latency, rows)
    _name_rows(rate, latency, rows)
    _legend(figure, rows)
    for panel in (rate, latency):
        dress(panel)
    _say_not_measured(rate, latency, rows)
    return figure


def _rates(axes: Axes, rows: Sequence[Row]) -> None:
    metric, label = ("throughput", "throughput, msg/s")
    if any("capacity" in row.intervals for row in rows):
        metric, label = ("capacity", "capacity, msg/s")
    _marks(axes, rows, Series(metric, label, "s", INK))
    seen = [row.intervals[metric] for row in rows if metric in row.intervals]
    highest = max((one.high or one.mean for one in seen), default=1.0) or 1.0
    if 0 < WIDE * min((one.mean for one in seen), default=1.0) < highest:
        axes.set_xlabel(f"{label} (log scale)")
        scale_by_decades(axes, seen)
    else:
        axes.set_xlabel(label)
        axes.set_xlim(0, 1.08 * highest)
        axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter("{x:,.0f}")


def _latencies(axes: Axes, rows: Sequence[Row]) -> None:
    for series in LATENCIES:
        _marks(axes, rows, series)
    seen = [row.intervals[s.metric] for row in rows for s in LATENCIES if s.metric in row.intervals]
    axes.set_xlabel("end-to-end latency, ms (log scale)")
    scale_by_decades(axes, seen)


def _marks(axes: Axes, rows: Sequence[Row], series: Series) -> None:
    """Draw a metric of all rows: filled marks in one go and hollow ones in another."""
    for hollow in (False, True):
        found = [
            (place, row.intervals[series.metric])
            for place, row in enumerate(rows)
            if series.metric in row.intervals and _is_hollow(row) == hollow
        ]
        if found:
            _mark(axes, found, series, hollow)


def _mark(axes: Axes, found: Sequence[tuple[int, Interval]], series: Series, hollow: bool) -> None:
    reaches = [reach(one) for _, one in found]
    axes.errorbar(
        [one.mean for _, one in found],
        [place - series.offset for place, _ in found],
        xerr=([below for below, _ in reaches], [above for _, above in reaches]),
        fmt=series.marker,
        color=series.colour,
        markerfacecolor="white" if hollow else series.colour,
        markersize=5.5,
        elinewidth=1.2,
        capsize=2.5,
    )


def _is_hollow(row: Row) -> bool:
    return row.cell.fidelity == "emulator"


def _name_rows(rate: Axes, latency: Axes, rows: Sequence[Row]) -> None:
    rate.set_yticks(range(len(rows)), [_name(row) for row in rows])
    latency.set_yticks([])
    for axes in (rate, latency):
        axes.set_ylim(len(rows) - 0.4, -0.6)


def _name(row: Row) -> str:
    name = f"{row.cell.candidate} ({row.cell.client})"
    return f"{name}, {row.params}" if row.params else name


def _say_not_measured(rate: Axes, latency: Axes, rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        if not row.intervals:
            say_not_measured(rate, place)
            say(latency, place, "; ".join(wording.why_void(row)))


def _legend(figure: Figure, rows: Sequence[Row]) -> None:
    marks = [_key(s.marker, s.colour, s.colour, f"end-to-end {s.label}") for s in LATENCIES]
    if any(_is_hollow(row) and row.intervals for row in rows):
        marks.append(_key("o", INK, "white", f"hollow: {wording.EMULATOR_NOTE}"))
    figure.legend(
        handles=marks,
        title=CAPTION,
        title_fontsize=8,
        loc="lower center",
        ncols=LEGEND_COLUMNS,
        fontsize=8,
        frameon=False,
    )


def _key(marker: str, colour: str, face: str, label: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], marker=marker, color=colour, markerfacecolor=face, linestyle="", label=label
    )
