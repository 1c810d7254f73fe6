from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebench.errors import ScenarioError
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.variant import (
    for_emulator,
    short_names,
    variants,
)


def scenario(**changes: Any) -> MessageScenario:
    values: dict[str, Any] = {
        "scenario": "made",
        "title": "Made in code",
        "question": "Does it vary?",
        "experiment": "latency",
        "arrivals": {"rate_per_s": 500},
        "timing": {"warmup_s": 0.5, "measure_s": 3.0},
        "analysis": {"metric": "end_to_end_p50", "baseline": "rabbitmq-quorum"},
    }
    return MessageScenario.model_validate(values | changes)


RATES = {"arrivals.rate_per_s": [500, "30 %", "60 %"]}
COMPETING = {"consumers.competing": [1, 2]}


def test_a_scenario_that_sweeps_nothing_is_its_only_variant() -> None:
    (only,) = variants(scenario(), full=False)
    assert only.params == {}
    assert only.scenario == scenario()


def test_each_combination_is_a_variant_with_its_values() -> None:
    made = variants(scenario(sweep=RATES | COMPETING), full=False)
    assert [variant.params for variant in made] == [
        {"rate_per_s": rate, "competing": competing}
        for rate in (500, "30 %", "60 %")
        for competing in (1, 2)
    ]
    for variant in made:
        assert variant.scenario.consumers.competing == variant.params["competing"]
        assert variant.scenario.arrivals.rate_per_s == variant.params["rate_per_s"]
        assert variant.scenario.sweep == {}


def test_what_is_not_swept_stays_as_it_was() -> None:
    given = scenario(sweep=COMPETING, consumers={"prefetch": 7})
    for variant in variants(given, full=False):
        assert variant.scenario.consumers.prefetch == 7
        assert variant.scenario.timing == given.timing
    assert given.consumers.competing == 1


def test_only_a_full_run_sweeps_what_is_kept_for_it() -> None:
    given = scenario(sweep=COMPETING, full_sweep={"consumers.competing": [1, 2, 8]})
    assert len(variants(given, full=False)) == 2
    assert [v.params["competing"] for v in variants(given, full=True)] == [1, 2, 8]


def test_a_share_of_capacity_is_read_as_one() -> None:
    shares = [
        variant.scenario.arrivals.capacity_share
        for variant in variants(scenario(sweep=RATES), full=False)
    ]
    assert shares == [None, 0.3, 0.6]


def test_a_switch_is_shown_as_it_is_written() -> None:
    made = variants(scenario(sweep={"promise.durable": [True, False]}), full=False)
    assert [variant.params["durable"] for variant in made] == ["true", "false"]
    assert [variant.scenario.promise.durable for variant in made] == [True, False]


def test_an_emulator_gets_its_own_values_and_a_sweep_of_them_is_one_cell() -> None:
    given = scenario(sweep=RATES | COMPETING, emulator={"arrivals.rate_per_s": 100})
    made = variants(for_emulator(given), full=True)
    assert [variant.params for variant in made] == [
        {"rate_per_s": 100, "competing": 1},
        {"rate_per_s": 100, "competing": 2},
    ]
    assert {variant.scenario.arrivals.fixed_rate_per_s for variant in made} == {100}


def test_an_emulator_without_values_of_its_own_changes_nothing() -> None:
    given = scenario(sweep=RATES)
    assert for_emulator(given) == given


@pytest.mark.parametrize("rate", [5, 500, "30 %"])
def test_smoke_is_short_and_moderate(rate: float | str) -> None:
    made = scenario(arrivals={"rate_per_s": rate}).shortened()
    assert (made.timing.warmup_s, made.timing.measure_s) == (0.2, 0.8)
    assert made.arrivals.fixed_rate_per_s == (5 if rate == 5 else 200)


def test_smoke_of_a_backlog_still_has_consumers_away() -> None:
    given = scenario(
        experiment="backlog", consumers={"away_s": 5.0}, timing={"measure_s": 8.0}, sweep=RATES
    )
    (only,) = variants(given.shortened(), full=False)
    assert 0 < only.scenario.consumers.away_s < only.scenario.timing.measure_s


def test_stretching_changes_the_measured_time_alone() -> None:
    made = scenario().stretched(2.0)
    assert made.timing.measure_s == 6.0
    assert made.timing.warmup_s == 0.5
    assert made.arrivals == scenario().arrivals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sweep": {"title": ["a"]}}, "sweep.title: no such key"),
        ({"sweep": {"timing.measure_s": [1.0]}}, "sweep.timing.measure_s: no such key"),
        ({"sweep": {"consumers": [1]}}, "sweep.consumers: no such key"),
        ({"full_sweep": {"consumers.competing": [0]}}, "full_sweep.consumers.competing.0: 0 does"),
    ],
)
def test_a_wrong_sweep_made_in_code_is_named_too(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        variants(scenario(**change), full=True)
    assert str(caught.value).startswith(f"{Path('made.yaml')}:1: {message}")


KEYS = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join), unique=True, max_size=6
)


@given(KEYS)
def test_short_names_are_unique_endings(keys: list[str]) -> None:
    names = short_names(keys)
    assert len(set(names)) == len(keys)
    assert all(key.endswith(name) for key, name in zip(keys, names, strict=True))


def test_short_names_are_as_short_as_can_be() -> None:
    assert short_names(["consumers.competing", "arrivals.rate_per_s"]) == [
        "competing",
        "rate_per_s",
    ]
    assert short_names(["a.kind", "b.kind"]) == ["a.kind", "b.kind"]
