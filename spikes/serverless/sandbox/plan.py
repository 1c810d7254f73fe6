"""What the trials of a run in a sandbox will use up and cost, before any of it is created."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from spikebench.cell import Cell
from spikebench.errors import TargetError
from spikebench.target.sandbox.account import REGIONS, region_of
from spikebench.target.sandbox.budget import Prices, Use
from spikes.serverless.sandbox.cost import Planned, estimate
from spikes.serverless.sandbox.pack import architecture
from spikes.serverless.sandbox.prices import prices_of
from spikes.serverless.scenario import ColdStart

PRICED_REGION = "eu-west-2"
"""Whose prices an estimate takes where no region is set."""

STACK_S = 150.0
"""About how long it takes to create and to delete a stack; a guess until it was tried."""

FORCING_S, SNAPSHOT_S = 4.0, 60.0
"""About how long it takes to change a function, and to make a snapshot; guesses, too."""


def in_sandbox(cells: Iterable[Cell]) -> list[Cell]:
    """Return those cells that are measured in a sandbox."""
    return [cell for cell in cells if cell.berth.target == "sandbox" and not cell.withheld]


def planned(cells: Iterable[Cell]) -> list[Planned]:
    """Return what is planned in a sandbox; ``cells`` has one for each trial."""
    return [
        Planned(
            memory_mb=scenario.memory_mb,
            architecture=architecture(),
            snapstart=scenario.lever == "snapstart",
            trials=trials,
            warm_invokes=scenario.invokes.after_first,
        )
        for scenario, trials in _counted(cells)
    ]


def seconds(cells: Iterable[Cell]) -> float:
    """About how long all takes that is done in a sandbox besides invoking, in seconds."""
    plans = planned(cells)
    forcing = (p.trials * (FORCING_S + SNAPSHOT_S * p.snapstart) for p in plans)
    return STACK_S * bool(plans) + sum(forcing)


def cost(cells: Iterable[Cell], environ: Mapping[str, str] = os.environ) -> str:
    """Say what trials will cost at the most, about; empty where they cost nothing.

    Raises ScenarioError where the region's price book is malformed.
    """
    uses = estimate(planned(cells))
    if not uses:
        return ""
    region = _region(environ)
    prices = prices_of(region)
    unpriced = [use for use in uses if prices.price(use.dimension) is None]
    if unpriced:
        what = ", ".join(f"{use.amount:,.0f} of {use.dimension}" for use in unpriced)
        return f"not priced in {region}: {what}"
    return f"at most about ${sum(_usd(use, prices) for use in uses):.4f} ({region})"


def _usd(use: Use, prices: Prices) -> float:
    return use.amount * (prices.price(use.dimension) or 0.0)


def _region(environ: Mapping[str, str]) -> str:
    """The region that is set, else one whose prices show how much it would be."""
    if not any(environ.get(name, "").strip() for name in REGIONS):
        return PRICED_REGION
    try:
        return region_of(environ)
    except TargetError:  # the run itself says what is wrong with it
        return PRICED_REGION


def _counted(cells: Iterable[Cell]) -> Iterator[tuple[ColdStart, int]]:
    found = in_sandbox(cells)
    scenarios = {cell.key: cell.scenario for cell in found}
    for key, trials in Counter(cell.key for cell in found).items():
        scenario = scenarios[key]
        assert isinstance(scenario, ColdStart), f"{scenario.scenario} starts no function"
        yield scenario, trials
