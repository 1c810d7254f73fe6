"""Plots of a figure against the load: what each candidate costs a month, and latency by rate.

Readable without colour: every line has a dash and a mark of its own, and its name at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from spikebench.cost import CostAt
from spikebench.report.figure import GREY, WIDTH_INCHES, dress, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#1a1a1a", "#666666", "#0b8f8f", "#a61c00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKS = "osD^vPX*"
HEIGHT_INCHES = 4.6
DECADES = (1, 4)
"""Powers of ten a second between which costs are drawn."""


def draw_costs(
    curves: Mapping[str, Mapping[str, CostAt]], load_per_s: float, folder: Path
) -> list[Path]:
    """Draw ``plot-<name>-cost`` of each name that has two priced curves; return files written.

    ``load_per_s`` is marked. What is not priced is named below. Raises OSError.
    """
    return [
        path
        for name, offers in curves.items()
        if sum(at(load_per_s) is not None for at in offers.values()) > 1
        for path in save(cost_figure(name, offers, load_per_s), folder / f"plot-{name}-cost")
    ]


def cost_figure(name: str, offers: Mapping[str, CostAt], load_per_s: float) -> Figure:
    """Draw what each offer costs a month against messages a second, both on log scales."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
    axes = figure.subplots()
    figure.suptitle(f"{name}: cost against load", fontsize=11)
    low, high = DECADES
    loads = [10 ** (low + (high - low) * at / 60) for at in range(61)]
    lines: dict[str, list[tuple[float, float]]] = {}
    for offer, at in offers.items():
        points = [(load, cost) for load in loads if (cost := at(load))]
        if points:
            lines[offer] = points
    draw_lines(axes, lines, marked_every=10)
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
    told = f"; not priced: {', '.join(left_out)}" if left_out else ""
    figure.supxlabel(
        f"a model of list prices and of the pattern's assumptions{told}", fontsize=8, color=GREY
    )
    return figure


def draw_lines(
    axes: Axes, lines: Mapping[str, Sequence[tuple[float, float]]], marked_every: int = 1
) -> None:
    """Draw lines of (x, y) on log scales, told apart without colour; equal ones share a name."""
    from matplotlib.ticker import NullFormatter

    merged: dict[tuple[tuple[float, float], ...], list[str]] = {}
    for name, points in lines.items():
        merged.setdefault(tuple(points), []).append(name)
    styles = zip(cycle(COLOURS), cycle(DASHES), cycle(MARKS), strict=False)
    for (points, names), (colour, dash, mark) in zip(merged.items(), styles, strict=False):
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=colour,
            linestyle=dash,
            marker=mark,
            markevery=marked_every,
            markersize=4.5,
            linewidth=1.4,
            label=", ".join(names),
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter(NullFormatter())
    dress(axes)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    if merged:
        axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
