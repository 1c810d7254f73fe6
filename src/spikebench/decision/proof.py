"""The parts of a record that say what it rests on: runs with digests, versions, machines, cost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spikebench.decision.assess import Assessment
from spikebench.decision.model import Option
from spikebench.decision.wording import foreign, grid, own
from spikebench.report.column import figure
from spikebench.report.table import Row
from spikebench.stats import fingerprint

Lines = Iterator[str]

COST = "cost_per_million"
"""The metric that a spike has which is priced."""

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
        ]
        for run in found.runs
    ]
    yield from grid(["run", "records", "SHA-256"], rows)
    yield ""
    used = list(found.rows.values())
    fidelities = dict.fromkeys(row.cell.fidelity for row in used)
    yield f"* Fidelity: {', '.join(fidelities) or 'nothing was measured'}."
    yield from _machines(used)
    yield from _versions(found, used)


def _machines(used: list[Row]) -> Lines:
    machines = {fingerprint(row.cell.first): row.cell.first.environment for row in used}
    for mark, machine in sorted(machines.items()):
        said = [str(machine[name]) for name in ("cpu", "os", "kernel") if machine.get(name)]
        cores = [f"{machine['cores']} cores"] if machine.get("cores") else []
        yield f"* Machine `{mark or 'unknown'}`: {foreign(', '.join([*said, *cores]))}."


def _versions(found: Assessment, used: list[Row]) -> Lines:
    named = dict.fromkeys(f"{row.cell.candidate} ({row.cell.client})" for row in used)
    for who in named:
        had = found.table.versions.get(who, {})
        told = ", ".join(f"{name} {version}" for name, version in sorted(had.items()))
        yield f"* {foreign(who)}: {foreign(told) or 'versions not recorded'}."


def cost(found: Assessment) -> Lines:
    """What each option costs where the spike prices it; never zero for what is not priced."""
    yield "### Cost"
    yield ""
    priced = [_priced(found, option) for option in found.decision.options]
    for option, lines in zip(found.decision.options, priced, strict=True):
        if lines:
            yield from (f"* {own(option.title)}: {line}." for line in lines)
        else:
            yield f"* {own(option.title)}: not priced."


def _priced(found: Assessment, option: Option) -> list[str]:
    rows = [row for (name, _), row in found.rows.items() if name == option.name]
    return [_cost(row) for row in rows if COST in row.cell.metrics]


def _cost(row: Row) -> str:
    metric, seen = row.cell.metrics[COST], row.intervals.get(COST)
    if seen is None:
        return f"not priced on {row.cell.scenario}: {foreign(metric.note) or 'no price'}"
    between = "" if seen.low is None else f" [{figure(seen.low)}, {figure(seen.high)}]"
    amount = f"{figure(seen.median)}{between} {foreign(metric.unit)}"
    return f"{amount} a million at list prices, {row.cell.scenario}"


def again(found: Assessment) -> Lines:
    """How to measure and decide again."""
    name = found.spike.name
    runs = "".join(f" --run {run.run_id}" for run in found.runs)
    yield "### How to run it again"
    yield ""
    yield "```sh"
    yield f"python3 -m tox -e {name}                       # measure anew: a new run"
    yield f"spikebench decide {name}{runs}   # this record from its runs"
    yield f"spikebench decide {name} --check               # does it still match its evidence?"
    yield "```"


def review(found: Assessment) -> Lines:
    """When it is looked at again."""
    yield "### Review"
    yield ""
    yield f"To be looked at again by {found.decision.review}."
