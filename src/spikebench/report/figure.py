"""What plots of any spike share: their scales, their plain dress.

Readable without colour: hollow marks are measured on an emulator or were read elsewhere. Readable
on light and on dark pages: a plot's paper follows the reader (``dark``).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING

from spikebench.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

WIDTH_INCHES = 10.0
NAME_POINTS = 8.5
"""Size of the letters of a row's name."""

LONGEST = 66
"""Characters of a reason that fit into half a figure."""

NARROW = 100.0
INK, GREY = "#1a1a1a", "#5f5f5f"


def scale_by_decades(axes: Axes, seen: Sequence[Interval]) -> None:
    """Give x a log scale that always has labels, and room for none to touch another."""
    axes.set_xscale("log")
    axes.set_xlim(*bounds(seen))
    tick_by_decades(axes.xaxis, axes.get_xlim(), "{x:g}")


def tick_by_decades(
    axis: Axis, ends: tuple[float, float], labels: str, narrow: float = NARROW
) -> None:
    """Label a log scale at each power of ten; where its ends are near, at twice and 5 times too.

    ``narrow`` is the ratio of the ends below which they are near; above it marks without a label
    stand between.
    """
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    low, high = ends
    near = high / low < narrow
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if near else (1,)))
    axis.set_major_formatter(labels)
    axis.set_minor_formatter(NullFormatter())
    if near:
        axis.set_minor_locator(NullLocator())


def bounds(seen: Sequence[Interval]) -> tuple[float, float]:
    """The ends of a log scale that shows all of ``seen``, with some room."""
    lows = [one.low or one.mean for one in seen if (one.low or one.mean) > 0]
    highs = [one.high or one.mean for one in seen if one.mean > 0]
    return min(lows, default=1.0) / 1.6, max(highs, default=1.0) * 1.6


def reach(found: Interval) -> tuple[float, float]:
    """How far the interval reaches below and above the mean; NaN, which draws no bar, for none."""
    if found.low is None or found.high is None:
        return nan, nan
    return max(0.0, found.mean - found.low), max(0.0, found.high - found.mean)


def dress(axes: Axes) -> None:
    """Take away what a reader does not need, and make small what is left."""
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=NAME_POINTS)
    axes.xaxis.label.set_fontsize(9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def say_not_measured(axes: Axes, place: float, why: str = "") -> None:
    """Write at a row's place that there is nothing to draw of it, and why."""
    say(axes, place, f"not measured: {why}" if why else "not measured")


def say(axes: Axes, place: float, text: str) -> None:
    """Write a line at a row's place, in grey, where nothing is drawn."""
    axes.text(
        *(0.02, place, shortened(text, LONGEST)),
        transform=axes.get_yaxis_transform(),
        fontsize=7.5,
        color=GREY,
        verticalalignment="center",
        in_layout=False,
    )


def shortened(text: str, most: int) -> str:
    """The text in one line, cut to ``most`` characters where it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
