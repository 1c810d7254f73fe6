"""Requirements: met, not met or not shown, and the figure each turned on."""

from __future__ import annotations

import pytest

from spikebench.candidate import Capabilities, Ordering
from spikebench.record.trials import Trials
from spikebench.report.requirement import judge
from spikebench.scenario.model import Requires
from tests.report.synthetic import ledger, record

KEYED = Capabilities(ordering="key")


def cell(candidate: str = "kafka", n: int = 6, /, **values: float) -> Trials:
    return Trials(tuple(record(candidate, block, values) for block in range(n)))


def spread(metric: str, *values: float) -> Trials:
    return Trials(tuple(record("kafka", n, {metric: value}) for n, value in enumerate(values)))


def test_a_scenario_that_requires_nothing_is_met() -> None:
    assert judge(Requires(), cell()).outcome == "met"


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ((50, 52, 49, 51, 50, 50), "met"),
        ((150, 152, 149, 151, 150, 150), "not met"),
        ((60, 140, 80, 120, 95, 110), "not shown"),
        ((50, 52, 49), "not shown"),
    ],
)
def test_a_bound_is_judged_by_where_the_interval_lies(
    values: tuple[float, ...], outcome: str
) -> None:
    found = judge(Requires(end_to_end_p99_ms=100), spread("end_to_end_p99", *values))
    assert found.outcome == outcome
    assert bool(found.reasons) == (outcome != "met")


def test_a_withheld_percentile_is_not_shown() -> None:
    few = Trials(tuple(record("kafka", n, {"publish_p99": None}) for n in range(6)))
    found = judge(Requires(publish_p99_ms=10), few)
    assert (found.outcome, found.reasons) == (
        "not shown",
        ("publish_p99: too few samples or trials",),
    )


def test_one_lost_message_is_enough() -> None:
    trials = [record("kafka", n, ledger=ledger(lost=int(n == 3))) for n in range(6)]
    found = judge(Requires(lost=0, end_to_end_p99_ms=1), Trials(tuple(trials)))
    assert (found.outcome, found.reasons) == (
        "not met",
        ("1 confirmed messages lost, 0 allowed",),
    )


def test_a_loss_needs_no_six_trials_and_no_real_service() -> None:
    lost = Trials((record("sqs-fifo", 0, ledger=ledger(lost=2)),))
    assert judge(Requires(lost=0, rate_per_s=100), lost).outcome == "not met"


def test_timings_of_an_emulator_show_nothing() -> None:
    quick = cell("sqs-fifo", end_to_end_p99=1.0, throughput=200.0)
    found = judge(Requires(end_to_end_p99_ms=100, rate_per_s=100, headroom=2), quick)
    assert found.outcome == "not shown"
    assert found.reasons == ("an emulator's timings say nothing of the service",)
    assert found.headroom is None


@pytest.mark.parametrize(
    ("promised", "asked", "outcome"),
    [
        ("none", "key", "not met"),
        ("key", "queue", "not met"),
        ("key", "key", "met"),
        ("queue", "key", "met"),
    ],
)
def test_an_order_that_is_not_promised_is_not_met(
    promised: Ordering, asked: Ordering, outcome: str
) -> None:
    found = judge(Requires(ordering=asked), cell(), Capabilities(ordering=promised))
    assert found.outcome == outcome


def test_a_declaration_decides_even_where_nothing_ran() -> None:
    away = Trials((record("sqs-standard", 0, {}, status="unavailable", reason="no engine"),))
    assert judge(Requires(ordering="key"), away, Capabilities(ordering="none")).outcome == "not met"
    assert judge(Requires(ordering="key"), away, KEYED).outcome == "not shown"


def test_a_promise_that_was_broken_is_not_met() -> None:
    broken = Trials(tuple(record("kafka", n, ledger=ledger(reordered=1)) for n in range(6)))
    found = judge(Requires(ordering="key"), broken, KEYED)
    assert (found.outcome, found.reasons) == ("not met", ("6 messages out of order",))


def test_an_unknown_promise_is_not_shown() -> None:
    assert judge(Requires(ordering="key"), cell(), None).outcome == "not shown"


def test_a_rate_is_shown_by_trials_that_held_it() -> None:
    asked = Requires(rate_per_s=200)
    assert judge(asked, cell(throughput=197.0)).outcome == "met"
    slower = judge(asked, cell(throughput=100.0))
    assert slower.outcome == "not shown"
    assert slower.reasons == ("measured at 100 msg/s, required is 200 msg/s",)
    assert judge(asked, cell(throughput=100.0, capacity=150.0)).outcome == "not met"


@pytest.mark.parametrize(
    ("values", "outcome", "seen"),
    [
        ({"headroom": 4.0}, "met", 4.0),
        ({"headroom": 2.0}, "not met", 2.0),
        ({"capacity": 900.0}, "met", 4.5),
        ({"capacity": 300.0}, "not met", 1.5),
        ({}, "not shown", None),
    ],
)
def test_headroom_is_measured_or_not_shown(
    values: dict[str, float], outcome: str, seen: float | None
) -> None:
    found = judge(Requires(rate_per_s=200, headroom=3), cell(throughput=200.0, **values))
    assert (found.outcome, found.headroom) == (outcome, seen)


def test_void_trials_show_nothing_and_say_why() -> None:
    void = Trials((record("kafka", 0, status="void", reason="the generator was late"),))
    found = judge(Requires(lost=0), void)
    assert found.outcome == "not shown"
    assert found.reasons == ("no valid trial: the generator was late",)
