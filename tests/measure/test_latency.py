from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebench.measure.latency import (
    latencies,
    latency_metrics,
    negative,
    quantiles,
    samples_needed,
    spreads,
)
from spikebench.measure.observation import Observation
from tests.synthetic.segment import T0_NS, delivery, segment

MS = 1_000_000


def test_each_latency_runs_between_its_own_two_moments() -> None:
    found = latencies(segment(4, 10, late_s=0.002, latency_s=0.030, confirm_s=0.010))
    assert found["lateness"].tolist() == [2 * MS] * 4
    assert found["publish"].tolist() == [10 * MS] * 4
    assert found["service"].tolist() == [30 * MS] * 4
    assert found["end_to_end"].tolist() == [32 * MS] * 4


def test_every_subscriber_has_samples_and_of_repeats_the_first_counts() -> None:
    at = T0_NS + np.array([5, 9, 7]) * MS
    seen = segment(
        1, subscribers=2, deliveries=[delivery([0, 0], at[:2]), delivery([0], at[2:], subscriber=1)]
    )
    assert latencies(seen)["end_to_end"].tolist() == [5 * MS, 7 * MS]


def test_what_was_lost_refused_or_not_sent_has_no_latency() -> None:
    found = latencies(segment(10, unsent=[9], unconfirmed=[0, 1], lost=[4]))
    assert {name: len(samples) for name, samples in found.items()} == {
        "lateness": 9,
        "publish": 7,
        "service": 8,
        "end_to_end": 8,
    }


def test_waiting_behind_a_blocked_send_is_not_the_generators_lateness() -> None:
    """Message 1, 1 ms late, took the client library until 35 ms; 2 and 3 were due meanwhile."""
    late_s = np.array([0.0, 0.001, 0.015, 0.005, 0.002])
    seen = segment(5, 100, late_s=late_s)
    assert seen.sent_ns[2] > seen.intended_ns[3]
    blocked_at_2 = replace(seen, intended_ns=seen.intended_ns - np.array([0, 0, 10, 0, 0]) * MS)
    assert latencies(blocked_at_2)["lateness"].tolist() == [0, 1 * MS, 1 * MS, 1 * MS, 2 * MS]


def test_what_a_full_window_or_a_long_call_held_back_is_not_the_generators_lateness() -> None:
    """Messages 1 to 4 go out 40 ms late: the first of them was held until 1 ms before it went."""
    late_s = np.array([0.0, 0.040, 0.030, 0.020, 0.010])
    seen = segment(5, 100, late_s=late_s)
    assert latencies(seen)["lateness"].tolist() == [0, 40 * MS, 30 * MS, 20 * MS, 10 * MS]
    held = np.array([0, seen.sent_ns[1] - MS, 0, 0, 0])
    by_it = replace(seen, held_until_ns=held)
    assert latencies(by_it)["lateness"].tolist() == [0, 1 * MS, 1 * MS, 1 * MS, 1 * MS]


def test_a_generator_that_is_late_after_it_was_let_go_is_late() -> None:
    """Held until 2 ms after it was due, and then sent 30 ms later than that."""
    seen = segment(2, 100, late_s=np.array([0.0, 0.032]))
    held = replace(seen, held_until_ns=np.array([0, seen.intended_ns[1] + 2 * MS]))
    assert latencies(held)["lateness"].tolist() == [0, 30 * MS]


def test_followers_of_a_late_message_are_late_with_it() -> None:
    """Message 2 was sent 15 ms late for no reason but the generator's; 3 came due meanwhile."""
    late_s = np.array([0.001, 0.001, 0.015, 0.005, 0.002])
    found = latencies(segment(5, 100, late_s=late_s))["lateness"]
    assert found.tolist() == [1 * MS, 1 * MS, 15 * MS, 5 * MS, 2 * MS]


def test_deliveries_of_one_message_to_several_subscribers_are_one_piece_of_evidence() -> None:
    """200 messages to 3 subscribers are 600 samples, and too few for p99 all the same."""
    found = latency_metrics(spreads(segment(200, subscribers=3)))
    assert len(latencies(segment(200, subscribers=3))["end_to_end"]) == 600
    assert (found["end_to_end_p99"].value, found["end_to_end_p99"].n) == (None, 200)
    assert found["end_to_end_p95"].value == pytest.approx(1.0)


def blocked(every_s: float, for_s: float, rate_per_s: float, length_s: float) -> Observation:
    """A client that blocks ``for_s`` at the start of each ``every_s``, then catches up at once.

    A message takes 1 ms from its actual send; the one that is blocked takes the block as well.
    """
    due = np.arange(round(rate_per_s * length_s)) / rate_per_s
    within = due % every_s
    starts = within < 0.5 / rate_per_s
    late_s = np.where((within < for_s) & ~starts, for_s - within, 0.0)
    latency_s = np.where(starts, for_s, 0.0) + 0.001
    return segment(len(due), rate_per_s, late_s=late_s, latency_s=latency_s)


def test_response_time_shows_a_stall_that_service_time_omits() -> None:
    """0.5 s of every 2 s stalled at 500 msg/s: of 1,000 messages 250 wait, evenly up to 0.5 s.

    The worst 1 % are 10 of those 250, so response p99 is 0.5 s × (1 - 10/250) = 0.48 s; only one
    message in 1,000 is slow from its actual send.
    """
    seen = blocked(every_s=2, for_s=0.5, rate_per_s=500, length_s=20)
    found = latency_metrics(spreads(seen))
    assert found["end_to_end_p99"].value == pytest.approx(481, abs=2)
    assert found["end_to_end_p50"].value == pytest.approx(1.0)
    assert found["service_p99"].value == pytest.approx(1.0)
    assert int((latencies(seen)["service"] > 2 * MS).sum()) == 10


def test_samples_needed_are_three_beyond_the_quantile() -> None:
    assert [samples_needed(q) for q in (0.5, 0.95, 0.99, 0.999)] == [6, 60, 300, 3000]


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99, 0.999])
def test_a_quantile_is_withheld_until_there_are_samples_enough(q: float) -> None:
    enough = samples_needed(q)
    assert quantiles(np.ones(enough - 1, np.int64))[str(q)] is None
    assert quantiles(np.ones(enough, np.int64))[str(q)] == 1.0


def test_a_withheld_metric_says_how_many_samples_it_had_and_needed() -> None:
    withheld = latency_metrics(spreads(segment(299)))["end_to_end_p99"]
    assert (withheld.value, withheld.n) == (None, 299)
    assert withheld.note == "299 messages, 300 needed"


@given(st.permutations(list(range(400))))
def test_quantiles_do_not_depend_on_the_order_of_samples(order: list[int]) -> None:
    found = quantiles(np.array(order, dtype=np.int64))
    assert found == pytest.approx({"0.5": 199.5, "0.95": 379.05, "0.99": 395.01, "0.999": None})


def test_negative_latencies_are_counted_and_not_clipped() -> None:
    seen = segment(10, 1000, latency_s=np.array([0.001] * 7 + [-0.002] * 3))
    assert negative(spreads(seen)) == 6
    assert latencies(seen)["service"].min() == -2 * MS
    assert negative(spreads(segment(10))) == 0
