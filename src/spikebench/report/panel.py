"""A panel of a plot over time: rates above, waits below, the fault shaded, the recovery marked.

Readable without colour: each line has a width and a dash of its own, the fault is a filled band and
what followed from it a hatched one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from spikebench.measure.recovery import ON_TIME_NS
from spikebench.report.figure import GREY, INK
from spikebench.report.trace import Trace, is_fault

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

LINEAR_TO = 100.0
"""Messages a second up to which the scale of rates is linear, so that it has a zero."""

RATE_TICKS = (0, 100, 1_000, 10_000, 100_000, 1_000_000)
WAIT_TICKS_MS = (0.1, 1, 10, 100, 1_000, 10_000, 100_000)
LATE_MS = ON_TIME_NS / 1e6

LINES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "sent_per_s": ("sent", {"color": "#b5b5b5", "linewidth": 2.6}),
    "confirmed_per_s": ("confirmed", {"color": "#b45f06", "linewidth": 1.2, "linestyle": ":"}),
    "delivered_per_s": ("delivered", {"color": "#0b5394", "linewidth": 1.0}),
}
"""Rates, from the one drawn first: its label and how it looks."""

WAIT: dict[str, Any] = {"color": "#0b5394", "linewidth": 1.0}
GONE: dict[str, Any] = {"color": "#a61c00", "marker": "x", "markersize": 3.0, "linestyle": ""}
BROKEN: dict[str, Any] = {"facecolor": "#cfcfcf", "edgecolor": "#8a8a8a", "linewidth": 0.6}
AFTER: dict[str, Any] = {"facecolor": "none", "edgecolor": "#b5b5b5", "hatch": "////"}
RECOVERED: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 2))}
LATE: dict[str, Any] = {"color": GREY, "linewidth": 0.7, "linestyle": (0, (1, 2))}
WORDS: dict[str, Any] = {"fontsize": 6.5, "color": INK, "pad": 2.5}


@dataclass(frozen=True)
class Scale:
    """The ends of the scales that all panels share: messages a second, and milliseconds."""

    highest_per_s: float
    shortest_ms: float
    longest_ms: float

    @classmethod
    def of(cls, traces: Sequence[Trace]) -> Scale:
        """A scale on which all of ``traces`` and what late means can be seen."""
        rates = [rate for trace in traces for each in trace.rates.values() for rate in each]
        waits = [wait for trace in traces for wait in trace.waits_ms if wait > 0]
        return cls(
            max([*rates, LINEAR_TO]) * 1.5,
            min([*waits, LATE_MS]) / 1.6,
            max([*waits, LATE_MS]) * 1.6,
        )


@dataclass(frozen=True)
class Panel:
    """One place of a figure, its scales, and whether it is where they are labelled."""

    figure: Figure
    place: SubplotSpec
    scale: Scale
    end_s: float
    leftmost: bool

    def draw(self, trace: Trace | None) -> None:
        """Draw a trace, or that there is none.

        In an SVG the fault goes by ``fault-<kind>-<candidate>-<client>-rate`` and ``…-wait``.
        """
        if trace is None:
            self._nothing()
            return
        halves = self.place.subgridspec(2, 1, hspace=0.16)
        rate, wait = (self.figure.add_subplot(halves[n]) for n in range(2))
        _draw_rates(rate, trace)
        _draw_waits(wait, trace)
        self._dress(rate, wait)
        _mark(rate, trace, "rate")
        _mark(wait, trace, "wait")
        _say(rate, trace)

    def _nothing(self) -> None:
        axes = self.figure.add_subplot(self.place)
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no series", fontsize=7, color=GREY, ha="center", va="center")

    def _dress(self, rate: Axes, wait: Axes) -> None:
        rate.set_yscale("symlog", linthresh=LINEAR_TO, linscale=0.6)
        rate.set_ylim(0, self.scale.highest_per_s)
        wait.set_yscale("log")
        wait.set_ylim(self.scale.shortest_ms, self.scale.longest_ms)
        for axes, ticks in ((rate, RATE_TICKS), (wait, WAIT_TICKS_MS)):
            self._dress_axes(axes, ticks)
        rate.tick_params(labelbottom=False)
        if self.leftmost:
            rate.set_ylabel("msg/s", fontsize=7)
            wait.set_ylabel("wait, ms", fontsize=7)

    def _dress_axes(self, axes: Axes, ticks: Sequence[float]) -> None:
        from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(FixedLocator([at for at in ticks if low <= at <= high]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.yaxis.set_label_coords(-0.52 / self._width_inches, 0.5)
        axes.tick_params(labelsize=6.5, length=2, labelleft=self.leftmost)
        axes.set_xlim(0, self.end_s)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)

    @property
    def _width_inches(self) -> float:
        return float(self.place.get_position(self.figure).width * self.figure.get_figwidth())


def _draw_rates(axes: Axes, trace: Trace) -> None:
    rates = trace.rates
    for name, (_, look) in LINES.items():
        if name in rates:
            axes.stairs(rates[name], trace.edges, baseline=None, **look)


def _draw_waits(axes: Axes, trace: Trace) -> None:
    """Draw the longest wait of each bin's messages, and where some never came."""
    axes.stairs(trace.waits_ms, trace.edges, baseline=None, **WAIT)
    axes.axhline(LATE_MS, **LATE)
    gone = trace.gone_s
    axes.plot(gone, [0.08] * len(gone), transform=axes.get_xaxis_transform(), **GONE)


def _mark(axes: Axes, trace: Trace, which: str) -> None:
    """Shade the fault and what followed from it, and draw a line where it was over."""
    cell = trace.fault.cell
    name = f"fault-{trace.fault.kind}-{cell.candidate}-{cell.client}-{which}"
    for event in trace.trial.events:
        if is_fault(event):
            axes.axvspan(event.began_s, event.ended_s, zorder=0, **BROKEN).set_gid(name)
        else:
            axes.axvspan(event.began_s, event.ended_s, zorder=0, linewidth=0, **AFTER)
    if (over_s := trace.over_s) is not None:
        axes.axvline(over_s, **RECOVERED).set_gid(f"{name}-recovered")


def _say(axes: Axes, trace: Trace) -> None:
    """Write above a panel how long the fault lasted and how long it took to recover."""
    event, took_s, trials = trace.broken, trace.recovery_s, len(trace.fault.cell.valid)
    if event is not None:
        axes.set_title(f"fault {event.ended_s - event.began_s:.1f} s", loc="left", **WORDS)
    said = f"recovered after {took_s:.3g} s" if took_s else "nothing late"
    said = "not recovered" if took_s == inf else said
    worst = f", n {trials}" if trials > 1 else ""
    axes.set_title(said + worst, loc="right", **WORDS)
