"""Requirements: met, not met or not shown, and the figure each turned on."""

from __future__ import annotations

import pytest

from spikebench.candidate import Capabilities, Ordering
from spikebench.record import Metric, Record
from spikebench.record.trials import Trials
from spikebench.report.message_requirement import judge
from spikebench.report.requirement import Headroom
from spikebench.scenario.messages import Requires
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
        ({"headroom": 4.0}, "met", Headroom(4.0)),
        ({"headroom": 2.0}, "not shown", Headroom(2.0)),
        ({"headroom": 3.0, "headroom_failed": 3.6}, "met", Headroom(3.0, 3.6)),
        ({"headroom": 2.5, "headroom_failed": 3.0}, "not met", Headroom(2.5, 3.0)),
        ({"headroom": 2.6, "headroom_failed": 3.1}, "not shown", Headroom(2.6, 3.1)),
        ({"capacity": 900.0}, "met", Headroom(4.5, exact=True)),
        ({"capacity": 300.0}, "not met", Headroom(1.5, exact=True)),
        ({}, "not shown", None),
    ],
)
def test_headroom_is_measured_or_not_shown(
    values: dict[str, float], outcome: str, seen: Headroom | None
) -> None:
    found = judge(Requires(rate_per_s=200, headroom=3), cell(throughput=200.0, **values))
    assert (found.outcome, found.headroom) == (outcome, seen)


def test_void_trials_show_nothing_and_say_why() -> None:
    void = Trials((record("kafka", 0, status="void", reason="the generator was late"),))
    found = judge(Requires(lost=0), void)
    assert found.outcome == "not shown"
    assert found.reasons == ("no valid trial: the generator was late",)


def test_the_resolution_of_a_search_is_said() -> None:
    between = cell(headroom=2.6, headroom_failed=3.1)
    assert judge(Requires(headroom=3), between).reasons == (
        "between 2.60× and 3.10×: the search is no finer; required is 3×",
    )


def searched(block: int, **values: float | None) -> Record:
    return record("kafka", block, {"throughput": 200.0, **values})


def test_trials_before_the_search_take_nothing_from_its_headroom() -> None:
    early = [searched(n) for n in (0, 1)]
    late = [searched(n, headroom=3.4, headroom_failed=4.1) for n in (2, 3, 4, 5)]
    found = judge(Requires(rate_per_s=200, headroom=3), Trials((*early, *late)))
    assert (found.outcome, found.headroom) == ("met", Headroom(3.4, 4.1))


def test_a_trial_that_withholds_headroom_does_not_hide_that_of_others() -> None:
    trials = [searched(0, headroom=3.4, headroom_failed=4.1), searched(1, headroom=None)]
    assert judge(Requires(headroom=3), Trials(tuple(trials))).outcome == "met"


def test_two_searches_that_contradict_each_other_show_nothing() -> None:
    trials = [
        searched(0, headroom=1.0, headroom_failed=1.2),
        searched(1, headroom=5.0, headroom_failed=6.0),
    ]
    found = judge(Requires(headroom=3), Trials(tuple(trials)))
    assert (found.outcome, found.headroom) == ("not shown", Headroom(1.0, 6.0))


def test_a_withheld_headroom_says_why() -> None:
    withheld = Metric(value=None, unit="ratio", n=1, note="the search met a broker that was down")
    trials = tuple(record("kafka", n, metrics={"headroom": withheld}) for n in range(6))
    assert judge(Requires(headroom=3), Trials(trials)).reasons == (
        "headroom: the search met a broker that was down",
    )


def with_void(lost: int = 0, status: str = "void") -> Trials:
    """Six good trials, and two that did not hold the rate."""
    good = {"throughput": 199.0, "end_to_end_p99": 50.0, "headroom": 4.0}
    held = [record("kafka", n, good) for n in range(6)]
    reason = "backlog grew: each second added 90 ms to the wait"
    grown = [
        record("kafka", n, good, status=status, reason=reason, ledger=ledger(lost=lost))
        for n in (6, 7)
    ]
    return Trials((*held, *grown))


@pytest.mark.parametrize(
    "asked",
    [Requires(rate_per_s=200), Requires(end_to_end_p99_ms=100), Requires(headroom=3)],
)
@pytest.mark.parametrize("status", ["void", "failed"])
def test_what_held_only_in_some_trials_is_not_shown(asked: Requires, status: str) -> None:
    found = judge(asked, with_void(status=status))
    assert found.outcome == "not shown"
    assert found.reasons == ("2 void of 8 trials: what the others held is no proof",)
    assert judge(asked, Trials(with_void().valid)).outcome == "met"


def test_what_the_generator_spoilt_and_was_measured_again_hides_nothing() -> None:
    asked = Requires(rate_per_s=200, end_to_end_p99_ms=100, headroom=3)
    held = Trials(with_void().valid)
    spoilt = record("kafka", 3, status="void", reason="the generator was late", limit="client")
    alone = spoilt.model_copy(update={"block": 9})
    broker = spoilt.model_copy(update={"limit": "unknown"})
    assert judge(asked, Trials((*held.records, spoilt))).outcome == "met"
    for void in (alone, broker):
        found = judge(asked, Trials((*held.records, void)))
        assert found.reasons == ("1 void of 7 trials: what the others held is no proof",)


def test_void_trials_do_not_excuse_a_bound_that_is_missed() -> None:
    assert judge(Requires(end_to_end_p99_ms=10), with_void()).outcome == "not met"


def test_the_same_reason_is_given_once() -> None:
    asked = Requires(rate_per_s=200, end_to_end_p99_ms=100, headroom=3)
    assert len(judge(asked, with_void()).reasons) == 1


def test_a_confirmed_message_lost_in_a_void_trial_is_lost() -> None:
    found = judge(Requires(lost=0), with_void(lost=1))
    assert (found.outcome, found.reasons) == (
        "not met",
        ("2 confirmed messages lost, 2 of them in void trials, 0 allowed",),
    )
    only_void = Trials(tuple(t for t in with_void(lost=1).records if t.status == "void"))
    assert judge(Requires(lost=0), only_void).outcome == "not met"


def test_what_a_broken_consumer_did_not_get_is_not_lost() -> None:
    assert judge(Requires(lost=0), with_void(lost=9, status="failed")).outcome == "met"


def test_an_order_broken_in_a_void_trial_is_broken() -> None:
    broken = record("kafka", 6, status="void", reason="late", ledger=ledger(reordered=1))
    found = judge(Requires(ordering="key"), Trials((*cell().records, broken)), KEYED)
    assert (found.outcome, found.reasons) == ("not met", ("1 messages out of order",))
