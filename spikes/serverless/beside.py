"""What stands beside measured cold starts: what they cost, and what others have published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from statistics import fmean

from spikebench.cost import Offers, PriceBook, Priced, read_prices
from spikebench.errors import SpikebenchError
from spikebench.measure.outcome import Metric
from spikebench.record.model import Record
from spikebench.report.source import is_read
from spikebench.report.table import Row, Section
from spikebench.scenario.model import Scenario
from spikes.serverless.agreement import agreement
from spikes.serverless.cost import (
    MILLION,
    Measured,
    break_even,
    cost_per_million,
    fargate_month,
    lambda_month,
    share_of_cold_starts,
)
from spikes.serverless.pattern import Pattern, read_pattern
from spikes.serverless.published import Wanted, read_published, records
from spikes.serverless.scenario import ColdStart

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PRICES = SCENARIOS / "prices" / "eu-west-2.yaml"
PATTERN = SCENARIOS / "serverless" / "patterns" / "api.yaml"

COST = "cost_per_million"
UNIT = "USD"
PUBLISHED_HANDLER = "hello"
"""The kind of handler that published cold starts are of."""

NOT_DEPLOYED = frozenset({"in-process"})
"""Handlers that are no answer to what a function costs."""

OF_SNAPSHOT = "SnapStart has prices of its own for what a restore takes: --target sandbox"


def complete(measured: Sequence[Record], scenarios: Mapping[str, Scenario]) -> Sequence[Record]:
    """Return a run's records with what each trial would cost, and published rows beside them."""
    book = _book_of(measured)
    costed = [
        record for trials in _by_cell(measured) for record in _costed(trials, scenarios, book)
    ]
    return [*costed, *_published(measured, scenarios)]


def tell(section: Section) -> list[str]:
    """Say how far local order can be trusted."""
    return list(_agreement(section.rows))


def tell_money(section: Section) -> list[str]:
    """Say from which load on Fargate gets cheaper."""
    return list(_break_evens(section))


def bills(section: Section) -> list[Priced]:
    """Return what each function of a section costs, term by term, and Fargate all day."""
    scenario = section.scenario
    if not isinstance(scenario, ColdStart):
        return []
    rows = [row for row in section.rows if COST in row.intervals and not is_read(row.cell)]
    books = [(row, _book_of(row.cell.records)) for row in rows]
    found = [
        _priced(row.cell.first, whole, book)
        for row, book in books
        if (whole := _measured(row.cell.valid, scenario)) is not None
    ]
    return [*found, _on_fargate(books[0][1])] if found else []


def pricing(
    measured: Sequence[Record], scenarios: Mapping[str, Scenario], asked: str | None
) -> Offers:
    """Return what each measured function costs, all its trials together, and Fargate all day.

    A month and a million invocations, of every handler that would be deployed, or of the scenario
    asked for; empty without a run.
    """
    found: list[Priced] = []
    turning: dict[str, str] = {}
    for trials in sorted(_by_cell(measured), key=_place):
        valid = [trial for trial in trials if trial.status == "valid" and not trial.arm]
        scenario = scenarios.get(trials[0].scenario)
        if not valid or asked not in (None, trials[0].scenario):
            continue
        if not isinstance(scenario, ColdStart) or scenario.handler in NOT_DEPLOYED:
            continue
        whole = _measured(valid, scenario)
        if whole is not None and _lever(valid[0]) != "snapshot":
            found.append(_priced(valid[0], whole, _book()))
            if _is_plain(valid[0], scenario) and scenario.scenario not in turning:
                turning[scenario.scenario] = _turning(valid[0], whole, found[-1], scenario)
    if not found:
        return Offers(())
    return Offers((*found, _on_fargate(_book())), tuple(turning.values()))


def _place(trials: Sequence[Record]) -> tuple[object, ...]:
    """Where a cell is listed: by handler, memory (the scenario's own first), and name."""
    first = trials[0]
    memory_mb = int(first.params.get("memory_mb", 0))
    return first.scenario, memory_mb, first.candidate, _lever(first), first.cell


def _on_fargate(book: PriceBook) -> Priced:
    """The same calls served by tasks that run all day."""
    pattern = _pattern()
    whole = fargate_month(pattern, book)
    costs = {
        "a month": whole,
        "a million invocations": whole.times(MILLION / pattern.invocations_per_month),
    }
    tasks = pattern.fargate
    of_what = f"{tasks.tasks} tasks of {tasks.vcpu:g} vCPU and {tasks.memory_gb:g} GB"
    about = f"{of_what}; {pattern.title}; {book.region}"
    return Priced("fargate", "fargate", about, costs, of_what)


def _priced(first: Record, whole: Measured, book: PriceBook) -> Priced:
    pattern = _at_its_share(whole)
    said = {"lever", "memory_mb"}
    others = ", ".join(f"{k}={v}" for k, v in sorted(first.params.items()) if k not in said)
    of_what = f"{first.scenario}, {whole.memory_mb} MB{', ' if others else ''}{others}"
    whose = f"{pattern.title}; {book.region}; run {first.run_id}, {first.fidelity}"
    costs = {
        "a month": lambda_month(pattern, whole, book),
        "a million invocations": cost_per_million(pattern, whole, book),
    }
    name = f"{first.candidate} {_lever(first)}"
    return Priced(name, first.candidate, f"{of_what}; {whose}", costs, of_what)


def _book_of(measured: Iterable[Record]) -> PriceBook:
    """The prices for what a run has measured, judged by the day of its latest trial."""
    days = [date.fromisoformat(trial.started_at[:10]) for trial in measured]
    return _prices().beside_a_run(max(days, default=date.min))


def _by_cell(measured: Iterable[Record]) -> Iterable[list[Record]]:
    cells: dict[tuple[str, str, str], list[Record]] = {}
    for record in measured:
        cells.setdefault((record.run_id, record.cell, record.arm), []).append(record)
    return cells.values()


def _costed(
    trials: Sequence[Record], scenarios: Mapping[str, Scenario], book: PriceBook
) -> Iterator[Record]:
    """The trials of a cell with their cost; the share of cold starts is the whole cell's."""
    scenario = scenarios.get(trials[0].scenario)
    valid = [trial for trial in trials if trial.status == "valid"]
    if not valid or not isinstance(scenario, ColdStart) or scenario.handler in NOT_DEPLOYED:
        yield from trials
        return
    whole = _measured(valid, scenario)
    if whole is None or _lever(trials[0]) == "snapshot":
        withheld = Metric(value=None, unit=UNIT, better="lower", note=OF_SNAPSHOT)
        for trial in trials:
            yield _with_cost(trial, withheld) if trial.status == "valid" else trial
        return
    pattern = _at_its_share(whole)
    for trial in trials:
        alone = _measured([trial], scenario) if trial.status == "valid" else None
        yield trial if alone is None else _with_cost(trial, _cost(pattern, alone, book))


def _with_cost(trial: Record, cost: Metric) -> Record:
    return trial.model_copy(update={"metrics": {**trial.metrics, COST: cost}})


def _cost(pattern: Pattern, measured: Measured, book: PriceBook) -> Metric:
    found = cost_per_million(pattern, measured, book)
    note = "; ".join(found.unpriced or found.marks)
    return Metric(value=found.total, unit=UNIT, better="lower", note=note)


def _at_its_share(measured: Measured) -> Pattern:
    share = share_of_cold_starts(_pattern(), measured).share
    return _pattern().model_copy(update={"cold_share": share})


def _measured(trials: Sequence[Record], scenario: ColdStart) -> Measured | None:
    """What is billed of some trials of a cell: INIT is all from the start to the first call."""
    phases = [_phases(trial) for trial in trials]
    known = [both for both in phases if both is not None]
    warm = [ms for trial in trials for ms in trial.series.get("invoke_ms", [])[1:]]
    if not warm or len(known) < len(phases):
        return None
    memory_mb = int(trials[0].params.get("memory_mb", scenario.memory_mb))
    return Measured(
        memory_mb=memory_mb,
        init_ms=tuple(init for init, _ in known),
        first_ms=tuple(first for _, first in known),
        warm_ms=tuple(warm),
        snapstart="java" if _lever(trials[0]) == "snapstart" else "",
    )


def _phases(trial: Record) -> tuple[float, float] | None:
    """INIT as Lambda bills it and the first invoke, in ms; None where one was not seen.

    Under SnapStart the billed part of a restore stands for INIT.
    """
    if _lever(trial) == "snapstart":
        restore, first = _value(trial, "billed_restore"), _value(trial, "first_invoke")
        return None if restore is None or first is None else (restore, first)
    up, init, first = (_value(trial, name) for name in ("runtime_up", "init", "first_invoke"))
    if init is None or first is None:
        return None
    return init + (up or 0.0), first


def _value(trial: Record, metric: str) -> float | None:
    found = trial.metrics.get(metric)
    return found.value if found else None


def _lever(trial: Record) -> str:
    return str(trial.params.get("lever", "baseline"))


def _published(measured: Sequence[Record], scenarios: Mapping[str, Scenario]) -> Iterator[Record]:
    """A published row for each measured cell of the published handler that has one."""
    for trials in _by_cell(measured):
        first, scenario = trials[0], scenarios.get(trials[0].scenario)
        if not isinstance(scenario, ColdStart) or scenario.handler != PUBLISHED_HANDLER:
            continue
        if first.arm or first.target == "published":
            continue
        wanted = Wanted(
            candidate=first.candidate,
            memory_mb=int(first.params.get("memory_mb", scenario.memory_mb)),
            lever=_lever(first),
            version=_version(trials),
            params=first.params,
        )
        yield from records(
            read_published(),
            [wanted],
            run_id=first.run_id,
            scenario=first.scenario,
            started_at=first.started_at,
        )[0]


def _version(trials: Sequence[Record]) -> str:
    """The version of the language's own runtime; empty where no trial tells it."""
    language = trials[0].candidate.partition("-")[0]
    return next((t.versions[language] for t in trials if language in t.versions), "")


def _agreement(rows: Sequence[Row]) -> Iterator[str]:
    published = _baselines(rows, "published")
    if published:
        yield agreement(_baselines(rows, "software"), published).words


def _baselines(rows: Sequence[Row], fidelity: str) -> dict[str, float]:
    """The median cold start of each candidate's plain function, in ms."""
    return {
        row.cell.candidate: row.intervals["cold_start"].median
        for row in rows
        if row.cell.fidelity == fidelity
        and dict(row.cell.params).get("lever", "baseline") == "baseline"
        and "cold_start" in row.intervals
    }


def _break_evens(section: Section) -> Iterator[str]:
    """The break-even of what other rows are held against."""
    scenario = section.scenario
    if not isinstance(scenario, ColdStart):
        return
    own = [
        row
        for row in section.rows
        if row.cell.candidate == scenario.analysis.baseline and COST in row.intervals
    ]
    plain = [row for row in own if _is_plain(row.cell.first, scenario)]
    for row in plain[:1]:
        yield _break_even(row, scenario)


def _is_plain(first: Record, scenario: ColdStart) -> bool:
    """Whether a cell is that which others are held against."""
    return first.candidate == scenario.analysis.baseline and _lever(first) == "baseline"


def _break_even(row: Row, scenario: ColdStart) -> str:
    measured = _measured(row.cell.valid, scenario)
    assert measured is not None, "a row with a cost was measured"
    usd = fmean(row.cell.values(COST))
    return _turns(row.cell.first, measured, usd, _book_of(row.cell.records))


def _turning(first: Record, whole: Measured, priced: Priced, scenario: ColdStart) -> str:
    usd = priced.costs["a million invocations"].known
    return f"{scenario.scenario}: {_turns(first, whole, usd, _book())}"


def _turns(first: Record, measured: Measured, usd: float, book: PriceBook) -> str:
    """What a function costs, and from which load on Fargate is cheaper."""
    pattern = _pattern()
    share = share_of_cold_starts(pattern, measured).share
    said = (
        f"Cost model ({pattern.title}; {book.region}): {first.candidate} {_lever(first)} has "
        f"{share:.2%} cold starts and costs {usd:.3g} USD a million invocations"
    )
    try:
        return f"{said}; {break_even(pattern, measured, book).words}"
    except SpikebenchError as error:
        return f"{said}; no break-even: {error}"


def _book() -> PriceBook:
    return _prices().on(date.today())


@cache
def _prices() -> PriceBook:
    return read_prices(PRICES)


@cache
def _pattern() -> Pattern:
    return read_pattern(PATTERN)
