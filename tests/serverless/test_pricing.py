"""What ``spikebench cost`` says of functions: the figures of the table, opened into their terms."""

from __future__ import annotations

from typing import Any

import pytest

from spikebench.record import Record
from spikebench.scenario.model import Scenario
from spikes.serverless.beside import COST, complete, pricing
from tests.serverless.cold_starts import record, scenario

SCENARIOS: dict[str, Scenario] = {"hello": scenario()}


def trials(lever: str = "baseline", **changes: Any) -> list[Record]:
    """Six trials; the first call of a series is the cold one."""
    series = {"invoke_ms": [30.0, 1.2, 0.8, 1.1]}
    return [record("java-21", lever, block, series=series, **changes) for block in range(6)]


def test_a_function_is_priced_with_the_tables_figure_and_its_terms() -> None:
    found, fargate = pricing(trials(), SCENARIOS, None)
    assert (found.name, found.candidate) == ("java-21 baseline", "java-21")
    cost = found.costs["a million invocations"]
    # six trials without noise: the cell's cost is that of each
    of_trial = complete(trials(), SCENARIOS)[0].metrics[COST].value
    assert cost.total == pytest.approx(of_trial)
    assert [term.what.split(",")[0] for term in cost.terms] == [
        "requests",
        "INIT of cold starts",
        "first invokes",
        "warm invokes",
    ]
    # a million requests at 0.20
    assert cost.terms[0].amount == pytest.approx(0.20)
    assert "hello, 1769 MB" in found.about
    # a request a second for 2,628,000 s
    month = found.costs["a month"].total
    assert month == pytest.approx(2.628 * (cost.total or 0))
    # two tasks of half a vCPU and a GB, a load balancer, and 0.04 of its units: 1 ÷ 25 a second
    assert fargate.name == "fargate"
    expected = 730 * (0.04656 + 2 * 0.00511 + 0.02646 + 0.04 * 0.0084)
    assert fargate.costs["a month"].total == pytest.approx(expected)


def test_where_fargate_gets_cheaper_is_said_of_the_plain_function() -> None:
    (said,) = pricing([*trials(), *trials("appcds")], SCENARIOS, None).said
    assert said.startswith("hello: Cost model (Internal API, a request a second; eu-west-2): ")
    assert "java-21 baseline has " in said
    assert "Lambda is cheaper below " in said


def test_what_has_prices_of_its_own_or_is_not_deployed_has_none() -> None:
    assert not list(pricing(trials("snapshot"), SCENARIOS, None))
    inside: dict[str, Scenario] = {"hello": scenario(handler="in-process")}
    assert not list(pricing(trials(), inside, None))
    assert not list(pricing(trials(arm="A/A"), SCENARIOS, None))
    assert not list(pricing(trials(status="void", reason="late"), SCENARIOS, None))


def test_only_the_scenario_that_was_asked_for_is_priced() -> None:
    assert list(pricing(trials(), SCENARIOS, "hello"))
    assert not list(pricing(trials(), SCENARIOS, "json"))


def test_without_a_run_there_is_nothing_to_price() -> None:
    assert not list(pricing([], SCENARIOS, None))


def test_functions_are_listed_by_handler_and_memory() -> None:
    large = [
        one.model_copy(update={"params": {**one.params, "memory_mb": 2048}, "cell": "large"})
        for one in trials()
    ]
    small = [
        one.model_copy(update={"params": {**one.params, "memory_mb": 512}, "cell": "small"})
        for one in trials()
    ]
    found = [
        (one.group, one.name) for one in pricing([*large, *trials("c1"), *small], SCENARIOS, None)
    ]
    assert found == [
        ("hello, 1769 MB", "java-21 c1"),
        ("hello, 512 MB", "java-21 baseline"),
        ("hello, 2048 MB", "java-21 baseline"),
        ("2 tasks of 0.5 vCPU and 1 GB", "fargate"),
    ]
