"""What stands beside measured messages: what they would cost, and where the cheapest changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from spikebench.cost import (
    Cost,
    CostAt,
    Offers,
    PriceBook,
    Priced,
    cheapest,
    crossings,
    read_prices,
)
from spikebench.errors import UsageError
from spikebench.measure.outcome import Metric
from spikebench.record.model import Record
from spikebench.report.column import figure
from spikebench.report.table import Section
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.model import Scenario
from spikes.messaging.cost import OFFERS, Offer, bill, month, per_million, with_upkeep
from spikes.messaging.pattern import Pattern, read_pattern
from spikes.messaging.traffic import Calls, Traffic, mean_size, traffic

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PRICES = SCENARIOS / "prices"
PATTERN = SCENARIOS / "messaging" / "patterns" / "team.yaml"
REGION, INSTEAD = "eu-west-2", "us-east-1"

PER_MILLION, A_MONTH = "cost_per_million", "cost_per_month"
UNIT = "USD"

MARKED = "*"
"""Behind the name of what has a price of another region, an old or an undated one."""

Costs = Callable[[float], Cost]
"""From a load, in messages/s, to what a month of it costs."""

LOWEST_PER_S, HIGHEST_PER_S = 0.01, 20_000.0
"""Loads between which the cheapest is looked for."""


def complete(measured: Sequence[Record], scenarios: Mapping[str, Scenario]) -> Sequence[Record]:
    """Return a run's records with what their cell's messages would cost at the team's load.

    A cost is one value a cell, of all its trials together: repeating them is no evidence of it.
    """
    cells = _cells(measured)
    sizes, prices = _sizes(cells), _book_of(measured)
    costs = {id(t): had for cell in cells for t, had in _costed(cell, scenarios, sizes, prices)}
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
    prices = _book_of(trial for row in section.rows for trial in row.cell.records)
    said: dict[tuple[int, str], list[int]] = {}
    for asked, group in groups.items():
        if len(group) > 1:
            compared = " ".join(_comparisons(group, prices))
            said.setdefault((asked.subscribers, compared), []).append(asked.competing)
    return [
        _told(subscribers, sorted(set(competing)), compared)
        for (subscribers, compared), competing in said.items()
    ]


def _offered(section: Section, scenario: MessageScenario) -> dict[Traffic, dict[str, Traffic]]:
    """Each workload of a section, with every way to have its candidates, and what that carries."""
    size = _size_in(section)
    found: dict[Traffic, dict[str, Traffic]] = {}
    for row in section.rows:
        mine = traffic(scenario, pattern(), row.cell.records, size)
        group = found.setdefault(replace(mine, deliveries=1.0, calls=Calls()), {})
        for offer in OFFERS.values():
            if offer.candidate == row.cell.candidate:
                group.setdefault(offer.name, mine)
    return found


def pricing(
    measured: Sequence[Record], scenarios: Mapping[str, Scenario], asked: str | None
) -> Offers:
    """Return every offer's cost of a month and of a million messages, and which is the cheapest.

    Bytes, calls and deliveries are those of the run's trials of a candidate where it has any; of a
    sweep the first cell counts.
    """
    name = asked or pattern().scenario
    scenario = scenarios.get(name)
    if not isinstance(scenario, MessageScenario) or scenario.breaks:
        raise UsageError(f"{name}: costs are of a scenario of messages in which nothing breaks")
    cells = _cells(measured)
    mine = {c[0].candidate: c for c in reversed(cells) if c[0].scenario == name}
    size = _sizes(cells).get(name)
    carried = {
        one.name: traffic(scenario, pattern(), mine.get(one.candidate, []), size)
        for one in OFFERS.values()
    }
    about = _about(scenario, traffic(scenario, pattern(), (), size), measured=size is not None)
    return Offers(
        tuple(_priced(OFFERS[name], had, about, book()) for name, had in carried.items()),
        tuple(_comparisons(carried, book())),
    )


def bills(section: Section) -> list[Priced]:
    """Return what each offer of a section costs, term by term; of a sweep the first workload's."""
    scenario = section.scenario
    if not isinstance(scenario, MessageScenario) or scenario.breaks:
        return []
    group = next(iter(_offered(section, scenario).values()), {})
    prices = _book_of(trial for row in section.rows for trial in row.cell.records)
    about = next((_about(scenario, mine, measured=True) for mine in group.values()), "")
    return [_priced(OFFERS[name], mine, about, prices) for name, mine in group.items()]


def cost_curves(section: Section) -> dict[str, CostAt]:
    """Return what each offer costs a month by load, in messages/s; of a sweep the first workload's.

    What is not priced is among them. A name ends with ``MARKED`` where a price may not hold.
    """
    scenario = section.scenario
    if not isinstance(scenario, MessageScenario) or scenario.breaks:
        return {}
    group = next(iter(_offered(section, scenario).values()), {})
    prices = _book_of(trial for row in section.rows for trial in row.cell.records)
    return {
        name + (MARKED if _marks(OFFERS[name], mine, prices) else ""): _total(
            _with_upkeep(OFFERS[name], _bills(OFFERS[name], mine, prices))
        )
        for name, mine in group.items()
    }


def _marks(offer: Offer, mine: Traffic, prices: PriceBook) -> tuple[str, ...]:
    return month(offer, mine, pattern(), prices).marks


def _priced(offer: Offer, mine: Traffic, about: str, prices: PriceBook) -> Priced:
    whole = month(offer, mine, pattern(), prices)
    costs = {"a month": whole, "a million messages": per_million(whole, mine, pattern())}
    return Priced(offer.name, offer.candidate, about, costs)


def _about(scenario: MessageScenario, mine: Traffic, *, measured: bool) -> str:
    """Whose usage it is."""
    bytes_from = "as its run sent them" if measured else "as the pattern says"
    return (
        f"{pattern().title}: {mine.rate_per_s:g} messages a second of {mine.size_bytes:.0f} bytes "
        f"({bytes_from}), {pattern().hours_per_month:g} hours, workload {scenario.scenario}; "
        f"{_times(mine.subscribers, 'subscriber')}; {REGION}"
    )


def _book_of(measured: Iterable[Record]) -> PriceBook:
    """The prices for what a run has measured, judged by the day of its latest trial."""
    days = [date.fromisoformat(trial.started_at[:10]) for trial in measured]
    return _books().beside_a_run(max(days, default=date.min))


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
    prices: PriceBook,
) -> Iterator[tuple[Record, dict[str, Metric]]]:
    scenario, offer = scenarios.get(trials[0].scenario), OFFERS.get(trials[0].candidate)
    if offer is None or not isinstance(scenario, MessageScenario) or scenario.breaks:
        return
    mine = traffic(scenario, pattern(), trials, sizes.get(trials[0].scenario))
    whole = month(offer, mine, pattern(), prices)
    costs = {
        PER_MILLION: _metric(per_million(whole, mine, pattern())),
        A_MONTH: _metric(whole),
    }
    yield from ((trial, costs) for trial in trials)


def _metric(cost: Cost) -> Metric:
    said = cost.unpriced or cost.marks
    return Metric(value=cost.total, unit=UNIT, better="lower", n=1, note="; ".join(said))


def _told(subscribers: int, competing: Sequence[int], compared: str) -> str:
    *others, most = competing
    consumers = f"{', '.join(map(str, others))} or {most}" if others else str(most)
    who = f"{_times(subscribers, 'subscriber')} of {consumers} {_plural(most, 'consumer')}"
    head = f"Cost model ({REGION}, what is missing there from {INSTEAD}; {who})"
    return f"{head}: {compared} Every term: spikebench cost messaging --terms."


def _comparisons(group: Mapping[str, Traffic], prices: PriceBook) -> list[str]:
    """Which is the cheapest, with upkeep and without, what is not priced, and what is marked."""
    rate = pattern().rate_per_s
    without = {name: _bills(OFFERS[name], mine, prices) for name, mine in group.items()}
    whole = {name: _with_upkeep(OFFERS[name], bills) for name, bills in without.items()}
    said = [
        f"{_cheapest(_totals(whole), rate)}.",
        f"Without anybody's hours, {_cheapest(_totals(without), rate)}.",
    ]
    missing = [name for name, cost in whole.items() if cost(rate).total is None]
    if missing:
        said.append(f"Not priced, and so not compared: {', '.join(missing)}.")
    return [*said, *_marked(group, prices)]


def _marked(group: Mapping[str, Traffic], prices: PriceBook) -> list[str]:
    """A sentence that names, for each reason why prices may not hold, the offers that have such."""
    found: dict[str, list[str]] = {}
    for name, mine in group.items():
        for term in month(OFFERS[name], mine, pattern(), prices).terms:
            if term.mark and term.quantity and name not in found.setdefault(term.mark, []):
                found[term.mark].append(name)
    told = "; ".join(f"{mark}: {', '.join(names)}" for mark, names in found.items())
    return [f"Prices that may not hold here: {told}."] if told else []


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


def _bills(offer: Offer, mine: Traffic, prices: PriceBook) -> Costs:
    """What is billed of a month by load; each load is worked out once."""

    @cache
    def at(rate_per_s: float) -> Cost:
        return bill(offer, mine.at(rate_per_s), pattern(), prices)

    return at


def _with_upkeep(offer: Offer, bills: Costs) -> Costs:
    def at(rate_per_s: float) -> Cost:
        return with_upkeep(bills(rate_per_s), offer, pattern())

    return at


def _totals(offers: Mapping[str, Costs]) -> dict[str, CostAt]:
    return {name: _total(costs) for name, costs in offers.items()}


def _total(costs: Costs) -> CostAt:
    def at(rate_per_s: float) -> float | None:
        return costs(rate_per_s).total

    return at


def _times(count: int, what: str) -> str:
    return f"{count} {_plural(count, what)}"


def _plural(count: int, what: str) -> str:
    return what if count == 1 else f"{what}s"


def today() -> date:
    """The day on which somebody asks."""
    return date.today()


def book() -> PriceBook:
    """London's prices, and where it lacks one that of N. Virginia, marked; judged by today."""
    return _books().on(today())


@cache
def _books() -> PriceBook:
    instead = read_prices(PRICES / f"{INSTEAD}.yaml")
    return read_prices(PRICES / f"{REGION}.yaml").or_else(instead)


@cache
def pattern() -> Pattern:
    """The team's load."""
    return read_pattern(PATTERN)
