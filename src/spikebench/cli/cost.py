"""``spikebench cost``: what each candidate costs, term by term."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebench.errors import RecordError, UsageError

if TYPE_CHECKING:
    from spikebench.cost import Priced
    from spikebench.record import Record
    from spikebench.spike import Spike


@click.command()
@click.argument("spike")
@click.option("--candidate", metavar="NAME", help="Only this one, with every way to have it.")
@click.option("--scenario", metavar="NAME", help="Whose workload; else the one the pattern names.")
@click.option(
    "--run", metavar="RUN", help="A run's id, its beginning or its file; else the latest."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
def cost(
    spike: str, candidate: str | None, scenario: str | None, run: str | None, results: Path
) -> None:
    """Print what candidates cost, each figure opened into its terms.

    Usage is what the spike's scenario states and what the run's trials counted; without a run,
    what the scenario states alone. What has no price is "not priced", and so is the total.

    \b
      spikebench cost messaging
      spikebench cost messaging --candidate kafka
    """
    from spikebench.cost.priced import load
    from spikebench.discovery import find_spike

    found = find_spike(spike)
    if not found.pricing:
        raise UsageError(f"spike {spike} has no cost model; docs/cost.md says how one is made")
    if candidate is not None:
        found.candidate(candidate)
    scenarios = found.read_scenarios()
    if scenario is not None and scenario not in scenarios:
        raise UsageError(f"--scenario {scenario}: there are {', '.join(scenarios)}")
    priced = load(found.pricing)(_records(found, run, results), scenarios, scenario)
    chosen = [one for one in priced if candidate in (None, one.candidate)]
    if not chosen:
        what = f"{candidate or spike} has no cost"
        raise UsageError(f"{what}: measure first with: python3 -m tox -e {spike}, or name a --run")
    _show(chosen)


def _records(spike: Spike, run: str | None, results: Path) -> Sequence[Record]:
    from spikebench.record import Kind, find_run, read_records

    if run is not None:
        return read_records(find_run(spike.name, run, results))
    try:
        usual = Kind(False, spike.read_scenarios())
        return read_records(find_run(spike.name, None, results, usual))
    except RecordError:
        return []


def _show(priced: Sequence[Priced]) -> None:
    for one in priced:
        click.echo(f"{one.name}\n  {one.about}")
        for of_what, found in one.costs.items():
            click.echo(f"  {of_what}")
            for line in found.lines:
                click.echo(f"    {line}")
        click.echo("")
