"""A figure's frame: its size, and the room around its panels for what stands there.

It is laid out by hand: a layout engine measures every text to find out what room they take, for as
long as it takes to draw them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any

from spikebench.report.figure import WIDTH_INCHES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NARROWEST_INCHES = 4.0
"""Width of all panels together, for which a figure grows where names leave no room."""

TITLE_INCHES = 0.45
LINE_INCHES = 0.19
"""Height of a line of 8 points, as in a legend or a caption."""

AXIS_INCHES = 0.52
"""Height of what stands below a panel: the labels of its ticks, and its own."""

TICK_POINTS = 7.0
"""From a panel to the labels of its ticks."""

POINTS = 72.0
"""To the inch."""

MISSING_EM = 1.2
"""Width, in its size, of a letter that the font lacks, such as one of a script that is square."""


@dataclass(frozen=True)
class Frame:
    """Inches: a figure's height, and what is left free on each side of its panels and between."""

    height: float
    left: float
    right: float = 0.15
    bottom: float = 0.5
    top: float = TITLE_INCHES
    between: float = 0.2

    @property
    def width(self) -> float:
        """The figure's width."""
        return max(WIDTH_INCHES, self.left + NARROWEST_INCHES + self.right)

    def figure(self, title: str, ratios: Sequence[float] = (1.0,), **how: Any) -> Figure:
        """An empty figure with a title and a panel for each of ``ratios``, from left to right."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(self.width, self.height))
        inside = self.width - self.left - self.right
        gaps = self.between * (len(ratios) - 1)
        figure.subplots(
            1,
            len(ratios),
            width_ratios=ratios,
            gridspec_kw={
                "left": self.left / self.width,
                "right": 1 - self.right / self.width,
                "bottom": self.bottom / self.height,
                "top": 1 - self.top / self.height,
                "wspace": self.between * len(ratios) / (inside - gaps),
            },
            **how,
        )
        figure.suptitle(title, fontsize=11, y=1 - 0.1 / self.height, verticalalignment="top")
        return figure


def names_inches(names: Iterable[str], points: float) -> float:
    """The room that the longest of names takes beside a panel, in letters of a size in points."""
    return (max(map(_ems, names), default=0.0) * points + TICK_POINTS) / POINTS + 0.1


def legend_inches(entries: int, columns: int) -> float:
    """The height of a legend with a title, in letters of 8 points."""
    return LINE_INCHES * (1 + ceil(entries / columns)) + 0.12


def _ems(text: str) -> float:
    """The width of a text, in sizes of its letters."""
    return sum(map(_em, text))


@cache
def _em(letter: str) -> float:
    """How far a letter moves the next one on, in its size: as the font has it, without kerning."""
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    font = get_font(findfont(FontProperties()))
    font.set_size(100, POINTS)
    place = font.get_char_index(ord(letter))
    if not place:
        return MISSING_EM
    glyph = font.load_glyph(place, flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / 65536 / 100
