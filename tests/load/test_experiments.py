import math

import numpy as np
import pytest

from spikebench.load.bench import Capacity
from spikebench.load.experiments import EXPERIMENTS, TRIES, backlog, capacity, latency
from spikebench.scenario.messages import Arrivals, Consumers, MessageScenario, Requires, Timing
from tests.synthetic.queue import QueueSession, bench
from tests.synthetic.workload import scenario

LONG = Timing(warmup_s=0.5, measure_s=2.0, grace_s=0.5)


def steady(**changes: object) -> MessageScenario:
    return scenario(**({"timing": LONG} | changes))


def away(away_s: float = 0.5) -> MessageScenario:
    return steady(experiment="backlog", consumers=Consumers(away_s=away_s))


def test_every_experiment_a_scenario_can_ask_for_is_there() -> None:
    asked = MessageScenario.model_fields["experiment"].annotation
    assert set(EXPERIMENTS) == set(getattr(asked, "__args__", ()))


def test_latency_is_measured_on_its_own_segment_after_a_warm_up() -> None:
    queue = QueueSession(10_000, latency_s=0.02)
    outcome = latency(bench(queue, steady()))
    assert (outcome.status, outcome.reason, outcome.limit) == ("valid", "", "target")
    assert queue.tried == [1000, 1000]
    assert outcome.ledger is not None
    assert outcome.ledger.sent == outcome.ledger.delivered == 2000
    assert outcome.metrics["end_to_end_p50"].value == pytest.approx(20.1, abs=0.01)
    assert outcome.metrics["throughput"].value == pytest.approx(1000, rel=0.01)


def test_without_a_warm_up_there_is_one_segment() -> None:
    queue = QueueSession(10_000)
    latency(bench(queue, steady(timing=Timing(warmup_s=0, measure_s=1))))
    assert queue.tried == [1000]


def test_latency_above_capacity_is_void_with_the_reason() -> None:
    outcome = latency(bench(QueueSession(800), steady()))
    assert outcome.status == "void"
    assert "backlog grew: each second added 250 ms to the wait" in outcome.reason


def test_a_trial_that_lost_its_connection_failed() -> None:
    outcome = latency(bench(QueueSession(10_000, error="ConnectionResetError: gone"), steady()))
    assert (outcome.status, outcome.reason) == ("failed", "ConnectionResetError: gone")


def test_headroom_is_the_known_capacity_over_the_rate_that_is_required() -> None:
    asked = steady(requires=Requires(rate_per_s=500))
    found = latency(bench(QueueSession(10_000), asked, expected_capacity=Capacity(2000.0, 2400.0)))
    assert found.metrics["headroom"].value == 4.0
    assert found.metrics["headroom"].n == 1
    assert found.metrics["headroom_failed"].value == 4.8
    assert "headroom" not in latency(bench(QueueSession(10_000), asked)).metrics
    assert (
        "headroom" not in latency(bench(QueueSession(1), expected_capacity=Capacity(2.0))).metrics
    )


def test_a_capacity_trial_is_measured_around_the_frozen_rate() -> None:
    queue = QueueSession(3000)
    asked = steady(experiment="capacity", requires=Requires(rate_per_s=1000))
    outcome = capacity(bench(queue, asked, rate_per_s=2700.0))
    assert queue.tried[0] == 1350
    assert outcome.status == "valid"
    found = outcome.metrics["capacity"].value or 0.0
    assert 3000 / 1.07 * 0.99 <= found <= 3000 * 1.055
    assert outcome.metrics["headroom"].value == pytest.approx(found / 1000)
    assert outcome.ledger is not None
    assert outcome.ledger.lost == 0


def test_a_capacity_trial_in_which_nothing_held_is_void_with_the_reason() -> None:
    asked = steady(experiment="capacity")
    outcome = capacity(bench(QueueSession(1000, latency_s=0.3), asked, rate_per_s=1000.0))
    assert outcome.status == "void"
    assert outcome.reason.startswith(f"no rate held within {TRIES} tries from 1,000 msg/s down: ")
    assert "capacity" not in outcome.metrics


def test_a_capacity_trial_whose_tries_end_between_far_rungs_is_void() -> None:
    """Strides reach rung 39 with the twelfth try: it fails, and nobody asked the three below it."""
    queue = QueueSession(100 * 1.07**36)
    outcome = capacity(bench(queue, steady(experiment="capacity"), rate_per_s=100.0))
    assert outcome.status == "void"
    assert outcome.reason.endswith("12 tries did not bring them within 7%")
    assert "capacity" not in outcome.metrics


def test_a_capacity_trial_in_which_everything_held_shows_no_capacity() -> None:
    outcome = capacity(bench(QueueSession(10**9), steady(experiment="capacity"), rate_per_s=100.0))
    assert outcome.status == "void"
    assert outcome.reason.startswith("every rate held up to ")
    assert "capacity" not in outcome.metrics


def test_a_capacity_trial_climbs_as_far_as_it_must() -> None:
    outcome = capacity(bench(QueueSession(3000), steady(experiment="capacity"), rate_per_s=2000.0))
    found = outcome.metrics["capacity"].value or 0.0
    assert 3000 / 1.07 * 0.99 <= found <= 3000 * 1.055


def test_a_capacity_trial_says_what_kept_the_next_rate_from_holding() -> None:
    from spikebench.measure.observation import Usage

    queue = QueueSession(3000, usage=Usage(1.95, 0.5, 2.0))
    outcome = capacity(bench(queue, steady(experiment="capacity"), rate_per_s=2900.0))
    assert (outcome.status, outcome.limit) == ("valid", "broker")


def test_draining_takes_what_arithmetic_gives() -> None:
    """Away for 0.5 s at 1,000 msg/s, then 3,000/s: message n, due at n ms, comes at 500 + n/3 ms.

    The lag is down to 100 ms at n = 600, 0.2 s after the return.
    """
    queue = QueueSession(3000, latency_s=0.0, attached_s=0.5)
    outcome = backlog(bench(queue, away()))
    assert queue.opened_later
    assert outcome.metrics["drain_s"].value == pytest.approx(0.20, abs=0.002)
    assert (outcome.status, outcome.reason) == ("valid", "")


def test_a_server_that_never_catches_up_drains_when_the_last_has_arrived() -> None:
    """At 900/s the 1,000 a second of 2 s are done at 0.5 s + 2,000/900 s."""
    queue = QueueSession(900, latency_s=0.0, attached_s=0.5)
    outcome = backlog(bench(queue, away()))
    assert outcome.metrics["drain_s"].value == pytest.approx(2000 / 900, abs=0.01)


def test_a_backlog_that_was_never_drained_has_no_time() -> None:
    outcome = backlog(bench(QueueSession(0.0, attached_s=0.5), away()))
    assert outcome.metrics["drain_s"].value is None
    assert "never arrived" in outcome.metrics["drain_s"].note


def test_the_backlog_is_no_flaw_of_the_experiment_that_makes_it() -> None:
    """Back after 1.9 s of 2 s: nearly all arrive at once, and what waits less came later."""
    outcome = backlog(bench(QueueSession(1200, latency_s=0.0, attached_s=0.2), away()))
    assert outcome.status == "valid"


def test_a_backlog_trial_that_did_not_send_its_rate_stays_void() -> None:
    """With 100 unconfirmed at once the producer is held back, which is not the backlog's doing."""
    queue = QueueSession(300, latency_s=0.0, attached_s=0.5, window=100)
    outcome = backlog(bench(queue, away()))
    assert outcome.status == "void"
    assert "of the rate asked for" in outcome.reason


def test_trials_of_one_seed_draw_the_same_and_warm_up_another() -> None:
    drawn = bench(QueueSession(1), steady(arrivals=Arrivals(kind="poisson", rate_per_s=1000)))
    first, again = (drawn.schedule(1000, 1.0, part=1) for _ in range(2))
    other = drawn.schedule(1000, 1.0, part=0)
    assert np.array_equal(first.offsets_ns, again.offsets_ns)
    assert not np.array_equal(first.offsets_ns, other.offsets_ns)
    assert math.isclose(len(drawn.evenly(1000, 1.0, 1)), 1000)
    assert (np.diff(drawn.evenly(1000, 1.0, 1).offsets_ns) == 1_000_000).all()
