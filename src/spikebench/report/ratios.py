"""A plot of ratios to the baseline, a row a comparison: which side, how far, and how sure.

Readable without colour: a filled mark has a verdict behind it, a hollow one has none, and what was
declared not to matter is a grey band around 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import nan
from typing import TYPE_CHECKING, Any

from spikebench.report import wording
from spikebench.report.declared import Declared
from spikebench.report.drawing import Drawing
from spikebench.report.figure import GREY, INK, NAME_POINTS, dress, shortened, tick_by_decades
from spikebench.report.frame import (
    AXIS_INCHES,
    LINE_INCHES,
    TITLE_INCHES,
    Frame,
    names_inches,
)
from spikebench.report.table import Section, Table
from spikebench.stats import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_INCHES = 0.34
LONGEST_NAME = 64
"""Characters of a row's name that leave room for the marks; longer ones are cut."""

LONGEST_REASON = 90
"""Characters of a reason that fit into the panel."""

DECIDED = frozenset({"A", "B", "equivalent"})
CAPTION = (
    "marks: ratio of geometric means; bars: its 95 % interval; filled: a verdict, hollow: none yet "
    "(open); band: the difference that does not matter"
)


def of_ratios(table: Table) -> list[Drawing]:
    """``plot-<scenario>-ratio`` of each scenario that has a ratio."""
    return [
        Drawing(f"plot-{section.name}-ratio", partial(ratio_figure, section))
        for section in table.sections
        if any(one.comparison.ratio is not None for one in compared(section))
    ]


def compared(section: Section) -> list[Declared]:
    """The section's declared comparisons, in the order of its rows."""
    return [row.against for row in section.rows if row.against is not None]


def ratio_figure(section: Section) -> Figure:
    """Draw a scenario's comparisons on one log scale around 1."""
    found, metric = compared(section), compared(section)[0].metric
    names = [shortened(_name(one), LONGEST_NAME) for one in found]
    bottom = AXIS_INCHES + LINE_INCHES + 0.1
    frame = Frame(
        height=TITLE_INCHES + ROW_INCHES * len(found) + bottom,
        left=names_inches(names, NAME_POINTS),
        right=names_inches(
            (wording.in_short(c.comparison) for c in found if c.comparison.ratio), NAME_POINTS
        ),
        bottom=bottom,
    )
    figure = frame.figure(f"{section.name}: {metric} against the baseline")
    (axes,) = figure.axes
    delta = max(one.comparison.delta for one in found)
    axes.axvspan(1 / (1 + delta), 1 + delta, color="#e6e6e6", zorder=0)
    axes.axvline(1.0, color=INK, linewidth=0.9)
    _marks(axes, found)
    axes.set_yticks(range(len(found)), names)
    axes.set_ylim(len(found) - 0.4, -0.6)
    _scale(axes, found)
    axes.set_xlabel(f"{metric}, ratio to the baseline (log scale); {_better(found)}")
    figure.supxlabel(CAPTION, fontsize=8, color=GREY)
    dress(axes)
    return figure


def _marks(axes: Axes, found: Sequence[Declared]) -> None:
    """Draw what has a ratio, filled marks in one go and hollow ones in another; say why others."""
    had = [(place, one.comparison) for place, one in enumerate(found)]
    known = [(place, one) for place, one in had if one.ratio is not None]
    for filled in (True, False):
        mine = [(place, one) for place, one in known if (one.verdict in DECIDED) == filled]
        if mine:
            _mark(axes, mine, face=INK if filled else "white")
    beside: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "verticalalignment": "center",
    }
    for place, one in had:
        if one.ratio is None:
            said = shortened(f"no ratio: {one.reason or one.verdict}", LONGEST_REASON)
            axes.text(0.01, place, said, fontsize=7.5, color=GREY, **beside)
        else:
            axes.text(1.01, place, wording.in_short(one), fontsize=NAME_POINTS, **beside)


def _mark(axes: Axes, found: Sequence[tuple[int, Comparison]], face: str) -> None:
    reaches = [_reach(had) for _, had in found]
    axes.errorbar(
        [had.ratio or nan for _, had in found],
        [place for place, _ in found],
        xerr=([below for below, _ in reaches], [above for _, above in reaches]),
        fmt="s",
        color=INK,
        markerfacecolor=face,
        markersize=5.5,
        elinewidth=1.2,
        capsize=2.5,
    )


def _reach(had: Comparison) -> tuple[float, float]:
    """How far the interval reaches below and above the ratio; NaN, which draws no bar, for none."""
    if had.ratio is None or had.ci_low is None or had.ci_high is None:
        return nan, nan
    return max(0.0, had.ratio - had.ci_low), max(0.0, had.ci_high - had.ratio)


def _name(one: Declared) -> str:
    a, b = one.names
    client = f" ({one.a.client})"
    shared = wording.params(one.params)
    return f"{a}{client} ÷ {b}" + (f", {shared}" if shared else "")


def _scale(axes: Axes, found: Sequence[Declared]) -> None:
    ends = [
        end
        for one in found
        for end in (one.comparison.ratio, one.comparison.ci_low, one.comparison.ci_high)
        if end
    ]
    delta = max(one.comparison.delta for one in found)
    low, high = min([*ends, 1 / (1 + delta)]) / 1.15, max([*ends, 1 + delta]) * 1.15
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    tick_by_decades(axes.xaxis, (low, high), "{x:g}×")


def _better(found: Sequence[Declared]) -> str:
    metric = found[0].metric
    for one in found:
        better = one.a.metrics[metric].better if metric in one.a.metrics else "neither"
        if better in ("lower", "higher"):
            return f"left of 1 is {'better' if better == 'lower' else 'worse'} than the baseline"
    return "neither side is better"
