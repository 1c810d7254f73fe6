"""A panel a runtime, a line a lever: cold starts over memory, invokes over their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal

from spikebench.record.model import Record
from spikebench.report.figure import GREY, INK, WIDTH_INCHES, dress, reach
from spikebench.report.source import source
from spikebench.report.table import Row, Section
from spikes.serverless.plots.rows import HEADLINE, State, heading, lever, measured, read, state_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

PANEL_INCHES = 2.1
PANELS_A_ROW = 3
ROUND = ("1", "2", "5")
SOURCE_WIDTH = 44
"""Characters of a line that says whose figures they are."""

SERIES = "invoke_ms"
"""The series of a record that holds the milliseconds of each invoke, the first one first."""


@dataclass(frozen=True)
class Stroke:
    """How a lever's line is drawn."""

    marker: str
    line: Literal["-", "--", "-.", ":", ""]
    colour: str
    hollow: bool = False


STROKES = {
    "baseline": Stroke("o", "-", INK),
    "c1": Stroke("s", "--", "#0b5394"),
    "appcds": Stroke("^", "-.", "#38761d"),
    "appcds+c1": Stroke("<", "-.", "#274e13"),
    "aot-cache": Stroke("D", ":", "#b45f06"),
    "aot-cache+c1": Stroke("d", ":", "#7f6000"),
    "lambda-flags": Stroke("v", "--", "#741b47"),
    "lambda-runtime": Stroke("h", "--", "#351c75"),
    "snapshot": Stroke("P", "-.", "#990000"),
    "snapstart": Stroke("X", ":", "#134f5c"),
    "native": Stroke("*", "-", GREY),
}
ANY = Stroke("o", "-", INK)
ELSEWHERE = Stroke("o", "", GREY, hollow=True)


@dataclass
class Curve:
    """Points of a line, with how far their intervals reach below and above."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    reaches: list[tuple[float, float]] = field(default_factory=list)

    def add(self, x: float, y: float, reaches: tuple[float, float]) -> None:
        """Add a point."""
        self.x.append(x)
        self.y.append(y)
        self.reaches.append(reaches)


Panels = Mapping[str, Mapping[str, Curve]]
"""Curves by runtime, then by lever or by whose figures they are."""


def by_memory(section: Section, state: State) -> Panels:
    """Cold starts over memory, where a run has several sizes; empty where it has not."""
    rows = [row for row in measured(section) if HEADLINE in row.intervals]
    rows = [row for row in rows if state_of(row).page_cache == state.page_cache]
    if len({state_of(row).memory_mb for row in rows}) < 2:
        return {}
    panels: dict[str, dict[str, Curve]] = {}
    for row in sorted(rows, key=lambda row: state_of(row).memory_mb):
        _add(panels.setdefault(row.cell.candidate, {}), lever(row), row)
    for row in read(section):
        if row.cell.candidate in panels and state_of(row).memory_mb:
            _add(panels[row.cell.candidate], source(row.cell), row)
    return _in_order(section, panels)


def _add(curves: dict[str, Curve], name: str, row: Row) -> None:
    found = row.intervals[HEADLINE]
    curves.setdefault(name, Curve()).add(state_of(row).memory_mb, found.mean, reach(found))


def by_invoke(section: Section, state: State) -> Panels:
    """The median over trials of each invoke; empty where no record has the series."""
    panels: dict[str, dict[str, Curve]] = {}
    for row in (row for row in measured(section) if state_of(row) == state):
        each = _invokes(row.cell.valid)
        if len(each) > 1:
            curve = panels.setdefault(row.cell.candidate, {}).setdefault(lever(row), Curve())
            curve.x, curve.y = [float(n) for n in range(1, len(each) + 1)], each
    return _in_order(section, panels)


def _invokes(trials: Sequence[Record]) -> list[float]:
    """Each invoke's median, as far as all trials go; what took no time has no place on a log."""
    had = [found for trial in trials if (found := trial.series.get(SERIES))]
    shortest = min(map(len, had), default=0)
    each = [median(one[n] for one in had) for n in range(shortest)]
    return each if all(value > 0 for value in each) else []


def _in_order(section: Section, panels: Panels) -> Panels:
    names = dict.fromkeys(row.cell.candidate for row in section.rows)
    return {name: panels[name] for name in names if name in panels}


def memory_of(section: Section, state: State, panels: Panels) -> Figure:
    """Draw cold starts over memory, both by their logs: half the time for twice the memory."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    figure, all_axes = _panels(panels, heading(section, f"page cache {state.page_cache}"))
    sizes = sorted({x for curves in panels.values() for c in curves.values() for x in c.x})
    for axes in all_axes:
        axes.set_xscale("log")
        axes.set_xlim(sizes[0] / 1.2, sizes[-1] * 1.2)
        axes.xaxis.set_major_locator(FixedLocator(sizes))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(axis="x", labelsize=7)
    _name_scales(figure, "memory, MB (log scale)", "cold start, ms (log scale)")
    _explain(figure, panels, "marks: means over trials; bars: their 95 % intervals")
    return figure


def invokes_of(section: Section, state: State, panels: Panels) -> Figure:
    """Draw what each invoke took, from the first on, both by their logs."""
    figure, all_axes = _panels(panels, heading(section, str(state)))
    longest = max(len(c.x) for curves in panels.values() for c in curves.values())
    for axes in all_axes:
        axes.set_xscale("log")
        axes.set_xlim(0.85, longest * 1.2)
        _by_decades(axes.xaxis, 1, longest)
    _name_scales(figure, "invoke, from the first (log scale)", "its duration, ms (log scale)")
    _explain(figure, panels, "medians over trials")
    return figure


def _panels(panels: Panels, title: str) -> tuple[Figure, list[Axes]]:
    """Draw every panel on the same scales, durations by their logs."""
    from matplotlib.figure import Figure

    columns = min(PANELS_A_ROW, len(panels))
    lines = ceil(len(panels) / columns)
    figure = Figure(figsize=(WIDTH_INCHES, PANEL_INCHES * lines + 1.5), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    all_axes = list(grid.flat)
    low, high = _ends(panels)
    for axes, (name, curves) in zip(all_axes, panels.items(), strict=False):
        for key, curve in curves.items():
            _line(axes, curve, _stroke(key))
        axes.set_title(name, fontsize=9, fontweight="bold", loc="left")
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        _by_decades(axes.yaxis, low, high)
        dress(axes)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    for place in range(len(panels), len(all_axes)):
        all_axes[place].set_visible(False)
        all_axes[place - columns].tick_params(labelbottom=True)
    figure.suptitle(title, fontsize=11)
    return figure, all_axes[: len(panels)]


def _name_scales(figure: Figure, x: str, y: str) -> None:
    """Name the scales at the edges of the grid, which is where their figures stand."""
    for axes in (axes for axes in figure.axes if axes.get_visible()):
        if axes.xaxis.get_tick_params()["labelbottom"]:
            axes.set_xlabel(x, fontsize=8.5)
        if axes.yaxis.get_tick_params()["labelleft"]:
            axes.set_ylabel(y, fontsize=8.5)


def _ends(panels: Panels) -> tuple[float, float]:
    durations = [y for curves in panels.values() for curve in curves.values() for y in curve.y]
    return min(durations) / 1.4, max(durations) * 1.4


def _by_decades(axis: Axis, low: float, high: float) -> None:
    """Ticks at 1, 2 and 5 of a decade where there is room for them."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 200 else (1,)))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter(NullFormatter())


def _line(axes: Axes, curve: Curve, stroke: Stroke) -> None:
    style: dict[str, Any] = {
        "marker": stroke.marker,
        "linestyle": stroke.line,
        "color": stroke.colour,
        "markerfacecolor": "white" if stroke.hollow else stroke.colour,
        "markersize": 4.5,
        "linewidth": 1.2,
    }
    if curve.reaches:
        below, above = zip(*curve.reaches, strict=True)
        axes.errorbar(curve.x, curve.y, yerr=(below, above), elinewidth=1, capsize=2, **style)
    else:
        axes.plot(curve.x, curve.y, markevery=_marked(len(curve.x)), **style)


def _marked(points: int) -> list[int]:
    """Places of the marks on a long line, as far from one another on a log scale as may be."""
    return [n - 1 for n in range(1, points + 1) if n == points or f"{n}".rstrip("0") in ROUND]


def _stroke(key: str) -> Stroke:
    """A lever's stroke; of what others measured no line."""
    return STROKES.get(key, ELSEWHERE if ":" in key else ANY)


def _explain(figure: Figure, panels: Panels, caption: str) -> None:
    had = {key for curves in panels.values() for key in curves}
    order = [*(key for key in STROKES if key in had), *sorted(had - set(STROKES))]
    figure.legend(
        handles=[_key(key) for key in order],
        title=caption,
        title_fontsize=8,
        loc="outside lower center",
        ncols=4,
        fontsize=8,
        frameon=False,
    )


def _key(name: str) -> Line2D:
    from matplotlib.lines import Line2D

    stroke = _stroke(name)
    return Line2D(
        [],
        [],
        marker=stroke.marker,
        linestyle=stroke.line,
        color=stroke.colour,
        markerfacecolor="white" if stroke.hollow else stroke.colour,
        markersize=4.5,
        linewidth=1.2,
        label=fill(name, SOURCE_WIDTH, break_on_hyphens=False) or "no lever",
    )
