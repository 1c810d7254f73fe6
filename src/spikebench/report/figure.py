"""What plots of any spike share: how they are written, their scales, their plain dress.

Readable without colour: hollow marks are measured on an emulator or were read elsewhere. Readable
on light and on dark pages: a PNG has white paper, an SVG's paper follows the reader (``dark``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import catch_warnings, filterwarnings

from spikebench.report.dark import for_both
from spikebench.report.whole import put
from spikebench.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

WIDTH_INCHES = 10.0
PNG_DPI = 120
LONGEST = 66
"""Characters of a reason that fit into half a figure."""

INK, GREY = "#1a1a1a", "#5f5f5f"


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as ``stem`` with ``.svg`` and ``.png``; return the paths; raise OSError."""
    return [
        put(stem.with_name(f"{stem.name}.{kind}"), content) for kind, content in rendered(figure)
    ]


def rendered(figure: Figure) -> Iterator[tuple[str, bytes]]:
    """Yield the figure as SVG and as PNG, laid out and drawn once each.

    ``savefig`` would draw each twice and lay both out anew, which is most of its time. Every text
    is drawn as it is written: a name with dollar signs is no formula, a character that the font
    has not is a box.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    svg, png = BytesIO(), BytesIO()
    for text in _texts(figure):
        text.set_parse_math(False)
    # without a date and with names of its own, the same records give the same file
    told = {"Title": figure.get_suptitle(), "Date": None}
    drawing = rc_context({"svg.hashsalt": "spikebench", "text.parse_math": False})
    with drawing, catch_warnings():
        filterwarnings("ignore", "Glyph .* missing from")
        FigureCanvasSVG(figure).print_svg(svg, metadata=told)  # type: ignore[no-untyped-call]
        figure.set_layout_engine("none")  # it is laid out by now
        figure.set_dpi(PNG_DPI)
        FigureCanvasAgg(figure).print_png(png)  # type: ignore[no-untyped-call]
    yield "svg", for_both(svg.getvalue().decode()).encode()
    yield "png", png.getvalue()


def _texts(figure: Figure) -> Iterator[Text]:
    """Every text that there is before it is drawn; to find them all by ``findobj`` takes longer."""
    from matplotlib.text import Text

    yield from figure.texts
    for axes in figure.axes:
        yield from (child for child in axes.get_children() if isinstance(child, Text))
        for axis in (axes.xaxis, axes.yaxis):
            yield axis.label
            yield from (tick.label1 for tick in axis.majorTicks)
    own = [legend for axes in figure.axes if (legend := axes.get_legend())]
    for legend in (*figure.legends, *own):
        yield from (*legend.get_texts(), legend.get_title())


def scale_by_decades(axes: Axes, seen: Sequence[Interval]) -> None:
    """Give x a log scale that always has labels, and room for none to touch another."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = bounds(seen)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 100 else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


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
    axes.tick_params(labelsize=8.5)
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
