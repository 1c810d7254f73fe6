"""What stands beside measured messages: what they would cost, and where the cheapest changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from spikebench.cost import Cost, CostAt, PriceBook, Priced, cheapest, crossings, read_prices
from spikebench.errors import UsageError
from spikebench.measure.outcome import Metric
from spikebench.record.model import Record
from spikebench.report.column import figure
from spikebench.report.table import Section
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.model import Scenario
from spikes.messaging.cost import OFFERS, Offer, month, per_million
from spikes.messaging.pattern import Pattern, read_pattern
from spikes.messaging.traffic import Traffic, mean_size, traffic

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PRICES = SCENARIOS / "prices"
PATTERN = SCENARIOS / "messaging" / "patterns" / "team.yaml"
REGION, INSTEAD = "eu-west-2", "us-east-1"

PER_MILLION, A_MONTH = "cost_per_million", "cost_per_month"
UNIT = "USD"

LOWEST_PER_S, HIGHEST_PER_S = 0.01, 20_000.0
"""Loads between which the cheapest is looked for."""


def complete(measured: Sequence[Record], scenarios: Mapping[str, Scenario]) -> Sequence[Record]:
    """Return a run's records with what their cell's messages would cost at the team's load.

    A cost is one value a cell, of all its trials together: repeating them is no evidence of it.
    """
    cells = _cells(measured)
    sizes = _sizes(cells)
    costs = {id(t): had for cell in cells for t, had in _costed(cell, scenarios, sizes)}
    return [
        trial.model_copy(update={"metrics": {**trial.metrics, **costs[id(trial)]}})
        if id(trial) in costs
        else trial
        for trial in measured
    ]


def tell(section: Section) -> list[str]:
    """Say what is cheapest at the team's load, and from which load on another is."""
    scenario = section.scenario
    if not isinstance(scenario, MessageScenario) or scenario.breaks:
        return []
    groups = _offered(section, scenario)
    return [_told(asked, group) for asked, group in groups.items() if len(group) > 1]


def _offered(section: Section, scenario: MessageScenario) -> dict[Traffic, dict[str, Traffic]]:
    """Each workload of a section, with every way to have its candidates, and what that carries."""
    size = _size_in(section)
    found: dict[Traffic, dict[str, Traffic]] = {}
    for row in section.rows:
        mine = traffic(scenario, pattern(), row.cell.records, size)
        group = found.setdefault(replace(mine, deliveries=1.0), {})
        for offer in OFFERS.values():
            if offer.candidate == row.cell.candidate:
                group.setdefault(offer.name, mine)
    return found


def pricing(
    measured: Sequence[Record], scenarios: Mapping[str, Scenario], asked: str | None
) -> list[Priced]:
    """Return every offer's cost of a million messages and of a month.

    Bytes and deliveries are those of the run's trials of a candidate where it has any; of a sweep
    the first cell counts.
    """
    name = asked or pattern().scenario
    scenario = scenarios.get(name)
    if not isinstance(scenario, MessageScenario) or scenario.breaks:
        raise UsageError(f"{name}: costs are of a scenario of messages in which nothing breaks")
    cells = _cells(measured)
    mine = {c[0].candidate: c for c in reversed(cells) if c[0].scenario == name}
    size = _sizes(cells).get(name)
    return [_priced(one, scenario, mine.get(one.candidate, []), size) for one in OFFERS.values()]


def cost_curves(section: Section) -> dict[str, CostAt]:
    """Return what each offer costs a month by load, in messages/s; of a sweep the first workload's.

    What is not priced is among them.
    """
    scenario = section.scenario
    if not isinstance(scenario, MessageScenario) or scenario.breaks:
        return {}
    group = next(iter(_offered(section, scenario).values()), {})
    return {name: _curve(OFFERS[name], mine) for name, mine in group.items()}


def _priced(
    offer: Offer, scenario: MessageScenario, trials: Sequence[Record], size: float | None
) -> Priced:
    mine = traffic(scenario, pattern(), trials, size)
    bytes_from = "as its run sent them" if size else "as the pattern says"
    about = (
        f"{pattern().title}: {mine.rate_per_s:g} messages a second of {mine.size_bytes:.0f} bytes "
        f"({bytes_from}), {pattern().hours_per_month:g} hours, workload {scenario.scenario}; "
        f"{_times(mine.subscribers, 'subscriber')}; {book().region}"
    )
    whole = month(offer, mine, pattern(), book())
    costs = {"a month": whole, "a million messages": per_million(whole, mine, pattern())}
    return Priced(offer.name, offer.candidate, about, costs)


def _cells(measured: Iterable[Record]) -> list[list[Record]]:
    """Valid trials by cell; A/A arms and searches for capacity are none."""
    cells: dict[tuple[str, str], list[Record]] = {}
    for trial in measured:
        if trial.status == "valid" and not trial.arm:
            cells.setdefault((trial.run_id, trial.cell), []).append(trial)
    return list(cells.values())


def _sizes(cells: Iterable[Sequence[Record]]) -> dict[str, float | None]:
    """Mean size of a body by scenario: what all candidates were sent together."""
    trials: dict[str, list[Record]] = {}
    for cell in cells:
        trials.setdefault(cell[0].scenario, []).extend(cell)
    return {name: mean_size(mine) for name, mine in trials.items()}


def _size_in(section: Section) -> float | None:
    return mean_size(trial for row in section.rows for trial in row.cell.valid)


def _costed(
    trials: Sequence[Record],
    scenarios: Mapping[str, Scenario],
    sizes: Mapping[str, float | None],
) -> Iterator[tuple[Record, dict[str, Metric]]]:
    scenario, offer = scenarios.get(trials[0].scenario), OFFERS.get(trials[0].candidate)
    if offer is None or not isinstance(scenario, MessageScenario) or scenario.breaks:
        return
    mine = traffic(scenario, pattern(), trials, sizes.get(trials[0].scenario))
    whole = month(offer, mine, pattern(), book())
    costs = {
        PER_MILLION: _metric(per_million(whole, mine, pattern())),
        A_MONTH: _metric(whole),
    }
    yield from ((trial, costs) for trial in trials)


def _metric(cost: Cost) -> Metric:
    said = cost.unpriced or cost.marks
    return Metric(value=cost.total, unit=UNIT, better="lower", n=1, note="; ".join(said))


def _told(asked: Traffic, group: Mapping[str, Traffic]) -> str:
    rate = pattern().rate_per_s
    with_upkeep = {name: _curve(OFFERS[name], mine) for name, mine in group.items()}
    without = {name: _curve(OFFERS[name], mine, upkeep=False) for name, mine in group.items()}
    missing = [name for name, at in with_upkeep.items() if at(rate) is None]
    who = f"{_times(asked.subscribers, 'subscriber')} of {_times(asked.competing, 'consumer')}"
    said = [
        f"Cost model ({book().region}, what is missing there from {INSTEAD}; {who}): "
        f"{_cheapest(with_upkeep, rate)}. Without anybody's hours, {_cheapest(without, rate)}."
    ]
    if missing:
        said.append(f"Not priced, and so not compared: {', '.join(missing)}.")
    said.append("Every term: `spikebench cost messaging`.")
    return " ".join(said)


def _cheapest(offers: Mapping[str, CostAt], rate: float) -> str:
    """Which is the cheapest at the team's load, and between which loads each is."""
    name = cheapest(offers, rate)
    if name is None:
        return f"nothing is priced at {rate:g} messages a second"
    told = (
        f"by cost alone the cheapest at {rate:g} messages a second is {name}, "
        f"{figure(offers[name](rate))} USD a month"
    )
    found = crossings(offers, LOWEST_PER_S, HIGHEST_PER_S)
    if not found:
        return f"{told}, as at any load from {LOWEST_PER_S:g} to {HIGHEST_PER_S:,.0f}"
    first = f"{found[0].before} below {figure(found[0].load)} a second"
    later = (f"{one.after} from {figure(one.load)}" for one in found)
    return f"{told} ({', '.join([first, *later])})"


def _curve(offer: Offer, mine: Traffic, *, upkeep: bool = True) -> CostAt:
    def cost(rate_per_s: float) -> float | None:
        return month(offer, mine.at(rate_per_s), pattern(), book(), upkeep=upkeep).total

    return cost


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


@cache
def book() -> PriceBook:
    """London's prices, and where it lacks one that of N. Virginia, marked."""
    instead = read_prices(PRICES / f"{INSTEAD}.yaml")
    return read_prices(PRICES / f"{REGION}.yaml").or_else(instead)


@cache
def pattern() -> Pattern:
    """The team's load."""
    return read_pattern(PATTERN)
