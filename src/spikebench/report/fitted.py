"""What a narrow column of a terminal shows: short numbers, and lines that break at good places."""

from __future__ import annotations

import re

from rich.text import Text

from spikebench.report.column import figure

MARK = "⁰¹²³⁴⁵⁶⁷⁸⁹"

BREAK = re.compile(rf"[ /˒-]|[^{MARK}˒](?=[{MARK}])")
"""Where a line may end: after a word or a count, before the first of the marks, between two."""


def short(value: float | None, width: int) -> str:
    """A figure in at most ``width`` characters, of which four suffice: thousands as k and M."""
    text = figure(value)
    if value is None or len(text) <= width:
        return text
    if abs(value) < 1:
        return f"{value:.1g}"
    return f"{value / 1e6:.3g}M" if abs(value) >= 1e6 else f"{value / 1e3:.3g}k"


def fitted(markup: str, width: int) -> Text:
    """A place's text in lines of ``width`` cells: no number and no mark is cut in two.

    A word that is longer than a line is cut all the same.
    """
    rest = Text.from_markup(markup)
    lines: list[Text] = []
    while rest.cell_len > width:
        ends = [found.end() for found in BREAK.finditer(rest.plain)]
        fits = [
            end for end in ends if rest[:end].cell_len - rest.plain[:end].endswith(" ") <= width
        ]
        if not fits:
            break
        line, rest = rest[: fits[-1]], rest[fits[-1] :]
        line.rstrip()
        lines.append(line)
    return Text("\n").join([*lines, rest])
