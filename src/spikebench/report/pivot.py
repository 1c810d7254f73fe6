"""A table turned to a question: chosen metrics, rows grouped as asked, several runs side by side.

Trials of different cells are never pooled: a group of several shows the range of their medians, and
what was hidden by the grouping is said. Fidelity always tells rows apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from spikebench.errors import UsageError
from spikebench.record.trials import COUNTED, Trials
from spikebench.report import pace, wording
from spikebench.report.column import NOTHING, beside, figure
from spikebench.report.layout import Layout
from spikebench.report.missing import missing
from spikebench.report.remarks import remarks
from spikebench.report.source import is_read
from spikebench.report.table import Row, Table
from spikebench.stats import Interval, fingerprint

WHOLE = ("scenario", "candidate", "client", "target")
"""Names of what tells cells apart beside fidelity and parameters."""

FIDELITY, PARAMS = "fidelity", "params"


@dataclass(frozen=True)
class Figure:
    """What one place shows: medians of its cells, an interval where it is one cell's.

    ``leads`` is whether a verdict supports that it is the best of its run. Of what was counted,
    message by message, it shows the ``total`` over all ``trials``: a median would hide a loss.
    """

    medians: tuple[float, ...]
    interval: Interval | None = None
    leads: bool = False
    total: int | None = None
    trials: int = 0

    @property
    def order(self) -> float | None:
        """What it is sorted by; None where there is nothing."""
        return self.total if self.total is not None else min(self.medians, default=None)

    @property
    def text(self) -> str:
        """The median with its 95 % interval and n, or the range of several medians, or a total."""
        if not self.medians:
            return NOTHING
        if self.total is not None:
            return f"{self.total:,} in {self.trials} trial{'' if self.trials == 1 else 's'}"
        if self.interval is None:
            ends = f"{figure(min(self.medians))}–{figure(max(self.medians))}"
            return f"{ends} ({len(self.medians)} cells)"
        return f"{figure(self.interval.median)} {beside(self.interval)}"


@dataclass(frozen=True)
class Measure:
    """A column: a metric of a run; ``run`` is empty where there is one run only."""

    metric: str
    unit: str
    run: str = ""

    @property
    def header(self) -> str:
        """Metric, unit and run."""
        unit = f" {self.unit}" if self.unit and self.unit not in ("ratio", "messages") else ""
        return f"{self.metric}{unit}" + (f", {self.run}" if self.run else "")


@dataclass(frozen=True)
class Line:
    """A row: what tells it apart, its figures in the order of columns, and what to know of it.

    ``words`` stand under the pivot's ``words``.
    """

    keys: tuple[str, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pivot:
    """Rows under ``keys`` and ``measures``; ``notes`` are of them all.

    ``words`` are headers of what is said of each row, where each is a cell of one run.
    """

    spike: str
    runs: tuple[str, ...]
    keys: tuple[str, ...]
    measures: tuple[Measure, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass
class _Group:
    cells: dict[str, list[Row]] = field(default_factory=dict)
    """Rows by run."""

    @property
    def rows(self) -> list[Row]:
        return [row for rows in self.cells.values() for row in rows]


def pivot(tables: Sequence[Table], metrics: Sequence[str] = (), by: Sequence[str] = ()) -> Pivot:
    """Return the tables of some runs as one.

    ``metrics`` are columns, else the ones that scenarios declare; ``by`` are names that rows are
    grouped by (``scenario``, ``candidate``, ``client``, ``target``, or a parameter), else every
    cell is a row. Raises UsageError for a metric or a name that no row has.
    """
    rows = [row for table in tables for row in _rows(table)]
    chosen = list(metrics) or _declared(tables)
    _refuse_unknown(metrics, _metrics(rows), "--metric")
    _refuse_unknown(by, {*WHOLE, *_params(rows)}, "--by")
    keys = (*by, FIDELITY) if by else (*WHOLE, FIDELITY, PARAMS)
    runs = [_named(table) for table in tables if table.run_ids]
    several = len(runs) > 1
    measures = [
        Measure(name, _metrics(rows).get(name, ""), run if several else "")
        for name in chosen
        for run in (runs or [""])
    ]
    groups = _grouped(tables, keys)
    layout = tables[0].layout if tables else None
    return Pivot(
        spike=next((table.spike for table in tables if table.spike), ""),
        runs=tuple(runs),
        keys=keys,
        measures=tuple(measures),
        lines=tuple(_line(key, group, measures, layout) for key, group in groups.items()),
        notes=(*_of_runs(tables), *_hidden(groups.values(), keys, several)),
    )


def _declared(tables: Iterable[Table]) -> list[str]:
    """The metrics that the scenarios of the tables declare; the spike's own where none does."""
    found = [
        section.scenario.analysis.metric
        for table in tables
        for section in table.sections
        if section.scenario is not None
    ]
    return list(dict.fromkeys(found)) or [table.layout.headline for table in tables][:1]


def _metrics(rows: Iterable[Row]) -> dict[str, str]:
    """Every metric's unit."""
    return {name: metric.unit for row in rows for name, metric in row.cell.metrics.items()}


def _params(rows: Iterable[Row]) -> set[str]:
    return {name for row in rows for name, _ in row.cell.params}


def _refuse_unknown(asked: Iterable[str], known: Iterable[str], option: str) -> None:
    names = sorted(known)
    for name in asked:
        if names and name not in names:
            raise UsageError(f"{option} {name}: there are {', '.join(names)}")


def _rows(table: Table) -> list[Row]:
    return [row for section in table.sections for row in section.rows]


def _named(table: Table) -> str:
    """The run that a table is of; all of them where it is of several of faults."""
    return ", ".join(table.run_ids)


def _grouped(tables: Iterable[Table], keys: Sequence[str]) -> dict[tuple[str, ...], _Group]:
    found: dict[tuple[str, ...], _Group] = {}
    for table in tables:
        run = _named(table)
        for section in table.sections:
            for row in section.rows:
                group = found.setdefault(key_of(row.cell, keys), _Group())
                group.cells.setdefault(run, []).append(row)
    return found


def key_of(cell: Trials, keys: Sequence[str]) -> tuple[str, ...]:
    """Return what tells a cell's row apart under ``keys``."""
    return tuple(_value(cell, name) for name in keys)


def _value(cell: Trials, name: str) -> str:
    if name == PARAMS:
        return wording.params(cell.params) or NOTHING
    if name == FIDELITY or name in WHOLE:
        return str(getattr(cell, name)) or NOTHING
    return dict(cell.params).get(name, NOTHING)


def _line(
    key: tuple[str, ...], group: _Group, measures: Sequence[Measure], layout: Layout | None
) -> Line:
    figures = tuple(
        _figure(group.cells.get(m.run, []) if m.run else group.rows, m.metric) for m in measures
    )
    notes = [note for row in group.rows for note in remarks(row, layout)] if layout else []
    withheld = [note for m in measures for note in _withheld(group, m)]
    return Line(key, figures, tuple(dict.fromkeys([*notes, *withheld])))


def _withheld(group: _Group, measure: Measure) -> Iterator[str]:
    """Why a row has no figure under a measure, or a cell of it has not."""
    rows = group.cells.get(measure.run, []) if measure.run else group.rows
    if not rows:
        yield f"run {measure.run} did not measure it"
    for row in rows:
        yield from (f"{measure.metric}: {why}" for why in missing(row, measure.metric))


def _figure(rows: Sequence[Row], metric: str) -> Figure:
    having = [row for row in rows if metric in row.intervals]
    medians = tuple(row.intervals[metric].median for row in having)
    if having and having[0].cell.metrics[metric].unit == COUNTED:
        each = [value for row in having for value in row.cell.values(metric)]
        return Figure(medians, total=int(sum(each)), trials=len(each))
    if len(having) != 1:
        return Figure(medians)
    return Figure(medians, having[0].intervals[metric], metric in having[0].best)


def _of_runs(tables: Sequence[Table]) -> Iterator[str]:
    """What each run's table warns of, and that runs were made on different machines."""
    for table in tables:
        run = f"run {_named(table)}: " if len(tables) > 1 and table.run_ids else ""
        yield from (f"warning: {run}{warning}" for warning in table.warnings)
    machines = {
        _named(table): ", ".join(sorted(_machines(table))) for table in tables if table.run_ids
    }
    if len(set(machines.values())) > 1:
        said = "; ".join(f"{run} on {where or 'an unknown one'}" for run, where in machines.items())
        yield f"warning: the runs are of different machines ({said}): their numbers do not compare"
    of_runs = {_named(table): [row.cell for row in _rows(table)] for table in tables}
    yield from (f"warning: {said}" for said in pace.apart(of_runs))


def _machines(table: Table) -> set[str]:
    return {
        fingerprint(trial)
        for section in table.sections
        for row in section.rows
        if not is_read(row.cell)
        for trial in row.cell.records
        if trial.environment
    }


def _hidden(groups: Iterable[_Group], keys: Sequence[str], several: bool) -> Iterator[str]:
    """What varied within a row, and does not stand in it; workloads that differ between runs."""
    if PARAMS in keys:
        if several:
            yield from _other_workloads(groups)
        return
    varied: dict[str, set[str]] = {}
    for group in groups:
        for rows in group.cells.values():
            for name in [*WHOLE, *sorted(_params(rows))]:
                values = {_value(row.cell, name) for row in rows}
                if name not in keys and len(values) > 1:
                    varied.setdefault(name, set()).update(values)
    for name, values in varied.items():
        said = ", ".join(sorted(values, key=lambda text: (len(text), text)))
        yield f"hidden by the grouping: {name} ({said}); add --by {name} to tell them apart"


def _other_workloads(groups: Iterable[_Group]) -> Iterator[str]:
    for group in groups:
        asked = {frozenset(row.cell.workloads) for row in group.rows if row.cell.workloads}
        if len(asked) > 1:
            first = group.rows[0].cell
            yield (
                f"warning: {first.scenario}, {first.candidate} ({first.client}) was asked for "
                "different workloads by the runs: their numbers do not compare"
            )
