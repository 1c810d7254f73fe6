"""A run's whole table on one sheet: a row a cell, with all that the table says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from spikebench.report import wording
from spikebench.report.column import NOTHING
from spikebench.report.declared import Declared
from spikebench.report.pivot import Line, Pivot, key_of, pivot
from spikebench.report.table import Row, Table

WORDS = ("n (void)", "requirement", "against the baseline")


def sheet(table: Table) -> Pivot:
    """Return every column that a row shows, the ledger's counts, and what is said of each row.

    That is its trials, its requirement, and the comparison that its scenario declares.
    """
    had = {name for section in table.sections for name in section.metrics}
    columns = [column.metric for column in table.layout.columns]
    columns += [one.name for one in table.layout.counts]
    found = pivot([table], [name for name in columns if name in had])
    rows = [row for section in table.sections for row in section.rows]
    of = {key_of(row.cell, found.keys): row for row in rows}
    lines = tuple(_line(line, of[line.keys]) for line in found.lines)
    return replace(found, lines=lines, words=WORDS, notes=(*found.notes, *_told(table)))


def _line(line: Line, row: Row) -> Line:
    notes = (*line.notes, *wording.why_judged(row.judgement))
    return replace(line, words=_words(row), notes=notes)


def _words(row: Row) -> tuple[str, ...]:
    against = NOTHING if row.against is None else _compared(row.against)
    return wording.trials(row), wording.requirement(row.judgement), against


def _compared(one: Declared) -> str:
    return f"{wording.ratio(one.comparison)} of {one.names[1]}: {wording.verdict(one)}"


def _told(table: Table) -> Iterator[str]:
    """What stands below each section of the table, and of candidates against themselves."""
    for section in table.sections:
        if section.drift is not None and section.scenario is not None:
            metric = section.scenario.analysis.metric
            yield f"{section.name}: {metric} {wording.drift(section.drift)}"
        yield from (f"{section.name}: {sentence}" for sentence in section.told)
    for one in table.itself:
        said = f"{wording.ratio(one.comparison)}, {wording.verdict(one)}"
        yield f"A/A {wording.itself(one)}: {said}"
