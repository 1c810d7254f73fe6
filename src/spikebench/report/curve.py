"""Lines of a figure against another: what each candidate costs a month by load, and latencies.

Readable without colour: every line has a dash and a mark of its own.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikebench.cost import CostAt
from spikebench.report.figure import GREY, WIDTH_INCHES, dress, reach, save
from spikebench.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#1a1a1a", "#666666", "#0a7575", "#a61c00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKS = "osD^vPX*"
HEIGHT_INCHES = 4.6
NARROW = 200
"""Ratio of a log scale's ends below which 2 and 5 are labelled too."""
DECADES = (1, 4)
"""Powers of ten a second between which costs are drawn."""


def draw_costs(
    curves: Mapping[str, Mapping[str, CostAt]], load_per_s: float, folder: Path, note: str = ""
) -> list[Path]:
    """Draw ``plot-<name>-cost`` of each name that has two priced curves; return files written.

    ``load_per_s`` is marked. What is not priced is named below, beside ``note``. Raises OSError.
    """
    return [
        path
        for name, offers in curves.items()
        if sum(at(load_per_s) is not None for at in offers.values()) > 1
        for path in save(cost_figure(name, offers, load_per_s, note), folder / f"plot-{name}-cost")
    ]


def cost_figure(
    name: str, offers: Mapping[str, CostAt], load_per_s: float, note: str = ""
) -> Figure:
    """Draw what each offer costs a month against messages a second, both on log scales."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
    axes = figure.subplots()
    figure.suptitle(f"{name}: cost against load", fontsize=11)
    low, high = DECADES
    loads = [10 ** (low + (high - low) * at / 60) for at in range(61)]
    lines: dict[str, tuple[tuple[float, float], ...]] = {}
    for offer, at in offers.items():
        points = tuple((load, cost) for load in loads if (cost := at(load)))
        if points:
            lines[offer] = points
    named = _merged(lines)
    for at_place, (names, points) in enumerate(named.items()):
        axes.plot(*zip(*points, strict=True), label=names, markevery=10, **style(at_place))
    _log_scales(axes)
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
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
        title_fontsize=8,
        loc="outside lower center",
        ncols=4,
        fontsize=8,
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
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < NARROW else (1,)))
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter(NullFormatter())
    dress(axes)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
