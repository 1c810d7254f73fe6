"""The table as a terminal shows it: 100 columns, what decides, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from spikebench.report import wording
from spikebench.report.column import NOTHING, count, figure
from spikebench.report.declared import CEILING
from spikebench.report.table import Row, Section, Table
from spikebench.report.wording import Footnotes

WIDTH = 100

LEFT_OUT = "p95, p99.9, MB/s, intervals, memory, start-up and more: in table.md and table.csv"

COLOURS = {"met": "green", "not met": "red", "not shown": "dim"}

HEADERS = {
    "throughput": "rate\nmsg/s",
    "capacity": "capac.\nmsg/s",
    "drain_s": "drain\ns",
    "publish_p99": "publ.\np99 ms",
    "end_to_end_p50": "e2e\np50 ms",
    "end_to_end_p99": "e2e\np99 ms",
}


def show(table: Table, console: Console) -> None:
    """Print the table; colour only where the console is a terminal.

    It is never squeezed: on a narrower terminal its lines wrap as any others do. A file or a pipe
    has no width, and gets the same table everywhere.
    """
    console.width = max(console.width, WIDTH) if console.is_terminal else WIDTH
    for section in table.sections:
        _show(section, console)
    for one in table.itself:
        said = f"{wording.ratio(one.comparison)}, {wording.verdict(one)}"
        console.print(f"A/A {wording.itself(one)}: {said}", markup=False, highlight=False)
    for warning in table.warnings:
        console.print(f"[yellow]warning:[/] {escape(warning)}")
    console.print(f"[dim]{LEFT_OUT}[/]", highlight=False)


def _show(section: Section, console: Console) -> None:
    notes = Footnotes()
    console.print(f"\n[bold]{escape(section.name)}[/] {escape(_title(section))}", highlight=False)
    for number, (title, rows) in enumerate(_groups(section.rows)):
        grid = _grid(section, headed=number == 0)
        for row in rows:
            grid.add_row(*_cells(row, section, notes))
        console.print(f"[italic]{escape(title)}[/]" if title else "", highlight=False)
        console.print(grid)
    for line in notes.lines():
        console.print(line, markup=False, highlight=False, style="dim")
    if section.drift is not None:
        console.print(wording.drift(section.drift), markup=False, highlight=False)


def _title(section: Section) -> str:
    if section.scenario is None:
        return ""
    analysis = section.scenario.analysis
    return f"{section.scenario.title}; against {analysis.baseline} on {analysis.metric}"


def _groups(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Rows that stand together, with their title: what is not compared does not."""
    measured = {row.cell.target for row in rows if row.intervals and not _is_ceiling(row)}
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_group(row, told_apart=len(measured) > 1), []).append(row)
    yield from groups.items()


def _group(row: Row, told_apart: bool) -> str:
    fidelity = row.cell.fidelity
    note = wording.EMULATOR_NOTE if fidelity == "emulator" else fidelity
    target = f"target {row.cell.target}" if told_apart and row.cell.target else ""
    return "; ".join(filter(None, [row.params, target, note]))


def _is_ceiling(row: Row) -> bool:
    return row.cell.candidate == CEILING


def _grid(section: Section, headed: bool) -> Grid:
    """A grid of fixed widths, so that the grids of a section stand under one another."""
    grid = Grid(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=headed)
    grid.add_column("candidate, client", width=21, overflow="fold")
    for metric, width in _metrics(section):
        grid.add_column(HEADERS[metric], justify="right", width=width, overflow="fold")
    for header, width in (
        ("lost/\ndup/reo", 7),
        ("CPU s/M\nbrk+cl", 9),
        ("against\nbaseline", 11),
    ):
        grid.add_column(header, justify="right", width=width, overflow="fold")
    grid.add_column("n", justify="right", width=3, overflow="fold")
    grid.add_column("required,\nheadroom", width=15, overflow="fold")
    return grid


def _metrics(section: Section) -> list[tuple[str, int]]:
    """The four figures that decide, with the width of each: what a scenario is about is in it."""
    rate = "capacity" if "capacity" in section.metrics else "throughput"
    middle = "drain_s" if "drain_s" in section.metrics else "end_to_end_p50"
    return [(rate, 7), ("publish_p99", 6), (middle, 6), ("end_to_end_p99", 6)]


def _cells(row: Row, section: Section, notes: Footnotes) -> list[str]:
    return [
        _name(row),
        *(_metric(row, metric) for metric, _ in _metrics(section)),
        _account(row, notes),
        _cpu(row),
        _against(row),
        _trials(row, notes),
        _required(row, notes),
    ]


def _trials(row: Row, notes: Footnotes) -> str:
    return escape(
        f"{len(row.cell.valid)}{notes.mark(*wording.why_void(row), *wording.drifts(row))}"
    )


def _name(row: Row) -> str:
    name = f"{row.cell.candidate} {row.cell.client}"
    return f"[dim]{escape(name)}[/]" if _is_ceiling(row) else escape(name)


def _metric(row: Row, metric: str) -> str:
    found = row.intervals.get(metric)
    text = figure(found.median if found else None)
    return f"[bold]{text}[/]" if metric in row.best else text


def _account(row: Row, notes: Footnotes) -> str:
    counts = [row.cell.total(name) for name in ("lost", "duplicated", "reordered")]
    if counts[0] is None:
        return NOTHING
    lost, *others = (count(value) for value in counts)
    account = "/".join([f"[red]{lost}[/]" if counts[0] else lost, *others])
    return account + notes.mark(*wording.refused(row), *wording.unordered(row))


def _cpu(row: Row) -> str:
    parts = ("broker_cpu_per_million", "client_cpu_per_million")
    if not any(part in row.intervals for part in parts):
        return NOTHING
    return "+".join(_whole(row, part) for part in parts)


def _whole(row: Row, metric: str) -> str:
    """Whole seconds, in at most four characters: two of them fit the column."""
    found = row.intervals.get(metric)
    if found is None:
        return NOTHING
    return f"{found.median:.0f}" if found.median < 9999.5 else f"{found.median / 1000:.0f}k"


def _against(row: Row) -> str:
    if row.against is None:
        return NOTHING
    comparison = row.against.comparison
    words = {"A": "better", "B": "worse", "equivalent": "same", "unresolved": "open"}
    if comparison.verdict not in words:
        return NOTHING
    ratio = "" if comparison.ratio is None else f"{_short(comparison.ratio)} "
    return ratio + words[comparison.verdict]


def _short(ratio: float) -> str:
    """Two decimals where there is room for them."""
    return f"{ratio:.{2 if ratio < 9.995 else 1 if ratio < 99.95 else 0}f}"


def _required(row: Row, notes: Footnotes) -> str:
    if row.judgement is None:
        return NOTHING
    outcome, mark = row.judgement.outcome, notes.mark(*wording.why_judged(row.judgement))
    return f"[{COLOURS[outcome]}]{wording.requirement(row.judgement)}[/]{mark}"
