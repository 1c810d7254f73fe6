"""The parts of a record that show the rows behind it: verdicts, and what became of messages."""

from __future__ import annotations

from collections.abc import Iterator

from spikebench.decision.assess import Assessment
from spikebench.decision.evidence import is_fault
from spikebench.decision.wording import foreign, grid, own
from spikebench.report import wording
from spikebench.report.column import NOTHING, count, figure
from spikebench.report.faults import Fault
from spikebench.report.table import Row

Lines = Iterator[str]

COUNTS = ("sent", "confirmed", "lost", "undelivered", "duplicated", "reordered")
TIMES = ("recovery_s", "longest_gap_s")
"""Of an emulator these are left out: they would be its own."""

FAULTS_HEADER = (
    *("fault", "option", "candidate, client, target, fidelity", "n (void)", "sent", "confirmed"),
    *("lost after confirm", "rejected", "sent, never delivered", "duplicated", "out of order"),
    *("time to recover s", "longest gap s"),
)

HOW_TO_READ = (
    "What became of every message while something broke and came back, in each row that was used: "
    "counts are sums over the trials that count, times the longest of them. *Lost after confirm*: "
    "the broker had confirmed it, and some subscriber never got it. *Rejected*: broker or client "
    "would not take it, and the producer is told; that is no loss, but it was not sent again here, "
    "as an application would have to. *Sent, never delivered* has both, and what was unconfirmed "
    "when a connection was lost. A must-have is not met by one trial that fails it, and met by 6 "
    "or more that all hold it."
)


def verdicts(found: Assessment) -> Lines:
    """The rows behind all this, with the comparisons that their scenarios declared."""
    yield "### Verdicts"
    yield ""
    yield "Each row that was used, with its scenario's declared comparison, Holm-adjusted."
    yield ""
    header = ["scenario", "option", "client, target, fidelity", "n (void)", "median"]
    rows = [_verdict(name, row) for (name, _), row in found.rows.items() if not is_fault(row)]
    yield from grid([*header, "÷ baseline [95 %]", "verdict", "requirement"], rows)


def _verdict(name: str, row: Row) -> list[str]:
    against, cell = row.against, row.cell
    metric = row.scenario.analysis.metric if row.scenario else ""
    seen = row.intervals.get(metric)
    unit = cell.metrics[metric].unit if metric in cell.metrics else ""
    alone = "the baseline" if _is_baseline(row) else NOTHING
    return [
        foreign(", ".join(filter(None, [cell.scenario, row.params]))),
        own(name),
        foreign(f"{cell.client}, {cell.target}, {cell.fidelity}"),
        wording.trials(row),
        f"{foreign(metric)} {figure(seen.median)} {foreign(unit)}" if seen else NOTHING,
        wording.ratio(against.comparison) if against else NOTHING,
        foreign(wording.verdict(against)) if against else alone,
        foreign(wording.requirement(row.judgement)),
    ]


def _is_baseline(row: Row) -> bool:
    if row.scenario is None or not row.cell.valid:
        return False
    analysis = row.scenario.analysis
    has = analysis.baseline_params.items() <= dict(row.cell.params).items()
    return has and row.cell.candidate == analysis.baseline


def faults(found: Assessment) -> Lines:
    """The account of every message in the rows with a fault; nothing where there is no such row."""
    rows = [
        _fault(name, row)
        for (name, _), row in found.rows.items()
        if is_fault(row) and (row.cell.valid or row.cell.void)
    ]
    if rows:
        yield "### Faults"
        yield ""
        yield HOW_TO_READ
        yield ""
        yield from grid(FAULTS_HEADER, rows)


def _fault(name: str, row: Row) -> list[str]:
    cell, fault = row.cell, Fault(row.cell)
    counts = fault.counts
    lost, *others = (count(counts[one]) for one in COUNTS[2:])
    times = [None if cell.fidelity == "emulator" else fault.longest(one) for one in TIMES]
    return [
        foreign(", ".join(filter(None, [cell.scenario, row.params]))),
        own(name),
        foreign(f"{cell.candidate}, {cell.client}, {cell.target}, {cell.fidelity}"),
        wording.trials(row),
        *(count(counts[one]) for one in COUNTS[:2]),
        f"**{lost}**" if counts["lost"] else lost,
        count(fault.rejected) if cell.valid else NOTHING,
        *others,
        *(figure(time) for time in times),
    ]
