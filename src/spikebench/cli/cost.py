"""``spikebench cost``: what each candidate costs, and each figure opened into its terms."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebench.errors import RecordError, UsageError

if TYPE_CHECKING:
    from spikebench.cost import Cost, Offers, Priced
    from spikebench.record import Record
    from spikebench.spike import Spike

WIDTH = 100
MARK = "*"
"""Beside a figure with a price that may not hold: of another region, old, or undated."""


@click.command()
@click.argument("spike")
@click.option("--candidate", metavar="NAME", help="Only this one, with every way to have it.")
@click.option("--scenario", metavar="NAME", help="Whose workload; else the one the pattern names.")
@click.option("--terms", is_flag=True, help="Open each figure into its terms.")
@click.option(
    "--run", metavar="RUN", help="A run's id, its beginning or its file; else the latest."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True
)
def cost(
    spike: str,
    candidate: str | None,
    scenario: str | None,
    terms: bool,
    run: str | None,
    results: Path,
) -> None:
    """Print what candidates cost, and at which load the cheapest changes.

    Usage is what the spike's scenario states and what the run's trials counted; without a run,
    what the scenario states alone. What has no price is "not priced", and so is the total. With
    --terms, or of one candidate, each figure is opened into its terms, and each price has its
    source and date.

    \b
      spikebench cost messaging
      spikebench cost messaging --terms
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
    offers = load(found.pricing)(_records(found, run, results), scenarios, scenario)
    chosen = [one for one in offers.priced if candidate in (None, one.candidate)]
    if not chosen:
        what = f"{candidate or spike} has no cost"
        raise UsageError(f"{what}: measure first with: python3 -m tox -e {spike}, or name a --run")
    together = [] if candidate else _said(offers)
    lines = _opened(chosen) if terms or candidate else _summed_up(chosen, spike)
    for line in [*together, *lines]:
        click.echo(line)


def _records(spike: Spike, run: str | None, results: Path) -> Sequence[Record]:
    from spikebench.record import Kind, find_run, read_records

    if run is not None:
        return read_records(find_run(spike.name, run, results))
    try:
        usual = Kind(False, spike.read_scenarios())
        return read_records(find_run(spike.name, None, results, usual))
    except RecordError:
        return []


def _said(offers: Offers) -> Iterator[str]:
    """Sentences on all offers together, wrapped."""
    for sentence in offers.said:
        yield from _wrapped(sentence)
    if offers.said:
        yield ""


def _summed_up(priced: Sequence[Priced], spike: str) -> Iterator[str]:
    """A line an offer: its figures, marked where a price may not hold."""
    headings = list(priced[0].costs)
    if len({one.about for one in priced}) == 1:
        yield from _wrapped(priced[0].about)
        yield ""
    yield f"{'USD':<30}" + "".join(f"{heading:>24}" for heading in headings)
    for group, offers in groupby(priced, lambda one: one.group):
        if group:
            yield from ("", *_wrapped(group))
        for one in offers:
            figures = (f"{_figure(one.costs[name]):>24}" for name in headings)
            yield f"{one.name:<30}{''.join(figures)}".rstrip()
    yield ""
    if any(found.marks for one in priced for found in one.costs.values()):
        yield f"{MARK} a price of another region, or one that is old or undated"
    yield f"Every term, with the source and date of its price: spikebench cost {spike} --terms"


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _figure(cost: Cost) -> str:
    from spikebench.report.column import figure

    if cost.total is None:
        return "not priced"
    return figure(cost.total) + (MARK if cost.marks else " ")


def _opened(priced: Sequence[Priced]) -> Iterator[str]:
    for one in priced:
        yield one.name
        if one.about:
            yield f"  {one.about}"
        for of_what, found in one.costs.items():
            yield f"  {of_what}"
            yield from (f"    {line}" for line in found.lines)
        yield ""
