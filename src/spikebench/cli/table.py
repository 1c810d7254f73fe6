"""``spikebench table``: a run's table again, from its records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebench.cli.spike import chosen_spike
from spikebench.errors import RecordError, UsageError

if TYPE_CHECKING:
    from spikebench.scenario.model import Scenario


@click.command()
@click.argument("spike", required=False)
@click.option(
    "--run", metavar="RUN", help="A run's id, its beginning or its file; else the latest."
)
@click.option("--faults", is_flag=True, help="The latest run of faults, not the latest other one.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["terminal", "md", "csv"]),
    default="terminal",
    show_default=True,
    help="md has every column, csv every metric with its interval.",
)
@click.option(
    "--write", is_flag=True, help="Write table.md, table.csv and the plots anew, and print none."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
def table(
    spike: str | None, run: str | None, faults: bool, kind: str, write: bool, results: Path
) -> None:
    """Show a run's result table: the latest that is not of faults, unless only those there are.

    \b
      spikebench table messaging
      spikebench table messaging --run 20261122-1930 --format md > table.md
      spikebench table messaging --write
      spikebench table messaging --faults
    """
    from spikebench import report
    from spikebench.record import find_run, read_records

    if run is not None and faults:
        raise UsageError("name a --run, or ask for the latest of --faults")
    found = chosen_spike(spike, results, [run or ""])
    scenarios = found.read_scenarios()
    if run is None:
        records = read_records(_latest(found.name, faults, scenarios, results))
    else:
        records = read_records(find_run(found.name, run, results))
    if write:
        folder = results / found.name
        for path in report.write(
            found.name, records, scenarios, folder, found.candidates, found.layout
        ):
            click.echo(f"wrote {path}")
    elif kind == "terminal":
        from rich.console import Console

        report.terminal(records, scenarios, Console(), found.candidates, found.layout)
    else:
        text = report.text(records, scenarios, kind, found.candidates, found.layout)
        click.echo(text, nl=False)


def _latest(spike: str, faults: bool, scenarios: Mapping[str, Scenario], results: Path) -> Path:
    """The latest run of faults where they are asked for; else of the others, if there are any."""
    from spikebench.record import Kind, latest_run

    try:
        return latest_run(spike, results, Kind(faults, scenarios))
    except RecordError:
        if faults:
            raise
        return latest_run(spike, results)
