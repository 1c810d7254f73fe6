"""Lines of a figure against another: what each candidate costs a month by load, and latencies.

Readable without colour: every line has a dash and a mark of its own.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from spikebench.cost import CostAt
from spikebench.report.drawing import Drawing
from spikebench.report.figure import GREY, dress, reach, tick_by_decades
from spikebench.report.frame import (
    AXIS_INCHES,
    LINE_INCHES,
    TITLE_INCHES,
    Frame,
    legend_inches,
    names_inches,
)
from spikebench.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#1a1a1a", "#666666", "#0a7575", "#a61c00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKS = "osD^vPX*"
HEIGHT_INCHES = 4.6
LABELS_INCHES = 0.8
"""Width of an axis' labels, its own and those of its ticks."""

LEGEND_POINTS, LEGEND_COLUMNS = 8, 4
TOP_INCHES = TITLE_INCHES + 0.22
"""Height of a figure's title and those of its panels."""

PANEL_INCHES = TOP_INCHES + 2.75
KEY_INCHES = 0.45
"""Width of a line's sample in a legend."""

NARROW = 200
"""Ratio of a log scale's ends below which 2 and 5 are labelled too."""
DECADES = (1, 4)
"""Powers of ten a second between which costs are drawn."""


def of_costs(
    curves: Mapping[str, Mapping[str, CostAt]], load_per_s: float, note: str = ""
) -> list[Drawing]:
    """``plot-<name>-cost`` of each name that has two priced curves.

    ``load_per_s`` is marked. What is not priced is named below, beside ``note``.
    """
    return [
        Drawing(f"plot-{name}-cost", partial(cost_figure, name, offers, load_per_s, note))
        for name, offers in curves.items()
        if sum(at(load_per_s) is not None for at in offers.values()) > 1
    ]


def cost_figure(
    name: str, offers: Mapping[str, CostAt], load_per_s: float, note: str = ""
) -> Figure:
    """Draw what each offer costs a month against messages a second, both on log scales."""
    low, high = DECADES
    loads = [10 ** (low + (high - low) * at / 60) for at in range(61)]
    lines: dict[str, tuple[tuple[float, float], ...]] = {}
    for offer, at in offers.items():
        points = tuple((load, cost) for load in loads if (cost := at(load)))
        if points:
            lines[offer] = points
    named = _merged(lines)
    frame = Frame(
        HEIGHT_INCHES,
        left=LABELS_INCHES,
        right=names_inches(named, LEGEND_POINTS) + KEY_INCHES,
        bottom=AXIS_INCHES + LINE_INCHES * (2 if note else 1) + 0.05,
    )
    figure = frame.figure(f"{name}: cost against load")
    (axes,) = figure.axes
    for at_place, (names, points) in enumerate(named.items()):
        axes.plot(*zip(*points, strict=True), label=names, markevery=10, **style(at_place))
    _log_scales(axes)
    axes.legend(fontsize=LEGEND_POINTS, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.axvline(load_per_s, color=GREY, linewidth=0.8, linestyle=":")
    axes.annotate(
        f"the team's load, {load_per_s:g}/s",
        (load_per_s, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(3, -9),
        textcoords="offset points",
        fontsize=7.5,
        color=GREY,
    )
    axes.set_xlabel("messages a second (log scale)")
    axes.set_ylabel("USD a month (log scale)", fontsize=9)
    left_out = [offer for offer in offers if offer not in lines]
    told = [
        "a model of list prices and of the pattern's assumptions",
        *([f"not priced: {', '.join(left_out)}"] if left_out else []),
    ]
    below = "\n".join(filter(None, ["; ".join(told), note]))
    figure.supxlabel(below, fontsize=8, color=GREY)
    return figure


@dataclass(frozen=True)
class Curve:
    """Points of x and what was measured there; ``hollow`` is whether an emulator was."""

    points: tuple[tuple[float, Interval], ...]
    hollow: bool = False


def draw_curves(axes: Axes, curves: Mapping[str, Curve], names: Sequence[str]) -> None:
    """Draw means with intervals on log scales; ``names`` give each the same style everywhere."""
    for name, curve in curves.items():
        if not curve.points:
            continue
        reaches = [reach(found) for _, found in curve.points]
        had = style(names.index(name))
        axes.errorbar(
            [x for x, _ in curve.points],
            [found.mean for _, found in curve.points],
            yerr=([below for below, _ in reaches], [above for _, above in reaches]),
            elinewidth=0.8,
            capsize=2.0,
            markerfacecolor="white" if curve.hollow else had["color"],
            **had,
        )
    _log_scales(axes)


def frame_above(entries: int, below: float, between: float = 0.2) -> Frame:
    """The frame of panels above a ``legend`` of so many lines; other sizes are in inches."""
    under = below + legend_inches(entries, LEGEND_COLUMNS)
    height = PANEL_INCHES + under
    right = 0.3  # the label of a last tick reaches beyond its panel
    return Frame(height, LABELS_INCHES, right, under, TOP_INCHES, between)


def legend(
    figure: Figure, names: Sequence[str], caption: str, drawn: Container[str] | None = None
) -> None:
    """Name the lines below a figure, with a caption; of ``names`` only those that are ``drawn``."""
    from matplotlib.lines import Line2D

    figure.legend(
        handles=[
            Line2D([], [], label=name, **style(place))
            for place, name in enumerate(names)
            if drawn is None or name in drawn
        ],
        title=f"{caption}; hollow: an emulator",
        title_fontsize=LEGEND_POINTS,
        loc="lower center",
        ncols=LEGEND_COLUMNS,
        fontsize=LEGEND_POINTS,
        frameon=False,
    )


def style(place: int) -> dict[str, Any]:
    """Colour, dash and mark of the line in a place; 64 are told apart without colour."""
    again, at = divmod(place, len(COLOURS))
    return {
        "color": COLOURS[at],
        "linestyle": DASHES[(at + again) % len(DASHES)],
        "marker": MARKS[(at + 2 * again) % len(MARKS)],
        "markersize": 4.5,
        "linewidth": 1.4,
    }


def _merged(
    lines: Mapping[str, tuple[tuple[float, float], ...]],
) -> dict[str, tuple[tuple[float, float], ...]]:
    """Lines that lie on one another as one, under both names."""
    found: dict[tuple[tuple[float, float], ...], list[str]] = {}
    for name, points in lines.items():
        found.setdefault(points, []).append(name)
    return {", ".join(names): points for points, names in found.items()}


def _log_scales(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, ends in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        tick_by_decades(axis, ends, "{x:,g}", NARROW)
    dress(axes)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
