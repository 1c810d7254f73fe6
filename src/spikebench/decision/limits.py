"""The part of a record that says what it cannot show, and which run would."""

from __future__ import annotations

from collections.abc import Iterator

from spikebench.decision.assess import Assessment
from spikebench.decision.evidence import is_fault
from spikebench.decision.model import Option
from spikebench.decision.wording import foreign, own, run_of, run_that_shows
from spikebench.report.table import Row
from spikebench.stats.comparison import FEWEST_TRIALS

Lines = Iterator[str]


def limits(found: Assessment) -> Lines:
    """What this record cannot show, and the run that would."""
    yield "### What this cannot show"
    yield ""
    yield from (f"* {own(said)}" for said in found.decision.cannot_show)
    yield from (f"* **Warning.** {foreign(said)}" for said in found.table.warnings)
    yield from _emulated(found)
    yield from _few(found)


def _emulated(found: Assessment) -> Lines:
    """The sandbox runs that would show what an emulator cannot, an option each."""
    rows = [(name, row) for (name, _), row in found.rows.items() if _of_emulator(row)]
    by_option: dict[str, dict[str, None]] = {}
    for name, row in rows:
        if not is_fault(row):
            by_option.setdefault(name, {})[row.cell.scenario] = None
    if by_option:
        yield (
            "* An emulator stood in for the service below; its timings say nothing of AWS and were "
            "not counted. What would show it:"
        )
    for option in found.decision.options:
        if option.name in by_option:
            scenarios = by_option[option.name]
            said = run_that_shows(found.spike, option, scenarios, sandbox=True)
            yield f"  * {said}"
    if any(is_fault(row) for _, row in rows):
        yield (
            "* Nor does what an emulator did while something broke: it was counted for nobody and "
            "against nobody. No run here would show it, for nothing can be broken in a service "
            "from outside: what it survives is its provider's word."
        )


def _of_emulator(row: Row) -> bool:
    return row.cell.fidelity == "emulator"


def _few(found: Assessment) -> Lines:
    """The runs that would show what these have too little of: an option each, all faults in one."""
    broken: dict[str | None, None] = {}
    faults: dict[str, None] = {}
    for option in found.decision.options:
        wanting = dict.fromkeys(_wanting(found, option))
        breaking = [name for name in wanting if found.scenarios[name].breaks]
        broken |= dict.fromkeys(option.candidate_in(name) for name in breaking)
        faults |= dict.fromkeys(breaking)
        scenarios = [name for name in wanting if name not in breaking]
        if scenarios:
            said = run_that_shows(found.spike, option, scenarios, sandbox=False)
            yield f"* Not shown for want of trials. What may show it: {said}"
    if faults:
        command = run_of(found.spike, f"-m faults --trials {FEWEST_TRIALS}", broken, faults)
        yield f"* Not shown for want of trials of faults. What may show it: {command}."


def _wanting(found: Assessment, option: Option) -> Iterator[str]:
    """The scenarios of which more trials may tell more of an option."""
    if option.candidate is None:
        return
    rows = [row for (name, _), row in found.rows.items() if name == option.name]
    emulated = any(map(_of_emulator, rows))
    for scenario, row in [*_unheld(found, option), *_unscored(found, option)]:
        in_vain = emulated and found.scenarios[scenario].breaks
        if _may_tell(row) and not in_vain:
            yield scenario


def _unheld(found: Assessment, option: Option) -> Iterator[tuple[str, Row | None]]:
    held = found.held[option.name]
    return ((one.asked.scenario, one.row) for one in held if one.outcome == "not shown")


def _unscored(found: Assessment, option: Option) -> Iterator[tuple[str, Row | None]]:
    """What was to be measured and was not, whether or not a judged score stands in its place."""
    matrix = found.matrix
    if option not in matrix.options:
        return
    for entry, criterion in zip(
        matrix.column(matrix.options.index(option)), matrix.criteria, strict=True
    ):
        if entry.value is None and entry.figure is not None and criterion.measured is not None:
            yield criterion.measured.scenario, entry.figure.row


def _may_tell(row: Row | None) -> bool:
    """Whether more trials here may tell: there were none of it, or some, and no emulator's."""
    return row is None or (bool(row.cell.valid) and not _of_emulator(row))
