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
    (found,) = pricing(trials(), SCENARIOS, None)
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


def test_what_has_prices_of_its_own_or_is_not_deployed_has_none() -> None:
    assert pricing(trials("snapshot"), SCENARIOS, None) == []
    inside: dict[str, Scenario] = {"hello": scenario(handler="in-process")}
    assert pricing(trials(), inside, None) == []
    assert pricing(trials(arm="A/A"), SCENARIOS, None) == []
    assert pricing(trials(status="void", reason="late"), SCENARIOS, None) == []


def test_only_the_scenario_that_was_asked_for_is_priced() -> None:
    assert pricing(trials(), SCENARIOS, "hello") != []
    assert pricing(trials(), SCENARIOS, "json") == []


def test_without_a_run_there_is_nothing_to_price() -> None:
    assert pricing([], SCENARIOS, None) == []
