"""The phases of each cold start as a bar: runtime up, init, first invoke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import fill
from typing import TYPE_CHECKING, Any

from spikebench.report import wording
from spikebench.report.column import figure as digits
from spikebench.report.figure import GREY, INK, WIDTH_INCHES, dress, reach, say_not_measured
from spikebench.report.source import is_read, source
from spikebench.report.table import Row, Section
from spikes.serverless.plots.rows import (
    HEADLINE,
    STATE,
    State,
    heading,
    lever,
    measured,
    nearest,
    read,
    state_of,
    was_tried,
)
from spikes.serverless.scenario import ColdStart

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR_INCHES = 0.25
BETWEEN_RUNTIMES, BEFORE_READ = 0.6, 1.8
"""Space between two runtimes, and above what others measured, in bars."""

SOURCE_WIDTH = 120
"""Characters of a line that says whose figures they are."""

ADDS_UP = 0.05
"""How far phases may be from their sum, as a share of it, to be drawn as its parts."""

ROOM = 1.09
"""Length of the scale over the longest bar, for the figure beside it."""

PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
"""Under a text, so that no line goes through it."""

CAPTION = "bars: means over trials; lines: 95 % intervals of the mean cold start, the figure beside"


@dataclass(frozen=True)
class Phase:
    """A part of a bar: its metric and how it is filled."""

    metric: str
    label: str
    colour: str
    hatch: str = ""


PHASES = (
    Phase("runtime_up", "runtime up", "#22384f"),
    Phase("init", "init", "#7fabd3", "////"),
    Phase("first_invoke", "first invoke", "#f8e7c2", "...."),
)
WHOLE = Phase(HEADLINE, "cold start, phases not known", "#dddddd")


def phases_of(section: Section, state: State) -> Figure:
    """Draw a bar a cell in one state, runtimes apart; below them what others published."""
    from matplotlib.figure import Figure

    rows = [row for row in measured(section) if state_of(row) == state and was_tried(row)]
    rows += _read_nearest(section, state)
    places = _places(rows)
    height = BAR_INCHES * (places[-1] + 1) + 2.0
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.subplots()
    keys = [*_bars(axes, rows, places), *_bound(axes, section, rows)]
    _sums(axes, rows, places)
    _name(axes, rows, places, state)
    dress(axes)
    axes.tick_params(axis="y", length=0)
    figure.suptitle(heading(section, str(state)), fontsize=11)
    figure.legend(
        handles=keys,
        title=CAPTION,
        title_fontsize=8,
        loc="outside lower center",
        ncols=5,
        fontsize=8,
        frameon=False,
    )
    return figure


def _read_nearest(section: Section, state: State) -> list[Row]:
    """What others published of each runtime, at the size that is nearest to ours."""
    rows = read(section)
    sizes: dict[str, set[float]] = {}
    for row in rows:
        sizes.setdefault(row.cell.candidate, set()).add(state_of(row).memory_mb)
    near = {name: nearest(state.memory_mb, had) for name, had in sizes.items()}
    return [row for row in rows if state_of(row).memory_mb == near[row.cell.candidate]]


def _places(rows: Sequence[Row]) -> list[float]:
    """Where each bar stands, from the top; a runtime with several of them stands apart."""
    bars = Counter(row.cell.candidate for row in rows if not is_read(row.cell))
    places = [0.0]
    for one, other in pairwise(rows):
        gap = 0.0
        if is_read(one.cell) != is_read(other.cell):
            gap = BEFORE_READ
        elif one.cell.candidate != other.cell.candidate:
            both = (bars[one.cell.candidate], bars[other.cell.candidate])
            gap = BETWEEN_RUNTIMES if max(both) > 1 and not is_read(one.cell) else 0.0
        places.append(places[-1] + 1 + gap)
    return places


def _parts(row: Row) -> Iterator[tuple[Phase, float]]:
    """A bar's parts with their lengths; the whole where they are not known, or not all of it.

    The turn-around between ``next`` and the event is of no phase, and too short to be drawn.
    """
    if HEADLINE not in row.intervals:
        return
    whole = row.intervals[HEADLINE].mean
    had = [(p, row.intervals[p.metric].mean) for p in PHASES if p.metric in row.intervals]
    between = row.intervals["turn_around"].mean if "turn_around" in row.intervals else 0.0
    if abs(sum(length for _, length in had) + between - whole) <= ADDS_UP * whole:
        yield from had
    else:
        yield WHOLE, whole


def _bars(axes: Axes, rows: Sequence[Row], places: Sequence[float]) -> list[Artist]:
    """Draw all bars; return the keys of the phases that there are."""
    from matplotlib.patches import Patch

    drawn: list[Phase] = []
    for row, place in zip(rows, places, strict=True):
        left = 0.0
        for phase, length in _parts(row):
            faint = 0.55 if is_read(row.cell) else 1.0
            axes.barh(place, length, left=left, height=0.74, alpha=faint, **_fill(phase))
            left += length
            drawn.append(phase)
    return [Patch(label=p.label, **_fill(p)) for p in (*PHASES, WHOLE) if p in drawn]


def _fill(phase: Phase) -> dict[str, Any]:
    return {
        "facecolor": phase.colour,
        "edgecolor": INK,
        "hatch": phase.hatch,
        "linewidth": 0.5,
    }


def _sums(axes: Axes, rows: Sequence[Row], places: Sequence[float]) -> None:
    """Draw the interval of each sum, and write the sum beside it."""
    found = [(p, r.intervals[HEADLINE]) for p, r in zip(places, rows, strict=True) if _has(r)]
    reaches = [reach(one) for _, one in found]
    axes.errorbar(
        [one.mean for _, one in found],
        [place for place, _ in found],
        xerr=([below for below, _ in reaches], [above for _, above in reaches]),
        fmt="none",
        ecolor=INK,
        elinewidth=1.2,
        capsize=2.5,
    )
    for place, one in found:
        axes.annotate(
            digits(one.mean),
            (one.high or one.mean, place),
            xytext=(5, 0),
            textcoords="offset points",
            fontsize=7.5,
            verticalalignment="center",
            bbox=PAPER,
        )


def _has(row: Row) -> bool:
    return HEADLINE in row.intervals


def _bound(axes: Axes, section: Section, rows: Sequence[Row]) -> list[Artist]:
    """Set the scale, and draw what is required where that lies on it; return its key."""
    from matplotlib.lines import Line2D

    seen = [row.intervals[HEADLINE] for row in rows if _has(row)]
    longest = ROOM * max(one.high or one.mean for one in seen)
    axes.set_xlim(0, longest)
    axes.set_xlabel("cold start, ms")
    axes.xaxis.set_major_formatter("{x:,.0f}" if longest > 10 else "{x:g}")
    scenario = section.scenario
    if not isinstance(scenario, ColdStart) or scenario.requires.cold_start_ms is None:
        return []
    limit_ms = scenario.requires.cold_start_ms
    said = f"required: at most {limit_ms:,g} ms"
    if limit_ms > longest:
        return [Line2D([], [], linestyle="", label=f"{said}, beyond this scale")]
    return [axes.axvline(limit_ms, color=INK, linestyle=(0, (6, 3)), linewidth=1, label=said)]


def _name(axes: Axes, rows: Sequence[Row], places: Sequence[float], state: State) -> None:
    """Name the bars; say of those that others measured whose they are."""
    axes.set_yticks(places, [_label(row, state) for row in rows])
    axes.set_ylim(places[-1] + 0.7, -0.7)
    first_read = next((p for p, r in zip(places, rows, strict=True) if is_read(r.cell)), None)
    if first_read is not None:
        told = sorted({source(row.cell) for row in rows if is_read(row.cell)})
        axes.text(
            *(0.005, first_read - 0.6, fill("; ".join(told), SOURCE_WIDTH, break_on_hyphens=False)),
            transform=axes.get_yaxis_transform(),
            fontsize=7.5,
            style="italic",
            color=GREY,
            verticalalignment="bottom",
            bbox=PAPER,
        )
    for place, row in zip(places, rows, strict=True):
        if not _has(row):
            say_not_measured(axes, place, "; ".join(wording.why_void(row)))


def _label(row: Row, state: State) -> str:
    """Runtime and lever; the size where it is not that of the others."""
    others = [v for name, v in row.cell.params if name not in (*STATE, "lever")]
    name = " ".join([row.cell.candidate, *filter(None, [lever(row)]), *others])
    own = state_of(row).memory_mb
    return name if own in (0, state.memory_mb) else f"{name}, {own:,.0f} MB"
