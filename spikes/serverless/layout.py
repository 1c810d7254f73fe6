"""The layout of tables about cold starts: their phases, what follows them, and what they take."""

from __future__ import annotations

from typing import get_args

from spikebench.candidate import Candidate
from spikebench.record.trials import Trials
from spikebench.report.column import Column
from spikebench.report.drawing import Drawing
from spikebench.report.layout import Layout, ScreenColumn
from spikebench.report.requirement import Judgement, at_most, judgement, unless_void, untried
from spikebench.report.screen import against, bound, bounded, measured, named, trials
from spikebench.report.source import is_read
from spikebench.report.table import Row, Table
from spikebench.report.wording import Footnotes
from spikebench.scenario.model import Scenario
from spikes.serverless.beside import COST, bills, complete, tell, tell_money
from spikes.serverless.java.options import LAMBDA_LEVERS
from spikes.serverless.sandbox.upload import effective_flags
from spikes.serverless.scenario import ColdStart, Lever

COLUMNS = (
    Column("cold_start", "cold start ms"),
    Column("runtime_up", "runtime up ms"),
    Column("init", "init ms"),
    Column("restore", "restore ms", fixed=False),
    Column("first_invoke", "first invoke ms"),
    Column("warm_p50", "warm p50 ms"),
    Column("warm_p99", "warm p99 ms"),
    Column("invokes_until_warm", "invokes until warm"),
    Column("round_trip", "round trip of the cold start ms", fixed=False),
    Column("peak_memory", "peak memory MB"),
    Column("cpu_cold", "CPU of the cold start s"),
    Column("cpu", "CPU s", fixed=False),
    Column("classes_loaded", "classes loaded", fixed=False),
    Column("package_size", "package MB"),
    Column("cost_per_million", "USD per million", fixed=False),
)

HOW_TO_READ = (
    "Figures are medians over valid trials, each of them a process of its own, beside them the "
    "95 % interval of the geometric mean; n is the row's where none stands there. Bold leads its "
    "memory size, fidelity and target, over all runtimes and levers, with a verdict behind it. `—` "
    "has its reason in a footnote, there or at the row's n. Runtime up: from the start of the "
    "process to the first thing that the function's own code does. Init: from there to the first "
    "call for an event. First invoke: from that event to its answer. Their sum, and the moment in "
    "which the event is handed over, is the cold start as a caller sees it; warm are the invokes "
    "once they have become steady. MB are of 2²⁰ bytes. What software on one machine cannot show, "
    "and the service adds: placing the function, fetching its package, starting its microVM."
)

LEFT_OUT = (
    "figures: medians, the interval is of the mean; p99, CPU, classes, size: in table.md, table.csv"
)

BEYOND = (
    "its init phase is beyond the 10 s of Lambda's, which would start it again in the first invoke"
)

ANALOGUE = "restored from a snapshot of its process: an analogue of SnapStart, not SnapStart"


REPORTED = (
    "as Lambda reports it: init begins with the runtime's own start; whether files were in a cache "
    "is not known"
)

OWN_FLAGS = (
    "Lambda's own flags and runtime, {flags}: the local lever `lambda-flags` has the same flags"
)

SAME_FLAGS = "Lambda stops at C1 by itself: here the same thing as `baseline`"

AS_LAMBDA = "flags as Lambda sets them by itself: the counterpart of `baseline` in a sandbox"


def _judge(scenario: Scenario, cell: Trials, candidate: Candidate | None) -> Judgement | None:  # noqa: ARG001 - a Judge
    if not isinstance(scenario, ColdStart) or scenario.requires.cold_start_ms is None:
        return None
    if not cell.valid:
        return judgement([untried(cell)])
    limit_ms = scenario.requires.cold_start_ms
    clause = at_most("cold_start", limit_ms, f"{limit_ms:,g} ms", cell)
    return judgement([unless_void(clause, cell)])


def _drawings(table: Table) -> list[Drawing]:
    from spikebench.report.ratios import of_ratios
    from spikes.serverless.plots import drawings

    return [*drawings(table), *of_ratios(table)]


def _remarks(row: Row) -> list[str]:
    """What a row's figures stand for, and under which conditions they came about."""
    restored = [ANALOGUE] if _lever(row) == "snapshot" else []
    return [
        *restored,
        *_stand_in(row),
        *_flags(row),
        *_unconfined(row),
        *_beyond_lambda(row),
        *_marked(row),
    ]


def _marked(row: Row) -> list[str]:
    """Which of its prices may not hold, and why."""
    cost = row.cell.metrics.get(COST)
    return [f"cost: {cost.note}"] if cost and cost.value is not None and cost.note else []


def _stand_in(row: Row) -> list[str]:
    """That its image is not AWS's but one made in its likeness."""
    made_of = row.cell.first.versions.get("stand-in", "")
    return [f"not AWS's image: a stand-in of {made_of}"] if made_of else []


def _flags(row: Row) -> list[str]:
    """Which flags Lambda has set by itself, there or here in its manner."""
    lever, name = _lever(row), row.cell.candidate
    if not row.cell.valid:
        return []
    if row.cell.target != "sandbox":
        return [AS_LAMBDA] if lever in LAMBDA_LEVERS else []
    flags = effective_flags(name.replace("-", ""), lever)
    if lever == "c1" and flags == effective_flags(name.replace("-", ""), "baseline"):
        return [REPORTED, SAME_FLAGS]
    return [REPORTED, *([OWN_FLAGS.format(flags=flags)] if flags and lever == "baseline" else [])]


def _lever(row: Row) -> str:
    return str(dict(row.cell.params).get("lever", ""))


def _unconfined(row: Row) -> list[str]:
    """That it had more or less of a processor than its size gives it."""
    share = row.cell.metrics.get("cpu_share")
    if share is None:
        return []
    if share.value is None:
        return [f"not held to its share of a processor: {share.note}"]
    _, _, shortfall = share.note.partition("; ")
    return [shortfall] if shortfall else []


def _beyond_lambda(row: Row) -> list[str]:
    """That a trial's init phase was longer than Lambda's may be, as its note says."""
    inits = (trial.metrics.get("init") for trial in row.cell.valid)
    beyond = any(init.note for init in inits if init and init.value is not None)
    return [BEYOND] if beyond and not is_read(row.cell) else []


def _name(row: Row, notes: Footnotes) -> str:
    name = " ".join([row.cell.candidate, *filter(None, LAYOUT.chosen(row.cell.params))])
    return named(name, row) + notes.mark(*_remarks(row))


WARM_WIDTH = 5


def _warm(row: Row, notes: Footnotes) -> str:
    """Milliseconds to the microsecond, which fits the column."""
    found = row.intervals.get("warm_p50")
    if found is None or found.median >= 0.1:
        return measured("warm_p50", WARM_WIDTH)(row, notes)
    text = f"{found.median:.3f}"
    return f"[bold]{text}[/]" if "warm_p50" in row.best else text


def _figure(metric: str, header: str, width: int) -> ScreenColumn:
    return ScreenColumn(header, width, measured(metric, width))


SCREEN = (
    ScreenColumn("runtime, lever", 20, _name, left=True),
    _figure("runtime_up", "up\nms", 5),
    _figure("init", "init\nms", 6),
    _figure("first_invoke", "first\nms", 6),
    _figure("cold_start", "cold\nms", 6),
    ScreenColumn("95 %\ninterval", 13, bounded("cold_start")),
    ScreenColumn("warm\nms", WARM_WIDTH, _warm),
    _figure("peak_memory", "peak\nMB", 5),
    ScreenColumn("against\nbaseline", 11, against),
    ScreenColumn("n", 3, trials),
    ScreenColumn("required", 10, bound, left=True),
)

LAYOUT = Layout(
    columns=COLUMNS,
    screen=SCREEN,
    how_to_read=HOW_TO_READ,
    left_out=LEFT_OUT,
    headline="cold_start",
    judge=_judge,
    drawings=_drawings,
    alternatives={"lever": get_args(Lever)},
    settings=("memory_mb", "page_cache"),
    remarks=_remarks,
    complete=complete,
    tell=tell,
    money=tell_money,
    bills=bills,
)
