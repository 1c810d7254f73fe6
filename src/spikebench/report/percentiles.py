"""Plots of latency: percentile by percentile to p99.9, and against the rate where it was swept.

Readable without colour: every line has a dash and a mark of its own; hollow marks are an
emulator's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from spikebench.report import wording
from spikebench.report.curve import LABELS_INCHES, Curve, draw_curves, frame_above, legend
from spikebench.report.declared import CEILING
from spikebench.report.drawing import Drawing
from spikebench.report.figure import GREY
from spikebench.report.frame import AXIS_INCHES
from spikebench.report.layout import Layout
from spikebench.report.table import Row, Section, Table
from spikebench.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS_INCHES = 0.3
"""Height of the names of percentiles below a panel."""

RATE = "rate_per_s"
SHOWN = {"p50": 2.0, "p95": 20.0, "p99": 100.0, "p999": 1000.0}
"""Percentiles by the odds against exceeding them: one message in so many is slower."""

NAMES = {2.0: "p50", 20.0: "p95", 100.0: "p99", 1000.0: "p99.9"}
CAPTION = "means over trials with 95 % intervals; a line ends where samples are too few"
BESIDE = 0.05
"""Decades between marks of one percentile that stand beside one another, not upon."""

WIDEST = 0.4
"""Decades that all marks of one percentile may take."""


@dataclass(frozen=True)
class _Panel:
    title: str
    rows: tuple[Row, ...]


def of_percentiles(table: Table) -> list[Drawing]:
    """``plot-<scenario>-percentiles`` where two percentiles are known."""
    names = names_of(table)
    return [
        Drawing(
            f"plot-{section.name}-percentiles",
            partial(percentile_figure, section.name, panels, names),
        )
        for section in table.sections
        if (panels := _panels(section, table.layout))
    ]


def of_rates(table: Table) -> list[Drawing]:
    """``plot-<scenario>-rate`` where a row's rate was swept."""
    names = names_of(table)
    return [
        Drawing(f"plot-{section.name}-rate", partial(rate_figure, section, names))
        for section in table.sections
        if _by_rate(section.rows, "end_to_end_p50")
    ]


def names_of(table: Table) -> list[str]:
    """Every measured line's name, by which it has the same style in all plots of a table."""
    rows = (row for section in table.sections for row in _measured(section.rows))
    return list(dict.fromkeys(_name(row) for row in rows))


def percentile_figure(name: str, panels: Sequence[_Panel], names: Sequence[str]) -> Figure:
    """Draw end-to-end latency by percentile, a panel for each set of parameters.

    ``names`` give each line its style.
    """
    drawn = {_name(row) for panel in panels for row in panel.rows}
    frame = frame_above(len(drawn), below=TICKS_INCHES)
    title = f"{name}: end-to-end latency by percentile"
    figure = frame.figure(title, ratios=[1.0] * len(panels), sharey=True)
    for axes, panel in zip(figure.axes, panels, strict=True):
        draw_curves(axes, _beside(panel.rows), names)
        axes.set_title(panel.title, fontsize=9, y=1)
        _name_percentiles(axes)
    figure.axes[0].set_ylabel("ms (log scale)", fontsize=9)
    legend(figure, names, CAPTION, drawn)
    return figure


def rate_figure(section: Section, names: Sequence[str]) -> Figure:
    """Draw p50 and p99 against the rate that was kept, a line a candidate; see above for names."""
    drawn = _by_rate(section.rows, "end_to_end_p50")
    frame = frame_above(len(drawn), below=AXIS_INCHES, between=LABELS_INCHES)
    title = f"{section.name}: end-to-end latency against rate"
    figure = frame.figure(title, ratios=(1, 1), sharex=True)
    emulated = _emulated(section.rows)
    for axes, metric in zip(figure.axes, ("end_to_end_p50", "end_to_end_p99"), strict=True):
        curves = {
            name: Curve(tuple(points), name in emulated)
            for name, points in _by_rate(section.rows, metric).items()
        }
        draw_curves(axes, curves, names)
        axes.set_title(metric.removeprefix("end_to_end_"), fontsize=9, y=1)
        axes.set_xlabel("messages a second, as kept (log scale)")
        axes.set_ylabel("ms (log scale)", fontsize=9)
    legend(figure, names, CAPTION, drawn)
    return figure


def _panels(section: Section, layout: Layout) -> list[_Panel]:
    """Rows with two percentiles or more, by parameters, those of an emulator too."""
    found: dict[str, list[Row]] = {}
    for row in _measured(section.rows):
        if len(_percentiles(row).points) > 1:
            title = wording.params(layout.shared(row.cell.params))
            found.setdefault(title, []).append(row)
    return [_Panel(title, tuple(rows)) for title, rows in found.items()]


def _measured(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.intervals and row.cell.candidate != CEILING]


def _emulated(rows: Iterable[Row]) -> set[str]:
    return {_name(row) for row in rows if row.cell.fidelity == "emulator"}


def _percentiles(row: Row) -> Curve:
    had = ((odds, row.intervals.get(f"end_to_end_{name}")) for name, odds in SHOWN.items())
    points = tuple((odds, found) for odds, found in had if found is not None)
    return Curve(points, row.cell.fidelity == "emulator")


def _beside(rows: Sequence[Row]) -> dict[str, Curve]:
    """Each row's curve, moved aside so that no interval hides another's."""
    step = min(BESIDE, WIDEST / len(rows))
    return {
        _name(row): _moved(_percentiles(row), step * (place - (len(rows) - 1) / 2))
        for place, row in enumerate(rows)
    }


def _moved(curve: Curve, decades: float) -> Curve:
    return replace(curve, points=tuple((x * 10**decades, found) for x, found in curve.points))


def _by_rate(rows: Iterable[Row], metric: str) -> Mapping[str, list[tuple[float, Interval]]]:
    """Each name's latencies by the rate it kept, where it was swept to more than one."""
    found: dict[str, list[tuple[float, Interval]]] = {}
    for row in _measured(rows):
        kept, latency = row.intervals.get("throughput"), row.intervals.get(metric)
        if RATE in dict(row.cell.params) and kept is not None and latency is not None:
            found.setdefault(_name(row), []).append((kept.median, latency))
    return {name: sorted(points, key=_rate) for name, points in found.items() if len(points) > 1}


def _rate(point: tuple[float, Interval]) -> float:
    return point[0]


def _name(row: Row) -> str:
    return f"{row.cell.candidate} ({row.cell.client})"


def _name_percentiles(axes: Axes) -> None:
    from matplotlib.ticker import NullLocator

    axes.set_xticks(list(NAMES), list(NAMES.values()), color=GREY)
    axes.set_xlim(1.2, 1700)
    axes.xaxis.set_minor_locator(NullLocator())
