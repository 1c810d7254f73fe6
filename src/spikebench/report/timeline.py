"""Plots of faults over time: what arrived each second, and how long messages waited.

A row a fault, a column a candidate. An emulator's trials stand in a figure of their own: their
waits say nothing of the service, and would set the scale of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from spikebench.report import panel, wording
from spikebench.report.drawing import Drawing
from spikebench.report.faults import Fault
from spikebench.report.figure import WIDTH_INCHES
from spikebench.report.panel import Panel, Scale
from spikebench.report.trace import Trace, traced

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

LEFT, RIGHT, TOP, BOTTOM = 1.0, 0.15, 0.85, 1.25
"""Margins in inches; below stand the legend and what x is."""

ROW_INCHES, COLUMN_INCHES = 1.75, 2.2

HEAD: dict[str, Any] = {"fontsize": 8.5, "fontweight": "bold"}

CAPTION = (
    "above, messages a second (log scale from 100); below, the longest end-to-end wait of the "
    "messages due then, ms (log scale);\nof several trials the one that took longest to recover; "
    "bins are 0.1 s or wider"
)


@dataclass(frozen=True)
class Plot:
    """One figure: its file's stem, its title, what is drawn, and its columns in their order."""

    stem: str
    title: str
    traces: tuple[Trace, ...]
    columns: tuple[str, ...]

    @property
    def told(self) -> str:
        """What it shows, for who cannot see it; the figures stand in the table."""
        return (
            f"{self.title}: a row a fault, a column a candidate; messages sent, confirmed and "
            "delivered a second, and the longest end-to-end wait, with the time of the fault "
            "shaded and that of recovery marked"
        )


def plots(found: Mapping[str, Sequence[Fault]]) -> dict[str, tuple[Plot, ...]]:
    """The plots of each scenario: none where no trial that counts has a series.

    ``plot-<scenario>-timeline`` and, of emulators, ``…-timeline-emulator``.
    """
    return {name: tuple(_plots(name, each)) for name, each in found.items()}


def of_faults(drawn: Mapping[str, Sequence[Plot]]) -> list[Drawing]:
    """The drawings of all scenarios' plots."""
    return [
        Drawing(plot.stem, partial(timeline_figure, plot))
        for each in drawn.values()
        for plot in each
    ]


def timeline_figure(plot: Plot) -> Figure:
    """Draw each fault in a panel of its own; those of a row share their time."""
    from matplotlib.figure import Figure

    rows, columns = list(dict.fromkeys(map(_row, plot.traces))), plot.columns
    width = max(WIDTH_INCHES, LEFT + COLUMN_INCHES * len(columns) + RIGHT)
    height = TOP + ROW_INCHES * len(rows) + BOTTOM
    figure = Figure(figsize=(width, height))
    figure.suptitle(plot.title, fontsize=11, y=1 - 0.1 / height, verticalalignment="top")
    figure.supxlabel("seconds from the first intended send", fontsize=8.5, y=0.82 / height)
    # laid out by hand: a layout engine takes seconds for as many panels
    grid = figure.add_gridspec(
        len(rows),
        len(columns),
        left=LEFT / width,
        right=1 - RIGHT / width,
        bottom=BOTTOM / height,
        top=1 - TOP / height,
        wspace=0.1,
        hspace=0.42,
    )
    traces = {(_row(trace), _column(trace.fault)): trace for trace in plot.traces}
    scale = Scale.of(plot.traces)
    for down, row in enumerate(rows):
        end_s = max(trace.edges[-1] for trace in plot.traces if _row(trace) == row)
        _head_row(figure, grid[down, 0], row)
        for across, column in enumerate(columns):
            place = Panel(figure, grid[down, across], scale, end_s, leftmost=across == 0)
            place.draw(traces.get((row, column)))
    for across, column in enumerate(columns):
        _head_column(figure, grid[0, across], column)
    _legend(figure, plot)
    return figure


def _plots(name: str, each: Sequence[Fault]) -> Iterator[Plot]:
    columns = dict.fromkeys(map(_column, each))  # of those without a series, too, for their order
    traces = [trace for fault in each if (trace := traced(fault)) is not None]
    for emulated, suffix, note in ((False, "", ""), (True, "-emulator", wording.EMULATOR_NOTE)):
        mine = tuple(t for t in traces if (t.fault.cell.fidelity == "emulator") == emulated)
        drawn = {_column(trace.fault) for trace in mine}
        if mine:
            yield Plot(
                f"plot-{name}-timeline{suffix}",
                ", ".join(filter(None, (f"{name} over time", note))),
                mine,
                tuple(column for column in columns if column in drawn),
            )


def _row(trace: Trace) -> str:
    """What tells a row from another: the kind, and what else was swept."""
    others = tuple((name, value) for name, value in trace.fault.cell.params if name != "kind")
    return "\n".join(filter(None, (trace.fault.kind, wording.params(others))))


def _column(fault: Fault) -> str:
    cell = fault.cell
    return f"{cell.candidate} ({cell.client}, {cell.target})"


def _head_row(figure: Figure, place: SubplotSpec, row: str) -> None:
    box = place.get_position(figure)
    x, y = 0.22 / figure.get_figwidth(), (box.y0 + box.y1) / 2
    figure.text(x, y, row, rotation=90, ha="center", va="center", **HEAD)


def _head_column(figure: Figure, place: SubplotSpec, column: str) -> None:
    box = place.get_position(figure)
    x, y = (box.x0 + box.x1) / 2, box.y1 + 0.2 / figure.get_figheight()
    figure.text(x, y, column, ha="center", va="bottom", **HEAD)


def _legend(figure: Figure, plot: Plot) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    had = {name for trace in plot.traces for name in trace.rates}
    lines = [
        Line2D([], [], label=label, **look)
        for name, (label, look) in panel.LINES.items()
        if name in had
    ]
    figure.legend(
        handles=[
            *lines,
            Patch(label="the fault", **panel.BROKEN),
            Patch(label="started again, or consumers away", linewidth=0, **panel.AFTER),
            Line2D([], [], label="recovered: nothing comes late any more", **panel.RECOVERED),
            Line2D([], [], label=f"late: over {panel.LATE_MS:g} ms", **panel.LATE),
            Line2D([], [], label="due then, and never delivered", **panel.GONE),
        ],
        title=CAPTION,
        title_fontsize=8,
        loc="lower center",
        ncols=4,
        fontsize=8,
        frameon=False,
    )
