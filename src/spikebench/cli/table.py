"""``spikebench table``: a run's table again, from its records."""

from __future__ import annotations

from pathlib import Path

import click

from spikebench.cli.spike import chosen_spike


@click.command()
@click.argument("spike", required=False)
@click.option(
    "--run", metavar="RUN", help="A run's id, its beginning or its file; else the latest."
)
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
def table(spike: str | None, run: str | None, kind: str, write: bool, results: Path) -> None:
    """Show a run's result table.

    \b
      spikebench table messaging
      spikebench table messaging --run 20261122-1930 --format md > table.md
      spikebench table messaging --write
    """
    from spikebench import report
    from spikebench.record import find_run, read_records

    found = chosen_spike(spike, results, [run or ""])
    records = read_records(find_run(found.name, run, results))
    scenarios = found.read_scenarios()
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
