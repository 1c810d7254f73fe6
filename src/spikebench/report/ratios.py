"""A plot of ratios to the baseline, a row a comparison: which side, how far, and how sure.

Readable without colour: a filled mark has a verdict behind it, a hollow one has none, and what was
declared not to matter is a grey band around 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

from spikebench.report import wording
from spikebench.report.declared import Declared
from spikebench.report.figure import GREY, INK, WIDTH_INCHES, dress, save, shortened
from spikebench.report.table import Section, Table

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


def draw_ratios(table: Table, folder: Path) -> list[Path]:
    """Draw ``plot-<scenario>-ratio`` of each scenario that has a ratio; return files written.

    Raises OSError where the folder cannot be written.
    """
    return [
        path
        for section in table.sections
        if any(one.comparison.ratio is not None for one in compared(section))
        for path in save(ratio_figure(section), folder / f"plot-{section.name}-ratio")
    ]


def compared(section: Section) -> list[Declared]:
    """The section's declared comparisons, in the order of its rows."""
    return [row.against for row in section.rows if row.against is not None]


def ratio_figure(section: Section) -> Figure:
    """Draw a scenario's comparisons on one log scale around 1."""
    from matplotlib.figure import Figure

    found = compared(section)
    figure = Figure(figsize=(WIDTH_INCHES, ROW_INCHES * len(found) + 1.7), layout="constrained")
    axes = figure.subplots()
    metric = found[0].metric
    figure.suptitle(f"{section.name}: {metric} against the baseline", fontsize=11)
    delta = max(one.comparison.delta for one in found)
    axes.axvspan(1 / (1 + delta), 1 + delta, color="#e6e6e6", zorder=0)
    axes.axvline(1.0, color=INK, linewidth=0.9)
    _marks(axes, found)
    axes.set_yticks(range(len(found)), [shortened(_name(one), LONGEST_NAME) for one in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
    _scale(axes, found)
    axes.set_xlabel(f"{metric}, ratio to the baseline (log scale); {_better(found)}")
    figure.supxlabel(CAPTION, fontsize=8, color=GREY)
    dress(axes)
    return figure


def _marks(axes: Axes, found: Sequence[Declared]) -> None:
    for place, one in enumerate(found):
        had = one.comparison
        if had.ratio is None:
            axes.text(
                *(0.01, place, shortened(f"no ratio: {had.reason or had.verdict}", LONGEST_REASON)),
                transform=axes.get_yaxis_transform(),
                fontsize=7.5,
                color=GREY,
                verticalalignment="center",
            )
            continue
        low, high = had.ci_low, had.ci_high
        below = nan if low is None else max(0.0, had.ratio - low)
        above = nan if high is None else max(0.0, high - had.ratio)
        axes.errorbar(
            [had.ratio],
            [place],
            xerr=([below], [above]),
            fmt="s",
            color=INK,
            markerfacecolor=INK if had.verdict in DECIDED else "white",
            markersize=5.5,
            elinewidth=1.2,
            capsize=2.5,
        )
        axes.text(
            *(1.01, place, wording.in_short(had)),
            transform=axes.get_yaxis_transform(),
            fontsize=8.5,
            verticalalignment="center",
        )


def _name(one: Declared) -> str:
    a, b = one.names
    client = f" ({one.a.client})"
    shared = wording.params(one.params)
    return f"{a}{client} ÷ {b}" + (f", {shared}" if shared else "")


def _scale(axes: Axes, found: Sequence[Declared]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

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
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 100 else (1,)))
    axes.xaxis.set_major_formatter("{x:g}×")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _better(found: Sequence[Declared]) -> str:
    metric = found[0].metric
    for one in found:
        better = one.a.metrics[metric].better if metric in one.a.metrics else "neither"
        if better in ("lower", "higher"):
            return f"left of 1 is {'better' if better == 'lower' else 'worse'} than the baseline"
    return "neither side is better"
