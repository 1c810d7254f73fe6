"""The table of faults: what became of every message while something broke and came back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from spikebench.candidate import Candidate
from spikebench.record.model import Record
from spikebench.record.trials import Trials, by_cell, pooled
from spikebench.report import wording
from spikebench.report.column import NOTHING, count, figure
from spikebench.report.table import Row
from spikebench.report.wording import Footnotes
from spikebench.scenario.model import Scenario

COUNTS = ("sent", "confirmed", "delivered", "lost", "duplicated", "reordered")
SHOWN_COUNTS = (
    *("sent", "confirmed", "delivered", "lost", "undelivered", "duplicated", "reordered"),
)
"""Counts of the table, in the order of its columns."""

HEADER = (
    *("fault", "candidate", "client", "target", "fidelity", "n"),
    *("sent", "confirmed", "delivered", "lost after confirm", "sent, never delivered"),
    *("duplicated", "out of order", "time to recover s", "longest gap s"),
)
CSV_COLUMNS = (
    *("spike", "scenario", "fault", "candidate", "client", "target", "fidelity", "n", "void"),
    *(*COUNTS, "undelivered", "restarts", "recovery_s", "longest_gap_s", "reason", "run_id"),
)
HOW_TO_READ = (
    "Counts are sums over the trials that count, times the longest of them. *Lost after confirm*: "
    "the broker had confirmed it, and no consumer ever got it. *Sent, never delivered* has the "
    "unconfirmed ones, too, which a producer would send again. *Out of order*: per key. *Time to "
    "recover*: from the fault to the last message that came more than 250 ms after it was due, or "
    "never came; *longest gap*: the longest time in which nothing arrived."
)

STARTED_BY_HAND = "the broker did not come back by itself, and was started again"

LEFT_OUT = "client, target, fidelity, n, sent, delivered: in faults.md and faults.csv"


@dataclass(frozen=True)
class Fault:
    """One cell with a fault, summed up over its trials."""

    cell: Trials

    @property
    def kind(self) -> str:
        """What was done to it."""
        return str(self.cell.first.params.get("kind", NOTHING))

    @property
    def counts(self) -> dict[str, int | None]:
        """The account, and what was sent and never delivered."""
        counted = {name: self.cell.total(name) for name in COUNTS}
        return {**counted, "undelivered": self._undelivered}

    @property
    def _undelivered(self) -> int | None:
        values = self.cell.values("undelivered")
        return int(sum(values)) if values else None

    def longest(self, metric: str) -> float | None:
        """The longest time over the trials; None where one of them has none."""
        values = self.cell.values(metric)
        return max(values) if values and len(values) == len(self.cell.valid) else None

    @property
    def rejected(self) -> int:
        """How many messages broker or client would not take, and the producer was told of."""
        return int(sum(self.cell.values("rejected")))

    @property
    def restarts(self) -> int:
        """How often the broker had to be started by hand."""
        return int(sum(self.cell.values("restarts")))

    @property
    def remarks(self) -> list[str]:
        """What a reader must know beside the figures."""
        row = Row(self.cell)
        remarks = [*wording.about(row), *wording.why_void(row)]
        notes = [had.note for r in self.cell.valid if (had := r.metrics.get("rejected"))]
        if notes:
            remarks.append(f"{self.rejected:,} messages rejected, and not sent again: {notes[0]}")
        if self.restarts:
            remarks.append(STARTED_BY_HAND)
        if self.cell.valid and self.longest("recovery_s") is None:
            remarks.append("it had not recovered when the trial ended")
        return remarks


def faults(
    records: Iterable[Record], scenarios: Mapping[str, Scenario], candidates: Sequence[Candidate]
) -> dict[str, list[Fault]]:
    """Return every cell with a fault, by scenario, in the order of scenarios and candidates.

    Trials of several runs are put together where they are of one cell (see ``pooled``).
    """
    places = {candidate.name: place for place, candidate in enumerate(candidates)}
    broken = (record for record in records if is_fault(record, scenarios))
    cells = [Fault(cell) for cell in pooled(by_cell(broken))]
    cells.sort(key=lambda f: (f.kind, places.get(f.cell.candidate, len(places)), f.cell.client))
    names = [name for name in scenarios if any(f.cell.scenario == name for f in cells)]
    return {name: [f for f in cells if f.cell.scenario == name] for name in names}


def put_in(each: Sequence[Fault]) -> list[Fault]:
    """Return those that could be put into their candidate."""
    return [fault for fault in each if fault.cell.first.status != "unavailable"]


def left_out(each: Sequence[Fault]) -> list[str]:
    """A line for each reason why faults could not be put in: which, and into which candidates."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for fault in each:
        if fault.cell.first.status == "unavailable":
            kinds.setdefault((fault.cell.first.reason, fault.cell.candidate), []).append(fault.kind)
    lines: dict[tuple[str, str], list[str]] = {}
    for (reason, candidate), had in kinds.items():
        lines.setdefault((reason, ", ".join(dict.fromkeys(had))), []).append(candidate)
    return [
        f"not run: {', '.join(candidates)}: {had}: {reason}"
        for (reason, had), candidates in lines.items()
    ]


def is_fault(record: Record, scenarios: Mapping[str, Scenario]) -> bool:
    """Whether a record belongs to the table of faults."""
    scenario = scenarios.get(record.scenario)
    return scenario is not None and scenario.breaks


def losses(found: Mapping[str, Sequence[Fault]]) -> list[str]:
    """A line for every fault in which a confirmed message was lost."""
    return [
        f"{fault.cell.candidate} lost {fault.cell.total('lost'):,} of "
        f"{fault.cell.total('confirmed'):,} confirmed messages: {name}, {fault.kind}"
        + (", an emulator" if fault.cell.fidelity == "emulator" else "")
        for name, each in found.items()
        for fault in each
        if fault.cell.total("lost")
    ]


def to_markdown(
    found: Mapping[str, Sequence[Fault]],
    scenarios: Mapping[str, Scenario],
    pictures: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return the table of faults as Markdown, a section a promise.

    ``pictures`` are those that stand beside it, by scenario: their files and what they show.
    """
    runs = sorted({run for each in found.values() for fault in each for run in fault.cell.run_ids})
    lines = ["# Faults", "", f"Run {', '.join(runs)}. {HOW_TO_READ}", "", *_losses_told(found)]
    for name, each in found.items():
        notes = Footnotes()
        lines += [f"## {name}", "", f"{scenarios[name].title}. {scenarios[name].question}", ""]
        lines += [_line(HEADER), _line(["---"] * len(HEADER))]
        lines += [_line(_cells(fault, notes)) for fault in put_in(each)]
        lines += ["", *(f"{line}  " for line in [*notes.lines(), *left_out(each)]), ""]
        shown = (pictures or {}).get(name, {})
        lines += [line for file, told in shown.items() for line in (f"![{told}]({file})", "")]
    return "\n".join(lines).rstrip() + "\n"


def _losses_told(found: Mapping[str, Sequence[Fault]]) -> list[str]:
    told = losses(found) or ["no broker lost a confirmed message in these trials"]
    return ["Confirmed and lost:", "", *(f"- {line}" for line in told), ""]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _cells(fault: Fault, notes: Footnotes) -> list[str]:
    cell, counts = fault.cell, fault.counts
    return [
        fault.kind,
        cell.candidate + notes.mark(*fault.remarks),
        cell.client,
        cell.target,
        cell.fidelity,
        str(len(cell.valid)),
        *(count(counts[name]) for name in SHOWN_COUNTS),
        figure(fault.longest("recovery_s")),
        figure(fault.longest("longest_gap_s")),
    ]


def to_csv(found: Mapping[str, Sequence[Fault]]) -> str:
    """Return a row a cell, for machines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_csv_row(fault) for each in found.values() for fault in each)
    return text.getvalue()


def _csv_row(fault: Fault) -> dict[str, object]:
    first, times = fault.cell.first, ("recovery_s", "longest_gap_s")
    return {
        "spike": first.spike,
        "scenario": first.scenario,
        "fault": fault.kind,
        "candidate": first.candidate,
        "client": first.client,
        "target": first.target,
        "fidelity": first.fidelity,
        "n": len(fault.cell.valid),
        "void": fault.cell.void,
        **{name: "" if value is None else value for name, value in fault.counts.items()},
        "restarts": fault.restarts,
        **{name: "" if (t := fault.longest(name)) is None else f"{t:.6g}" for name in times},
        "reason": "; ".join(fault.remarks),
        "run_id": " ".join(fault.cell.run_ids),
    }


def show(
    found: Mapping[str, Sequence[Fault]], scenarios: Mapping[str, Scenario], console: Console
) -> None:
    """Print the table of faults within 100 columns."""
    console.width = max(console.width, 100) if console.is_terminal else 100
    for name, each in found.items():
        notes = Footnotes()
        console.print(f"\n[bold]{escape(name)}[/] {escape(scenarios[name].title)}", highlight=False)
        console.print(_grid(each, notes))
        for line in [*notes.lines(), *left_out(each)]:
            console.print(line, markup=False, highlight=False, style="dim")
    told = losses(found)
    for line in told:
        console.print(f"[red]confirmed and lost:[/] {escape(line)}", highlight=False)
    if not told:
        console.print("no broker lost a confirmed message in these trials", highlight=False)
    console.print(f"[dim]{LEFT_OUT}[/]", highlight=False)


def _grid(each: Sequence[Fault], notes: Footnotes) -> Grid:
    grid = Grid(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column("fault", width=19)
    grid.add_column("candidate", width=20, overflow="fold")
    headers = ("confirmed", "lost", "never\ndelivered", "dupli-\ncated", "out of\norder")
    for header in (*headers, "recover\ns", "longest\ngap s"):
        grid.add_column(header, justify="right")
    for fault in put_in(each):
        marks, counts = notes.mark(*fault.remarks), fault.counts
        names = ("confirmed", "lost", "undelivered", "duplicated", "reordered")
        times = (fault.longest("recovery_s"), fault.longest("longest_gap_s"))
        grid.add_row(
            escape(fault.kind),
            escape(f"{fault.cell.candidate} {marks}"),
            *(count(counts[name]) for name in names),
            *(figure(time) for time in times),
        )
    return grid
