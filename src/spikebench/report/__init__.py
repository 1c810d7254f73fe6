"""Tables and plots, made from records alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spikebench.candidate import Candidate
from spikebench.errors import RecordError
from spikebench.record.model import Record
from spikebench.scenario.model import Scenario
from spikebench.spike import MESSAGES_LAYOUT

if TYPE_CHECKING:
    from rich.console import Console

    from spikebench.report.faults import Fault
    from spikebench.report.timeline import Plot

__all__ = ["terminal", "text", "turned", "write"]


def write(
    spike_name: str,
    records: Iterable[Record],
    scenarios: Mapping[str, Scenario],
    folder: Path,
    candidates: Sequence[Candidate] = (),
    layout: str = MESSAGES_LAYOUT,
    alone: bool = True,
) -> list[Path]:
    """Write ``table.md``, ``table.csv`` and the plots (SVG); return their paths.

    ``table.md`` shows the plots once they are drawn: a full disk leaves it without them.
    A run of faults has ``faults.md``, ``faults.csv`` and plots over time instead.
    ``candidates`` say what each promises, on which a required ordering is judged, and give the
    order of rows; ``layout`` is what their spike names (see ``Spike``). Unless ``alone``, a second
    process may draw plots too (see ``drawn``). Raises RecordError where the folder cannot be
    written; each file is then the new one or the earlier one, whole.
    """
    from spikebench.report import faults
    from spikebench.report.drawn import drawn
    from spikebench.report.layout import load
    from spikebench.report.markdown import to_markdown
    from spikebench.report.table import tabulate
    from spikebench.report.tidy import to_csv
    from spikebench.report.timeline import of_faults, plots
    from spikebench.report.whole import put

    mine = [record for record in records if record.spike == spike_name]
    broken, whole = _apart(mine, scenarios)
    table = tabulate(whole, scenarios, candidates, load(layout))
    found = faults.faults(broken, scenarios, candidates)
    over_time = plots(found)
    texts = _fault_texts(found, scenarios, over_time)
    if whole or not broken:
        texts |= {"table.md": to_markdown(table), "table.csv": to_csv(table)}
    again = f"spikebench table {spike_name}{'' if whole or not broken else ' --faults'} --write"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [put(folder / name, text.encode()) for name, text in texts.items()]
        drawings = table.layout.drawings(table)
        written += drawn([*of_faults(over_time), *drawings], folder, alone)
        if drawings:
            names = [drawing.name for drawing in drawings]
            put(folder / "table.md", to_markdown(table, names).encode())
        return written
    except OSError as error:
        raise RecordError(
            f"{folder}: the table could not be written: {error.strerror}; the records are intact: "
            f"make room or mend the permissions, then run: {again}"
        ) from error


def terminal(
    records: Iterable[Record],
    scenarios: Mapping[str, Scenario],
    console: Console,
    candidates: Sequence[Candidate] = (),
    layout: str = MESSAGES_LAYOUT,
) -> None:
    """Print the table that decides, within 100 columns, and say where the rest is."""
    from spikebench.report import faults
    from spikebench.report.layout import load
    from spikebench.report.screen import show
    from spikebench.report.table import tabulate

    broken, whole = _apart(records, scenarios)
    if broken:
        faults.show(faults.faults(broken, scenarios, candidates), scenarios, console)
    if whole or not broken:
        show(tabulate(whole, scenarios, candidates, load(layout)), console)


def text(
    records: Iterable[Record],
    scenarios: Mapping[str, Scenario],
    kind: str,
    candidates: Sequence[Candidate] = (),
    layout: str = MESSAGES_LAYOUT,
) -> str:
    """Return the whole table as text; ``kind`` is ``md`` or ``csv``."""
    from spikebench.report import faults
    from spikebench.report.layout import load
    from spikebench.report.markdown import to_markdown
    from spikebench.report.table import tabulate
    from spikebench.report.tidy import to_csv

    broken, whole = _apart(records, scenarios)
    if broken and not whole:
        kinds = {"md": "faults.md", "csv": "faults.csv"}
        return _fault_texts(faults.faults(broken, scenarios, candidates), scenarios)[kinds[kind]]
    writers = {"md": to_markdown, "csv": to_csv}
    return writers[kind](tabulate(whole, scenarios, candidates, load(layout)))


def turned(
    runs: Sequence[Iterable[Record]],
    scenarios: Mapping[str, Scenario],
    kind: str,
    candidates: Sequence[Candidate] = (),
    layout: str = MESSAGES_LAYOUT,
    metrics: Sequence[str] = (),
    by: Sequence[str] = (),
    console: Console | None = None,
) -> str:
    """Return several runs' tables as one, turned as asked (see ``pivot``).

    ``kind`` is ``md``, ``csv``, ``json`` or ``html``, or ``terminal``, which is printed to
    ``console`` and returned empty. CSV and JSON have a row a cell, run and metric, whatever ``by``.
    A page of one run for which no metrics are named has every column of the spike's table, and what
    is said of its rows. Raises UsageError for a metric or a name in ``by`` that no row has.
    """
    from spikebench.report import page, pivoted
    from spikebench.report.layout import load
    from spikebench.report.pivot import pivot
    from spikebench.report.sheet import sheet
    from spikebench.report.table import tabulate
    from spikebench.report.tidy import csv_of, json_of, rows

    tables = []
    for records in runs:
        broken, whole = _apart(records, scenarios)
        tables.append(tabulate(whole or broken, scenarios, candidates, load(layout)))
    if kind == "html" and len(tables) == 1 and not metrics and not by:
        return page.to_html(sheet(tables[0]))
    found = pivot(tables, metrics, by)
    if kind in ("csv", "json"):
        tidy = (row for table in tables for row in rows(table, metrics))
        return csv_of(tidy) if kind == "csv" else json_of(tidy)
    if kind == "terminal":
        assert console is not None, "a terminal's table is printed"
        pivoted.show(found, console)
        return ""
    return page.to_html(found) if kind == "html" else pivoted.to_markdown(found)


def _apart(
    records: Iterable[Record], scenarios: Mapping[str, Scenario]
) -> tuple[list[Record], list[Record]]:
    """Records of trials with a fault, and all others."""
    from spikebench.report.faults import is_fault

    found = list(records)
    broken = [record for record in found if is_fault(record, scenarios)]
    return broken, [record for record in found if not is_fault(record, scenarios)]


def _fault_texts(
    found: Mapping[str, Sequence[Fault]],
    scenarios: Mapping[str, Scenario],
    beside: Mapping[str, Sequence[Plot]] | None = None,
) -> dict[str, str]:
    """The files of faults; ``beside`` are the plots that will stand in the same folder."""
    from spikebench.report import faults

    if not found:
        return {}
    drawn = beside or {}
    pictures = {name: {f"{p.stem}.svg": p.told for p in each} for name, each in drawn.items()}
    return {
        "faults.md": faults.to_markdown(found, scenarios, pictures),
        "faults.csv": faults.to_csv(found),
    }
