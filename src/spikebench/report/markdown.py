"""The table a person reads in a browser or an editor, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from spikebench.report import wording
from spikebench.report.column import NOTHING, Column, beside, count, figure, shown
from spikebench.report.declared import Declared
from spikebench.report.layout import Layout
from spikebench.report.missing import missing
from spikebench.report.plotted import by_section
from spikebench.report.table import Row, Section, Table
from spikebench.report.wording import Footnotes

BEFORE = ("client", "target", "fidelity", "params")
AFTER = ("n (void)", "requirement")


def to_markdown(table: Table, plots: Sequence[str] = ()) -> str:
    """Return the whole table: medians over trials, the interval of each beside it.

    ``plots`` are names of files beside the table; each stands below the scenario it is named for.
    """
    pictures = by_section(plots, [section.name for section in table.sections])
    lines = [f"# {table.spike}: results", ""]
    lines += [f"Run {', '.join(table.run_ids) or NOTHING}. {table.layout.how_to_read}", ""]
    lines += [f"> **Warning.** {warning}\n" for warning in table.warnings]
    for section in table.sections:
        lines += [*_section(section, table.layout), "", *_pictures(pictures[section.name])]
    lines += _itself(table.itself)
    lines += _versions(table)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section, layout: Layout) -> Iterator[str]:
    notes = Footnotes()
    yield f"## {section.name}"
    yield ""
    if section.scenario is not None:
        yield f"{section.scenario.title}. {section.scenario.question}"
        yield ""
    columns = shown(layout.columns, section.metrics)
    rows = [_row(row, columns, layout, notes) for row in section.rows]
    yield from _grid(_header(columns, layout), rows)
    yield ""
    yield from (f"{line}  " for line in notes.lines())
    yield from _drift(section)
    yield from (line for sentence in section.told for line in ("", sentence))
    yield from _verdicts([row.against for row in section.rows if row.against is not None])


def _pictures(files: Sequence[str]) -> Iterator[str]:
    """Each plot, named for its file: a picture in a browser follows light and dark."""
    for file in files:
        yield f"![{file.removesuffix('.svg')}]({quote(file)})"
        yield ""


def _header(columns: Sequence[Column], layout: Layout) -> list[str]:
    return [
        *("candidate", *layout.alternatives, *BEFORE),
        *(column.header for column in columns),
        *(one.name for one in layout.counts),
        *(["limit"] if layout.limit else []),
        *AFTER,
    ]


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(header)
    yield _line(["---"] * len(header))
    yield from (_line(row) for row in rows)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _row(row: Row, columns: Sequence[Column], layout: Layout, notes: Footnotes) -> list[str]:
    cell = row.cell
    return [
        cell.candidate + notes.mark(*wording.about(row), *layout.remarks(row)),
        *(value or NOTHING for value in layout.chosen(cell.params)),
        cell.client,
        cell.target or NOTHING,
        cell.fidelity,
        wording.params(layout.told(row)) or NOTHING,
        *(_metric(row, column.metric, notes) for column in columns),
        *(count(cell.total(one.name)) + notes.mark(*one.remarks(row)) for one in layout.counts),
        *([cell.limit if cell.valid else NOTHING] if layout.limit else []),
        wording.trials(row) + notes.mark(*wording.why_void(row), *wording.drifts(row)),
        wording.requirement(row.judgement) + notes.mark(*wording.why_judged(row.judgement)),
    ]


def _metric(row: Row, metric: str, notes: Footnotes) -> str:
    found = row.intervals.get(metric)
    if found is None:
        return NOTHING + notes.mark(*missing(row, metric))
    median = figure(found.median)
    leading = f"**{median}**" if metric in row.best else median
    return f"{leading} {beside(found, len(row.cell.valid))}".rstrip()


def _verdicts(found: Sequence[Declared]) -> Iterator[str]:
    if not found:
        return
    yield ""
    yield f"Declared comparisons on `{found[0].metric}`, Holm-adjusted over all of this run:"
    yield ""
    yield from _grid(
        ["A", "B", "params", "A ÷ B [95 %]", "p Welch", "p Mann-Whitney", "verdict"],
        [_comparison(one) for one in found],
    )


def _drift(section: Section) -> Iterator[str]:
    if section.drift is not None and section.scenario is not None:
        yield ""
        yield f"`{section.scenario.analysis.metric}` {wording.drift(section.drift)}."


def _comparison(one: Declared) -> list[str]:
    a, b = one.names
    return [
        f"{a} ({one.a.client})",
        f"{b} ({one.b.client})",
        wording.params(one.params) or NOTHING,
        wording.ratio(one.comparison),
        wording.p_value(one.comparison.p_welch),
        wording.p_value(one.comparison.p_mann_whitney),
        wording.verdict(one),
    ]


def _itself(found: Sequence[Declared]) -> list[str]:
    if not found:
        return []
    said = [
        f"- {wording.itself(one)}, `{one.metric}`: {wording.ratio(one.comparison)}, {_same(one)}"
        for one in found
    ]
    return [
        "## A candidate against itself",
        "",
        "What it shows is the method's own error.",
        "",
        *said,
        "",
    ]


def _same(one: Declared) -> str:
    if one.comparison.verdict in ("A", "B"):
        return "**different**: do not trust this run's verdicts"
    return wording.verdict(one)


def _versions(table: Table) -> list[str]:
    lines = [
        f"- {who}: " + ", ".join(f"{name} {version}" for name, version in sorted(had.items()))
        for who, had in table.versions.items()
        if had
    ]
    return ["## Versions", "", *lines] if lines else []
