"""The parts of a record that say what it rests on: runs with digests, versions, machines, cost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from spikebench.decision.age import price_days
from spikebench.decision.assess import Assessment
from spikebench.decision.model import Option
from spikebench.decision.money import offered
from spikebench.decision.wording import foreign, grid, own
from spikebench.report.column import figure
from spikebench.report.table import Row
from spikebench.stats import fingerprint

Lines = Iterator[str]

COSTS = {"cost_per_million": "a million", "cost_per_month": "a month"}
"""The metrics that a spike has which is priced, and what they are of."""

RUN = re.compile(r"^\| (?P<run>\S+) \| \[[^\]]*\]\([^)]*\) \| `(?P<digest>[0-9a-f]{64})` \|")
"""A line of the evidence: a run and the SHA-256 of its record file."""


def evidence(found: Assessment) -> Lines:
    """The runs with their digests, the machines, and the versions of what ran."""
    yield "### Evidence"
    yield ""
    rows = [
        [
            run.run_id,
            f"[{found.spike.name}/runs/{run.path.name}](../{found.spike.name}/runs/{run.path.name})",
            f"`{run.digest}`",
            "faults" if run.faults else "measurements",
        ]
        for run in found.runs
    ]
    yield from grid(["run", "records", "SHA-256", "of"], rows)
    yield ""
    used = list(found.rows.values())
    fidelities = dict.fromkeys(row.cell.fidelity for row in used)
    yield f"* Fidelity: {', '.join(fidelities) or 'nothing was measured'}."
    yield from _machines(used)
    yield from _versions(used)


def _machines(used: list[Row]) -> Lines:
    machines = {fingerprint(row.cell.first): row.cell.first.environment for row in used}
    for mark, machine in sorted(machines.items()):
        said = [str(machine[name]) for name in ("cpu", "os", "kernel") if machine.get(name)]
        cores = [f"{machine['cores']} cores"] if machine.get("cores") else []
        yield f"* Machine `{mark or 'unknown'}`: {foreign(', '.join([*said, *cores]))}."


def _versions(used: list[Row]) -> Lines:
    """What ran in the rows that were used; a line a run where two runs did not have the same."""
    ran: dict[str, dict[str, dict[str, str]]] = {}
    for row in used:
        by_run = ran.setdefault(f"{row.cell.candidate} ({row.cell.client})", {})
        for trial in row.cell.records:
            by_run.setdefault(trial.run_id, {}).update(trial.versions)
    for who, by_run in ran.items():
        told = {run: _told(versions) for run, versions in by_run.items() if versions}
        if len(set(told.values())) > 1:
            yield from (f"* {foreign(who)}, {run}: {said}." for run, said in told.items())
        else:
            yield f"* {foreign(who)}: {next(iter(told.values()), 'versions not recorded')}."


def _told(versions: Mapping[str, str]) -> str:
    return foreign(", ".join(f"{name} {version}" for name, version in sorted(versions.items())))


def cost(found: Assessment) -> Lines:
    """What each option costs where the spike prices it; never zero for what is not priced."""
    yield "### Cost"
    yield ""
    priced = [_priced(found, option) or offered(found, option) for option in found.decision.options]
    for option, lines in zip(found.decision.options, priced, strict=True):
        if lines:
            yield from (f"* {own(option.title)}: {line}." for line in lines)
        else:
            yield f"* {own(option.title)}: not priced."
    days = price_days(found)
    if days:
        yield f"* The prices are of: {days}."


def _priced(found: Assessment, option: Option) -> list[str]:
    rows = [row for (name, _), row in found.rows.items() if name == option.name]
    return [_cost(row) for row in rows if COSTS.keys() & row.cell.metrics.keys()]


def _cost(row: Row) -> str:
    workload = foreign(", ".join(filter(None, [row.cell.scenario, row.params])))
    amounts = [_amount(row, name) for name in COSTS if name in row.intervals]
    if amounts:
        return f"{' and '.join(amounts)} at list prices, {workload}{_doubts(row)}"
    why = next(row.cell.metrics[name].note for name in COSTS if name in row.cell.metrics)
    return f"not priced on {workload}: {foreign(why) or 'no price'}"


def _doubts(row: Row) -> str:
    """Why prices in a row's figures may not hold, in brackets."""
    notes = (row.cell.metrics[name].note for name in COSTS if name in row.intervals)
    said = dict.fromkeys(note for note in notes if note)
    return f" ({foreign('; '.join(said))})" if said else ""


def _amount(row: Row, name: str) -> str:
    seen, unit = row.intervals[name], foreign(row.cell.metrics[name].unit)
    between = "" if seen.low is None else f" [{figure(seen.low)}, {figure(seen.high)}]"
    return f"{figure(seen.median)}{between} {unit} {COSTS[name]}"


def again(found: Assessment) -> Lines:
    """How to measure and decide again, in lines that fit a page."""
    name = found.spike.name
    yield "### How to run it again"
    yield ""
    yield "```sh"
    yield "# measure anew: new runs"
    yield f"python3 -m tox -e {name}"
    if any(run.faults for run in found.runs):
        yield f"python3 -m tox -e {name} -- -m faults"
    yield "# this record from its runs"
    runs = [f"--run {run.run_id}" for run in found.runs]
    yield " \\\n    ".join([f"spikebench decide {name}", *runs])
    yield "# does it still match its evidence?"
    yield f"spikebench decide {name} --check"
    yield "```"


def review(found: Assessment) -> Lines:
    """When it is looked at again."""
    yield "### Review"
    yield ""
    yield f"To be looked at again by {found.decision.review}."
