"""The layout of tables about messages: what a broker did with them, how fast, and at what cost."""

from __future__ import annotations

from spikebench.candidate import Candidate
from spikebench.record.trials import Trials
from spikebench.report.column import NOTHING, Column, count
from spikebench.report.layout import Count, Layout, ScreenColumn
from spikebench.report.message_requirement import judge
from spikebench.report.missing import missing
from spikebench.report.plot import drawings
from spikebench.report.requirement import Judgement
from spikebench.report.screen import against, measured, named, required, trials
from spikebench.report.table import Row
from spikebench.report.wording import Footnotes
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.model import Scenario

COLUMNS = (
    Column("throughput", "throughput msg/s"),
    Column("throughput_bytes", "throughput MB/s"),
    Column("capacity", "capacity msg/s", fixed=False),
    Column("headroom", "headroom ×", fixed=False),
    Column("drain_s", "drain s", fixed=False),
    Column("publish_p50", "publish p50 ms"),
    Column("publish_p95", "publish p95 ms"),
    Column("publish_p99", "publish p99 ms"),
    Column("publish_p999", "publish p99.9 ms"),
    Column("end_to_end_p50", "end-to-end p50 ms"),
    Column("end_to_end_p95", "end-to-end p95 ms"),
    Column("end_to_end_p99", "end-to-end p99 ms"),
    Column("end_to_end_p999", "end-to-end p99.9 ms"),
    Column("service_p50", "service p50 ms", fixed=False),
    Column("service_p99", "service p99 ms", fixed=False),
    Column("lateness_p99", "generator lateness p99 ms"),
    Column("broker_cpu_per_million", "broker CPU s per million msg"),
    Column("client_cpu_per_million", "client CPU s per million msg"),
    Column("broker_peak_memory", "server peak memory MB, whole life"),
    Column("startup", "server start-up s"),
)

HOW_TO_READ = (
    "Figures are medians over valid trials, beside them the 95 % interval of the geometric mean; "
    "n is the row's where none stands there. Bold leads its fidelity and target with a verdict "
    "behind it. `—` has its reason in a footnote, there or at the row's n. Lost, duplicated and "
    "reordered are counts over all valid trials, without noise. End-to-end is response time, from "
    "the intended send; publish is from send to confirm. Peak memory is the highest of the "
    "server's whole life, under every candidate and scenario it served: candidates on one server "
    "show the same figure."
)

LEFT_OUT = "p95, p99.9, MB/s, intervals, memory, start-up and more: in table.md and table.csv"


def _judge(scenario: Scenario, cell: Trials, candidate: Candidate | None) -> Judgement | None:
    if not isinstance(scenario, MessageScenario):
        return None
    if not scenario.requires.model_dump(exclude_none=True):
        return None
    return judge(scenario.requires, cell, candidate.capabilities if candidate else None)


def _refused(row: Row) -> list[str]:
    """That messages were refused, which the columns of the account cannot show."""
    refused = row.cell.total("failed")
    if not refused:
        return []
    return [f"{refused:,} messages refused: neither confirmed nor counted as lost"]


def _unordered(row: Row) -> list[str]:
    """That an order was counted which nobody asked for."""
    if not isinstance(row.scenario, MessageScenario) or row.scenario.promise.ordering != "none":
        return []
    if not row.cell.total("reordered"):
        return []
    return ["no order was asked for: counted over all that each consumer got, whatever its key"]


def _name(row: Row, notes: Footnotes) -> str:  # noqa: ARG001 - a Fill
    return named(f"{row.cell.candidate} {row.cell.client}", row)


def _account(row: Row, notes: Footnotes) -> str:
    counts = [row.cell.total(name) for name in ("lost", "duplicated", "reordered")]
    if counts[0] is None:
        return NOTHING
    lost, *others = (count(value) for value in counts)
    account = "/".join([f"[red]{lost}[/]" if counts[0] else lost, *others])
    return account + notes.mark(*_refused(row), *_unordered(row))


def _cpu(row: Row, notes: Footnotes) -> str:
    parts = ("broker_cpu_per_million", "client_cpu_per_million")
    if not any(part in row.intervals for part in parts):
        return NOTHING + notes.mark(*missing(row, parts[0]))
    return "+".join(_whole(row, part) for part in parts)


def _whole(row: Row, metric: str) -> str:
    """Whole seconds, in at most four characters: two of them fit the column."""
    found = row.intervals.get(metric)
    if found is None:
        return NOTHING
    return f"{found.median:.0f}" if found.median < 9999.5 else f"{found.median / 1000:.0f}k"


def _figure(metric: str, header: str, width: int, over: ScreenColumn | None = None) -> ScreenColumn:
    """A metric's column, which gives way to ``over`` where a scenario is about that."""
    return ScreenColumn(header, width, measured(metric, width), metric, instead=over)


CAPACITY = _figure("capacity", "capac.\nmsg/s", 7)
DRAIN = _figure("drain_s", "drain\ns", 6)

SCREEN = (
    ScreenColumn("candidate, client", 21, _name, left=True),
    _figure("throughput", "rate\nmsg/s", 7, over=CAPACITY),
    _figure("publish_p99", "publ.\np99 ms", 6),
    _figure("end_to_end_p50", "e2e\np50 ms", 6, over=DRAIN),
    _figure("end_to_end_p99", "e2e\np99 ms", 6),
    ScreenColumn("lost/\ndup/reo", 7, _account),
    ScreenColumn("CPU s/M\nbrk+cl", 9, _cpu),
    ScreenColumn("against\nbaseline", 11, against),
    ScreenColumn("n", 4, trials),
    ScreenColumn("required,\nheadroom", 14, required, left=True),
)

LAYOUT = Layout(
    columns=COLUMNS,
    screen=SCREEN,
    how_to_read=HOW_TO_READ,
    left_out=LEFT_OUT,
    headline="end_to_end_p50",
    judge=_judge,
    drawings=drawings,
    counts=(Count("lost", _refused), Count("duplicated"), Count("reordered", _unordered)),
    limit=True,
)
