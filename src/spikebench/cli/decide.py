"""``spikebench decide``: a spike's decision record, from the records of its runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebench.cli.spike import chosen_spike
from spikebench.cli.today import today
from spikebench.errors import UsageError

if TYPE_CHECKING:
    from spikebench.decision.assess import Assessment
    from spikebench.spike import Spike


@click.command()
@click.argument("spike", required=False)
@click.option(
    "--run",
    "runs",
    metavar="RUN",
    multiple=True,
    help="A run to rest on, or several; else the latest, and all of faults if asked for.",
)
@click.option(
    "--supersedes", metavar="NNNN", help="Write a new record that takes the place of this one."
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 8 where a record no longer holds."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
def decide(
    spike: str | None, runs: tuple[str, ...], supersedes: str | None, check: bool, results: Path
) -> None:
    """Write results/decisions/NNNN-<name>.md, as scenarios/<spike>/decision.yaml weighs a run.

    Must-haves come first: who fails one by measurement is out. The others' scores are weighed, with
    the spread of the trials carried through, and the record says what would turn it round. It is a
    proposal: only a person sets its status to accepted. What people write between the generated
    blocks is kept when it is written again. A review date that has passed, and prices older than a
    year, are warned of. docs/decisions.md explains the file.

    \b
      spikebench decide messaging                       from the latest run, and all of faults
      spikebench decide messaging --run 20261122-1930   from this one
      spikebench decide messaging --supersedes 0001     a new record; the old one says so too
      spikebench decide --check                         every record against its evidence (for CI)
    """
    if check and (runs or supersedes):
        raise UsageError("--check takes the runs that a record names; leave --run and --supersedes")
    if check:
        _check(spike, results)
        return
    from spikebench.decision.publish import publish

    found = chosen_spike(spike, results, runs)
    published = publish(found, results, today(), runs, supersedes or "")
    _show(published.assessment)
    for path in published.written:
        click.echo(f"wrote {path}")
    _warn(published.written[0], published.warnings)


def _warn(path: Path, warnings: Iterable[str]) -> None:
    """Say on standard error what time has done to a record; no exit code depends on the day."""
    for said in warnings:
        click.echo(f"warning: {path}: {said}", err=True)


def _deciding() -> list[Spike]:
    """The spikes that have a decision to weigh."""
    from spikebench.decision.read import decision_path
    from spikebench.discovery import find_spikes

    return [spike for spike in find_spikes() if decision_path(spike).is_file()]


def _check(spike: str | None, results: Path) -> None:
    """Check one spike's record, or all of those that have one or should."""
    from spikebench.decision.publish import check, unclaimed
    from spikebench.errors import GateError

    spikes = [chosen_spike(spike, results)] if spike else _deciding()
    wrong = [] if spike else unclaimed(spikes, results)
    for found in spikes:
        if spike is None and not _has_runs(found, results):
            click.echo(f"{found.name}: nothing to decide on yet, no run was measured")
            continue
        try:
            checked = check(found, results, today())
            click.echo(f"{checked.path}: matches its evidence")
            _warn(checked.path, checked.warnings)
        except GateError as error:
            wrong.append(str(error))
    if wrong:
        raise GateError("\n".join(wrong))


def _has_runs(spike: Spike, results: Path) -> bool:
    return any((results / spike.name / "runs").glob("*.jsonl"))


def _show(found: Assessment) -> None:
    """How the options stand, a line each, and what is open."""
    from spikebench.decision.wording import percent, points

    for one in found.standings:
        between = f"[{points(one.low)}, {points(one.high)}]"
        if one.total is None:
            click.echo(f"  {one.option.name:<28} not ranked: between {between}")
        else:
            told = f"first in {percent(one.first)} of draws"
            click.echo(f"  {one.option.name:<28} {points(one.total)} {between}  {told}")
    for option in found.decision.options:
        if found.is_out(option):
            failed = [one for one in found.held[option.name] if one.outcome == "not met"]
            click.echo(f"  {option.name:<28} out: {failed[0].reason}")
    proposed = found.proposed
    click.echo(f"proposed: {proposed.option.title}" if proposed else "proposed: nothing yet")
