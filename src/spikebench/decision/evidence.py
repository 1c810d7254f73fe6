"""Which rows of the table speak for an option, and which of their figures may count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spikebench.candidate import Candidate, Fidelity
from spikebench.decision.fault import EMULATED_FAULT
from spikebench.decision.model import Measured, Option, Params
from spikebench.decision.scale import fits
from spikebench.report.source import is_read
from spikebench.report.table import FIDELITIES, Row, Table
from spikebench.stats.comparison import FEWEST_TRIALS
from spikebench.stats.pair import EMULATED

EMULATED_COUNT = "an emulator's counts speak for no service"


@dataclass(frozen=True)
class Figure:
    """What a row says of one metric for an option, a value a trial; or why it does not count.

    ``missing`` is that reason, empty where the ``values`` count. ``row`` is None where there is
    none.
    """

    row: Row | None
    values: tuple[float, ...] = ()
    missing: str = ""

    @property
    def fidelity(self) -> Fidelity | None:
        """What the row can prove; None where there is no row."""
        return self.row.cell.fidelity if self.row else None


def is_fault(row: Row) -> bool:
    """Whether something breaks in the middle of a row's trials."""
    return row.scenario is not None and row.scenario.breaks


def rows_of(
    table: Table, option: Option, scenario: str, params: Params, known: Mapping[str, Candidate]
) -> list[Row]:
    """An option's rows of a scenario: of the strongest fidelity, each of the latest run.

    An emulator's rows stand in where it was given other parameters than the others: they say
    nothing of the service's speed with either.
    """
    candidate = option.candidate_in(scenario)
    sections = [section for section in table.sections if section.name == scenario]
    mine = [row for section in sections for row in section.rows if _is_of(row, candidate)]
    mine = _of_client(mine, option.client, known.get(candidate or ""))
    wanted = {name: str(value) for name, value in {**option.params, **params}.items()}
    had = [row for row in mine if wanted.items() <= _params(row, table).items()]
    return _latest(_strongest(had or [r for r in mine if r.cell.fidelity == "emulator"]), table)


def _params(row: Row, table: Table) -> dict[str, str]:
    """What was swept, and the settings of the scenario that the layout shows as if they were."""
    return dict(table.layout.told(row)) | dict(row.cell.params)


def _is_of(row: Row, candidate: str | None) -> bool:
    return row.cell.candidate == candidate and not is_read(row.cell)


def _of_client(rows: Sequence[Row], chosen: str | None, candidate: Candidate | None) -> list[Row]:
    order = [chosen] if chosen else list(candidate.client_names if candidate else [])
    for client in order:
        found = [row for row in rows if row.cell.client == client]
        if found:
            return found
    return [] if chosen else list(rows)


def _strongest(rows: Sequence[Row]) -> list[Row]:
    found = [FIDELITIES.index(row.cell.fidelity) for row in rows]
    return [row for row, place in zip(rows, found, strict=True) if place == min(found)]


def _latest(rows: Sequence[Row], table: Table) -> list[Row]:
    """Of the rows with the same parameters, those of the latest run, or that it adds to."""
    places = [max(map(table.run_ids.index, row.cell.run_ids)) for row in rows]
    pairs = list(zip(rows, places, strict=True))
    latest = {row.cell.params: at for row, at in sorted(pairs, key=lambda pair: pair[1])}
    return [row for row, at in pairs if at == latest[row.cell.params]]


def figure_of(rows: Sequence[Row], asked: Measured) -> Figure:
    """What an option's rows say of a metric.

    Fewer than 6 valid trials say nothing, but for what was counted without noise; an emulator's
    rows say nothing of the service. Where something breaks, it takes 6 trials of a count too,
    and all of them have to know it; an emulator says nothing at all then. Raises ValueError where
    several rows fit, with their parameters in the message.
    """
    if not rows:
        return Figure(None, missing="no such row in this run")
    if len(rows) > 1:
        raise ValueError("; ".join(row.params or row.cell.target for row in rows))
    row = rows[0]
    values = tuple(row.cell.values(asked.metric))
    why = _why_missing(row, asked, values)
    return Figure(row, () if why else values, why)


def _why_missing(row: Row, asked: Measured, values: Sequence[float]) -> str:
    cell = row.cell
    metric = cell.metrics.get(asked.metric)
    if cell.fidelity == "emulator" and is_fault(row):
        return EMULATED_FAULT
    if not cell.valid:
        return "; ".join(cell.reasons) or "no valid trial"
    counted = metric is not None and metric.noise_free
    if cell.fidelity == "emulator":
        return EMULATED_COUNT if counted else EMULATED
    if metric is None or not values:
        return (metric.note if metric else "") or f"{asked.metric} was not measured"
    if metric.unit != asked.unit:
        return f"{asked.metric} is in {metric.unit}, the criterion in {asked.unit}"
    if len(values) < FEWEST_TRIALS and (is_fault(row) or not counted):
        return f"{len(values)} of {FEWEST_TRIALS} trials that it takes"
    if is_fault(row) and len(values) < (trials := len(cell.valid)):
        return f"{asked.metric} is not known of {trials - len(values)} of {trials} trials"
    if len(cell.machines) > 1 or len(cell.workloads) > 1:
        return "its trials are of different machines or workloads"
    if not all(fits(value, asked) for value in values):
        return "a value of 0 or below has no place on a log scale"
    return ""


def comparable(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Take out figures that may not be compared with the others: another fidelity or machine.

    Those that most options have stay; of as many the stronger fidelity.
    """
    kinds = {name: _kind(one) for name, one in figures.items() if one.values}
    if len(set(kinds.values())) < 2:
        return dict(figures)
    counts = Counter(kinds.values())
    kept = min(counts, key=lambda kind: (-counts[kind], FIDELITIES.index(kind[0]), kind))
    return {
        name: one
        if kinds.get(name, kept) == kept
        else replace(one, values=(), missing=_apart(kinds[name], kept))
        for name, one in figures.items()
    }


def _kind(one: Figure) -> tuple[str, tuple[str, ...]]:
    assert one.row is not None, "values come from a row"
    return one.row.cell.fidelity, tuple(sorted(one.row.cell.machines))


def _apart(mine: tuple[str, tuple[str, ...]], others: tuple[str, tuple[str, ...]]) -> str:
    if mine[0] != others[0]:
        return f"no comparison across fidelities: {mine[0]} here, {others[0]} for the others"
    return "measured on another machine than the others"
