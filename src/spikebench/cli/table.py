"""``spikebench table``: a run's table again, from its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebench.cli.spike import chosen_spike
from spikebench.errors import RecordError, UsageError

if TYPE_CHECKING:
    from spikebench.record import Record
    from spikebench.scenario.model import Scenario
    from spikebench.spike import Spike


@click.command()
@click.argument("spike", required=False)
@click.option(
    "--run",
    "names",
    metavar="RUN",
    multiple=True,
    help="A run's id, its beginning or its file; several stand side by side, those of faults are "
    "put together. Else the latest.",
)
@click.option(
    "--metric",
    "metrics",
    metavar="NAME",
    multiple=True,
    help="Only this metric, as table.csv names it; may be given again.",
)
@click.option(
    "--by",
    metavar="NAME",
    multiple=True,
    help="Group rows by scenario, candidate, client, target or a parameter; may be given again.",
)
@click.option("--faults", is_flag=True, help="All runs of faults, put together.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["terminal", "md", "csv", "json", "html"]),
    default="terminal",
    show_default=True,
    help="md and html have every column, csv and json a row a cell and metric.",
)
@click.option(
    "--write", is_flag=True, help="Write table.md, table.csv and the plots anew, and print none."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="The folder of results: records are in <spike>/runs/.",
)
def table(
    spike: str | None,
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    by: tuple[str, ...],
    faults: bool,
    kind: str,
    write: bool,
    results: Path,
) -> None:
    """Show a run's result table: the latest that is not of faults, or all of faults together.

    A row is a cell: one candidate with its client, where it ran, under one workload. A figure is
    the median over trials, [low, high] the 95 % interval of their geometric mean, n how many count.
    Bold leads its group with a verdict behind it; a dash has its reason in a footnote. Fidelity is
    what a row can prove: an emulator's timings say nothing of the service.

    Without options the terminal shows what decides, in 100 columns, and names what it leaves out.
    With --metric, --by or several runs it shows just that; what a grouping hides is said, and so is
    a difference of machines. Trials of several runs of faults are put together, cell by cell, where
    workload, machine and software are the same.

    \b
      spikebench table messaging                               what decides, of the latest run
      spikebench table messaging --metric end_to_end_p99       one column, with interval and n
      spikebench table messaging --metric lost --by candidate  a row a candidate: losses in all
      spikebench table messaging --run 20261120 --run 20261122 two runs side by side
      spikebench table messaging --faults                      what was lost when something broke
      spikebench table messaging --faults --write              faults.md of all runs of faults
      spikebench table messaging --format html > table.html    every column; a page that sorts
      spikebench table messaging --format csv                  for a spreadsheet; json for programs
      spikebench table messaging --write                       table.md, table.csv and plots anew
    """
    from spikebench import report
    from spikebench.record import find_run

    if names and faults:
        raise UsageError("name a --run, or ask for all of --faults")
    if write and (metrics or by):
        raise UsageError("--write is of a run's whole table; leave out --metric and --by")
    if by and kind in ("csv", "json"):
        raise UsageError(f"--format {kind} has a row a cell and metric; leave out --by")
    found = chosen_spike(spike, results, names)
    scenarios = found.read_scenarios()
    paths = [find_run(found.name, name, results) for name in dict.fromkeys(names)]
    paths = paths or _unnamed(found.name, faults, scenarios, results)
    runs = _read(dict.fromkeys(paths), scenarios)
    if write and len(runs) > 1:
        raise UsageError("--write is of one run, or of several of faults; leave out the others")
    if write:
        folder = results / found.name
        for path in report.write(
            found.name, runs[0], scenarios, folder, found.candidates, found.layout, alone=False
        ):
            click.echo(f"wrote {path}")
    elif metrics or by or len(runs) > 1 or kind in ("json", "html"):
        click.echo(_turned(found, runs, scenarios, kind, metrics, by), nl=False)
    elif kind == "terminal":
        from rich.console import Console

        report.terminal(runs[0], scenarios, Console(), found.candidates, found.layout)
    else:
        text = report.text(runs[0], scenarios, kind, found.candidates, found.layout)
        click.echo(text, nl=False)


def _read(paths: Iterable[Path], scenarios: Mapping[str, Scenario]) -> list[list[Record]]:
    """The records of each run; runs of faults are one."""
    from spikebench.record import of_faults, read_records

    runs = [(of_faults(path, scenarios), read_records(path)) for path in paths]
    if all(faults for faults, _ in runs):
        return [[record for _, run in runs for record in run]]
    return [list(run) for _, run in runs]


def _turned(
    spike: Spike,
    runs: Sequence[Sequence[Record]],
    scenarios: Mapping[str, Scenario],
    kind: str,
    metrics: Sequence[str],
    by: Sequence[str],
) -> str:
    from rich.console import Console

    from spikebench import report

    console = Console() if kind == "terminal" else None
    return report.turned(
        runs, scenarios, kind, spike.candidates, spike.layout, metrics, by, console
    )


def _unnamed(
    spike: str, faults: bool, scenarios: Mapping[str, Scenario], results: Path
) -> list[Path]:
    """All runs of faults where they are asked for, or no others are there; else the latest."""
    from spikebench.record import Kind, latest_run, runs_of

    of_faults = Kind(True, scenarios)
    if not faults:
        with suppress(RecordError):
            return [latest_run(spike, results, Kind(False, scenarios))]
    latest_run(spike, results, of_faults if faults else None)  # says what to do where there is none
    return runs_of(spike, results, of_faults)
