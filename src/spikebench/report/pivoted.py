"""A turned table as Markdown and on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from spikebench.report.fitted import fitted
from spikebench.report.layout import SCREEN_WIDTH
from spikebench.report.pivot import Figure, Line, Measure, Pivot
from spikebench.report.wording import Footnotes

NAME_WIDTH, FIGURE_WIDTH = 36, 30
SIDE_BY_SIDE = (SCREEN_WIDTH - NAME_WIDTH) // (FIGURE_WIDTH + 1)
HOW_TO_READ = (
    "Medians over valid trials with the 95 % interval of the geometric mean, and n; a range is of "
    "the medians of several cells, whose trials are never pooled."
)


def to_markdown(found: Pivot) -> str:
    """Return a turned table as Markdown."""
    notes = Footnotes()
    header = [*found.keys, *(measure.header for measure in found.measures)]
    rows = [
        [f"{line.keys[0]}{notes.mark(*line.notes)}", *line.keys[1:], *map(_bold, line.figures)]
        for line in found.lines
    ]
    lines = [
        f"# {found.spike}: results",
        "",
        f"{_runs(found)}. {HOW_TO_READ}",
        "",
        *(f"> {note}\n" for note in found.notes),
        _row(header),
        _row(["---"] * len(header)),
        *map(_row, rows),
        "",
        *(f"{line}  " for line in notes.lines()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def show(found: Pivot, console: Console) -> None:
    """Print a turned table within 100 columns: what does not fit beside stands below."""
    console.width = max(console.width, SCREEN_WIDTH) if console.is_terminal else SCREEN_WIDTH
    notes = Footnotes()
    for measures in _parts(found.measures):
        grid = Grid(box=None, padding=(0, 1, 0, 0), pad_edge=False)
        grid.add_column(", ".join(found.keys), width=NAME_WIDTH, overflow="fold")
        for place in measures:
            header = escape(found.measures[place].header)
            grid.add_column(header, width=FIGURE_WIDTH, justify="right", overflow="fold")
        for line in found.lines:
            figures = (line.figures[place] for place in measures)
            name = fitted(_name(line, notes), NAME_WIDTH)
            grid.add_row(name, *(_marked(figure) for figure in figures))
        console.print(grid)
        console.print("")
    for text in (*notes.lines(), *found.notes):
        console.print(text, markup=False, highlight=False, style="dim")
    console.print(f"{_runs(found)}. {HOW_TO_READ}", markup=False, highlight=False, style="dim")


def _runs(found: Pivot) -> str:
    if not found.runs:
        return "No run"
    return f"Run{'s' if len(found.runs) > 1 else ''} {', '.join(found.runs)}"


def _parts(measures: Sequence[Measure]) -> Iterator[range]:
    for start in range(0, len(measures), SIDE_BY_SIDE):
        yield range(start, min(start + SIDE_BY_SIDE, len(measures)))


def _name(line: Line, notes: Footnotes) -> str:
    return escape(", ".join(key for key in line.keys if key != "—") + notes.mark(*line.notes))


def _marked(figure: Figure) -> str:
    return f"[bold]{escape(figure.text)}[/]" if figure.leads else escape(figure.text)


def _bold(figure: Figure) -> str:
    return f"**{figure.text}**" if figure.leads else figure.text


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
