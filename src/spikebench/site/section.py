"""A section of a result table as grids: its cells, and the comparisons its scenario declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from spikebench.cost import Cost, Priced
from spikebench.report import wording
from spikebench.report.column import NOTHING, Column, count, figure, shown
from spikebench.report.declared import Declared
from spikebench.report.layout import Count, Layout
from spikebench.report.missing import missing
from spikebench.report.table import Row, Section
from spikebench.site.chart import Chart, of_section
from spikebench.site.grid import Grid, Heading, Line, Notes, Place, measured, number, words
from spikebench.site.slug import slug

History = Callable[[Row], tuple[str, str]]
"""From a row to the words and the address of its history; empty where it has none."""

OUTCOMES = ("met", "not shown", "not met")


@dataclass(frozen=True)
class Bill:
    """What an offer costs, a figure in its summary and a line a term: by what it is the cost of.

    ``about`` is empty where it is as the offer's before.
    """

    name: str
    about: str
    costs: tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Shown:
    """A section as its page shows it; ``said`` and ``bills``, its costs, stand below its grid."""

    name: str
    anchor: str
    title: str
    question: str
    grid: Grid
    chart: Chart | None
    verdicts: Grid | None
    said: tuple[str, ...]
    bills: tuple[Bill, ...]


def show(section: Section, layout: Layout, history: History) -> Shown:
    """Make a section's grids and chart; ``history`` says where each row's earlier runs stand."""
    scenario = section.scenario
    anchor = slug(section.name)
    return Shown(
        name=section.name,
        anchor=anchor,
        title=scenario.title if scenario else "",
        question=scenario.question if scenario else "",
        grid=_cells(section, layout, history, f"{anchor}-cells"),
        chart=of_section(section, layout, f"{anchor}-chart"),
        verdicts=_verdicts(section, f"{anchor}-verdicts"),
        said=(*_drift(section), *section.told),
        bills=tuple(_bills(layout.bills(section))),
    )


def _bills(offers: Sequence[Priced]) -> Iterator[Bill]:
    before = ""
    for one in offers:
        costs = ((of_what, _total(cost), cost.lines) for of_what, cost in one.costs.items())
        yield Bill(one.name, "" if one.about == before else one.about, tuple(costs))
        before = one.about


def _total(cost: Cost) -> str:
    """What a figure says before it is opened, and why a price in it may not hold."""
    if cost.total is None:
        return "not priced"
    doubts = f" ({'; '.join(cost.marks)})" if cost.marks else ""
    return f"{figure(cost.total)} {cost.currency}{doubts}"


def _cells(section: Section, layout: Layout, history: History, name: str) -> Grid:
    notes = Notes()
    columns = shown(layout.columns, section.metrics)
    lines = tuple(
        Line(tuple(_places(row, columns, layout, notes, history))) for row in section.rows
    )
    headings = tuple(_headings(columns, layout))
    return Grid(name, f"{section.name}: a row a cell", headings, lines, tuple(notes.reasons))


def _headings(columns: Sequence[Column], layout: Layout) -> Iterator[Heading]:
    yield Heading("candidate", choice=True)
    yield from (Heading(one, choice=True) for one in layout.alternatives)
    yield from (Heading(one, choice=True) for one in ("client", "target", "fidelity"))
    yield Heading("params", choice=True)
    yield from (Heading(column.header, figures=True) for column in columns)
    yield from (Heading(one.name, figures=True) for one in layout.counts)
    if layout.limit:
        yield Heading("limit")
    yield Heading("n (void)", figures=True)
    yield Heading("requirement")
    yield Heading("history")


def _places(
    row: Row, columns: Sequence[Column], layout: Layout, notes: Notes, history: History
) -> Iterator[Place]:
    cell = row.cell
    about = notes.numbers([*wording.about(row), *layout.remarks(row)])
    yield words(cell.candidate, notes=about)
    yield from (words(value) for value in layout.chosen(cell.params))
    yield from (words(text) for text in (cell.client, cell.target, cell.fidelity))
    yield words(wording.params(layout.told(row)))
    for column in columns:
        yield figure_of(row, column.metric, notes)
    yield from (_count(row, one, notes) for one in layout.counts)
    if layout.limit:
        yield words(cell.limit if cell.valid else "")
    why = notes.numbers([*wording.why_void(row), *wording.drifts(row)])
    yield number(wording.trials(row), len(cell.valid), notes=why)
    yield _requirement(row, notes)
    text, href = history(row)
    yield words(text, href=href)


def figure_of(row: Row, metric: str, notes: Notes) -> Place:
    """The place of a row's metric, with its reason where it has none."""
    why = notes.numbers(missing(row, metric))
    found, leads = row.intervals.get(metric), metric in row.best
    return measured(found, leads, n=len(row.cell.valid), notes=why)


def _count(row: Row, one: Count, notes: Notes) -> Place:
    total = row.cell.total(one.name)
    return number(count(total), total, notes=notes.numbers(one.remarks(row)))


def _requirement(row: Row, notes: Notes) -> Place:
    judged = row.judgement
    return Place(
        wording.requirement(judged),
        None if judged is None else float(OUTCOMES.index(judged.outcome)),
        notes=notes.numbers(wording.why_judged(judged)),
    )


def _drift(section: Section) -> Iterator[str]:
    if section.drift is not None and section.scenario is not None:
        yield f"{section.scenario.analysis.metric} {wording.drift(section.drift)}."


def _verdicts(section: Section, name: str) -> Grid | None:
    found = [row.against for row in section.rows if row.against is not None]
    if not found:
        return None
    return compared(
        found,
        name,
        f"{section.name}: declared comparisons on {found[0].metric}, "
        "Holm-adjusted over all of this run",
    )


def compared(found: Sequence[Declared], name: str, caption: str) -> Grid:
    """Comparisons as a grid: both sides, the ratio with its interval, p values, the verdict."""
    headings = (
        Heading("A", choice=True),
        Heading("B"),
        Heading("params"),
        Heading("A ÷ B", figures=True),
        Heading("p Welch", figures=True),
        Heading("p Mann-Whitney", figures=True),
        Heading("verdict"),
    )
    lines = tuple(Line(tuple(_comparison(one))) for one in found)
    return Grid(name, caption, headings, lines)


def _comparison(one: Declared) -> Iterator[Place]:
    found = one.comparison
    a, b = one.names
    yield words(f"{a} ({one.a.client})")
    yield words(f"{b} ({one.b.client})")
    yield words(wording.params(one.params))
    if found.ratio is None:
        yield Place(NOTHING)
    else:
        interval = f"{found.ci_low:.2f} to {found.ci_high:.2f}"
        yield Place(f"{found.ratio:.2f}×", found.ratio, interval)
    for p in (found.p_welch, found.p_mann_whitney):
        yield number(wording.p_value(p), p)
    yield words(wording.verdict(one))
