"""The table as a terminal shows it: 100 columns, what decides, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table as Grid

from spikebench.report import wording
from spikebench.report.column import NOTHING, figure
from spikebench.report.declared import CEILING
from spikebench.report.fitted import fitted, short
from spikebench.report.layout import SCREEN_WIDTH, Fill, Layout, ScreenColumn
from spikebench.report.missing import missing, unbounded
from spikebench.report.source import is_read, source
from spikebench.report.table import Row, Section, Table
from spikebench.report.wording import Footnotes

COLOURS = {"met": "green", "not met": "red", "not shown": "dim"}


def show(table: Table, console: Console) -> None:
    """Print the table; colour only where the console is a terminal.

    It is never squeezed: on a narrower terminal its lines wrap as any others do. A file or a pipe
    has no width, and gets the same table everywhere.
    """
    console.width = max(console.width, SCREEN_WIDTH) if console.is_terminal else SCREEN_WIDTH
    for section in table.sections:
        _show(section, table.layout, console)
    for one in table.itself:
        said = f"{wording.ratio(one.comparison)}, {wording.verdict(one)}"
        console.print(f"A/A {wording.itself(one)}: {said}", markup=False, highlight=False)
    for warning in table.warnings:
        console.print(f"[yellow]warning:[/] {escape(warning)}")
    console.print(f"[dim]{table.layout.left_out}[/]", highlight=False)


def _show(section: Section, layout: Layout, console: Console) -> None:
    notes, metrics = Footnotes(), section.metrics
    columns = [column.among(metrics) for column in layout.screen]
    console.print(f"\n[bold]{escape(section.name)}[/] {escape(_title(section))}", highlight=False)
    for number, (title, rows) in enumerate(_groups(section.rows, layout)):
        grid = _grid(columns, headed=number == 0)
        for row in rows:
            grid.add_row(*(fitted(column.fill(row, notes), column.width) for column in columns))
        console.print(f"[italic]{escape(title)}[/]" if title else "", highlight=False)
        console.print(grid)
    for line in notes.lines():
        console.print(line, markup=False, highlight=False, style="dim")
    if section.drift is not None:
        console.print(wording.drift(section.drift), markup=False, highlight=False)
    for sentence in section.told:
        console.print(sentence, markup=False, highlight=False)


def _title(section: Section) -> str:
    if section.scenario is None:
        return ""
    analysis = section.scenario.analysis
    return f"{section.scenario.title}; against {wording.baseline(analysis)} on {analysis.metric}"


def _groups(rows: Sequence[Row], layout: Layout) -> Iterator[tuple[str, list[Row]]]:
    """Rows that stand together, with their title: what is not compared does not."""
    targets = {row.cell.target for row in rows if row.intervals and _is_measured(row)}
    groups: dict[str, list[Row]] = {}
    for row in rows:
        title = _group(row, layout, told_apart=len(targets) > 1)
        groups.setdefault(title, []).append(row)
    yield from groups.items()


def _group(row: Row, layout: Layout, told_apart: bool) -> str:
    fidelity = row.cell.fidelity
    note = wording.EMULATOR_NOTE if fidelity == "emulator" else source(row.cell) or fidelity
    told_apart = told_apart and not is_read(row.cell)
    target = f"target {row.cell.target}" if told_apart and row.cell.target else ""
    shared = wording.params(layout.told(row))
    return "; ".join(filter(None, [shared, target, note]))


def _is_measured(row: Row) -> bool:
    return not (_is_ceiling(row) or is_read(row.cell))


def _is_ceiling(row: Row) -> bool:
    return row.cell.candidate == CEILING


def _grid(columns: Sequence[ScreenColumn], headed: bool) -> Grid:
    """A grid of fixed widths, so that the grids of a section stand under one another."""
    grid = Grid(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=headed)
    for column in columns:
        side: JustifyMethod = "left" if column.left else "right"
        grid.add_column(column.header, justify=side, width=column.width, overflow="fold")
    return grid


def trials(row: Row, notes: Footnotes) -> str:
    """How many trials count, with why others do not."""
    return escape(
        f"{len(row.cell.valid)}{notes.mark(*wording.why_void(row), *wording.drifts(row))}"
    )


def named(text: str, row: Row) -> str:
    """A row's name; dim for the ceiling, which is nobody's choice."""
    return f"[dim]{escape(text)}[/]" if _is_ceiling(row) else escape(text)


def measured(metric: str, width: int = SCREEN_WIDTH) -> Fill:
    """Fill a column of ``width`` with the medians of a metric, bold where they lead."""

    def fill(row: Row, notes: Footnotes) -> str:
        found = row.intervals.get(metric)
        text = short(found.median if found else None, width) + notes.mark(*missing(row, metric))
        return f"[bold]{text}[/]" if metric in row.best else text

    return fill


def bounded(metric: str) -> Fill:
    """Fill a column with the 95 % intervals of a metric."""

    def fill(row: Row, notes: Footnotes) -> str:
        found = row.intervals.get(metric)
        if found is None or found.low is None or found.high is None:
            return NOTHING + notes.mark(*unbounded(row, metric))
        return f"{figure(found.low)}–{figure(found.high)}"

    return fill


def against(row: Row, notes: Footnotes) -> str:
    """The ratio to the baseline on the declared metric, and what it comes to."""
    if row.against is None:
        return NOTHING
    comparison = row.against.comparison
    found = wording.in_short(comparison)
    return found + notes.mark(*filter(None, [comparison.reason if found == NOTHING else ""]))


def required(row: Row, notes: Footnotes) -> str:
    """Whether the requirement is met, with what it turned on."""
    return _judged(row, notes.mark(*wording.why_judged(row.judgement)))


def bound(row: Row, notes: Footnotes) -> str:
    """Whether the requirement is met, with what it is: for a row that has the interval."""
    return _judged(row, notes.mark(*wording.bounds(row.judgement)))


def _judged(row: Row, mark: str) -> str:
    if row.judgement is None:
        return NOTHING
    return f"[{COLOURS[row.judgement.outcome]}]{wording.requirement(row.judgement)}[/]{mark}"
