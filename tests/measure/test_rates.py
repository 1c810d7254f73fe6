import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebench.measure.rates import (
    GROWTH_SHARE,
    drain_rate,
    growth,
    held,
    rate_metrics,
    sent_share,
    throughput,
)
from tests.synthetic.segment import Seconds, delivery, segment

RNG_SEEDS = st.integers(0, 2**32 - 1)


def test_throughput_of_a_segment_that_held_is_the_rate() -> None:
    assert throughput(segment(2000, 1000, latency_s=0.3), 2.0) == pytest.approx(1000, rel=0.001)


def test_throughput_counts_what_every_subscriber_got_on_average() -> None:
    assert throughput(segment(1000, 1000, subscribers=3), 1.0) == pytest.approx(1000, rel=0.001)
    assert throughput(segment(1000, 1000, lost=range(0, 1000, 4)), 1.0) == pytest.approx(
        750, rel=0.01
    )


def test_throughput_of_an_overloaded_segment_is_what_came_through() -> None:
    """Twice its capacity: half comes through while it is sent, the rest when nobody counts."""
    wait_s = np.arange(1000) / 1000
    assert throughput(segment(1000, 1000, latency_s=wait_s), 1.0) < 800


def test_nothing_delivered_is_no_throughput() -> None:
    assert throughput(segment(10, deliveries=[]), 1.0) == 0.0
    assert drain_rate(segment(10, deliveries=[])) == 0.0


def test_drain_rate_runs_from_the_first_intended_send_to_the_last_arrival() -> None:
    late_s = 1.0 - np.arange(500) / 1000
    assert drain_rate(segment(500, 1000, late_s=late_s, latency_s=0.0)) == pytest.approx(500)


def test_a_segment_without_messages_has_no_rates() -> None:
    empty = segment(0)
    assert (throughput(empty, 1.0), drain_rate(empty), sent_share(empty, 1.0)) == (0, 0, 0)


def test_all_sent_in_time_is_the_whole_rate() -> None:
    assert sent_share(segment(1000, 1000), 1.0) == 1.0


def test_unsent_messages_lower_the_share() -> None:
    assert sent_share(segment(1000, 1000, unsent=range(900, 1000)), 1.0) == pytest.approx(0.9)


def test_messages_sent_after_the_end_stretch_the_time() -> None:
    assert sent_share(segment(1000, 1000, late_s=0.251), 1.0) == pytest.approx(
        1 / (1 + 0.25 - 0.02), rel=1e-3
    )


def test_lateness_within_the_machines_own_is_forgiven() -> None:
    assert sent_share(segment(1000, 1000, late_s=0.015), 1.0) == 1.0


@given(RNG_SEEDS)
def test_flat_noise_is_not_taken_for_much_growth(seed: int) -> None:
    wait_s = np.random.default_rng(seed).exponential(0.02, 2000)
    assert growth(segment(2000, 1000, latency_s=wait_s)) < GROWTH_SHARE


def test_flat_noise_is_seldom_taken_for_growth_at_all() -> None:
    """One-sided at p = 0.01: of 400 segments without growth about 4 show some."""
    slopes = [
        growth(segment(600, 1000, latency_s=np.random.default_rng(s).exponential(0.02, 600)))
        for s in range(400)
    ]
    assert sum(slope > 0 for slope in slopes) <= 12


@given(RNG_SEEDS, st.floats(0.10, 2.0))
def test_overload_of_ten_percent_or_more_is_growth(seed: int, over: float) -> None:
    """At a rate ``over`` times above capacity a message due at t waits over × t longer."""
    noise_s = np.random.default_rng(seed).exponential(0.002, 1000)
    wait_s: Seconds = over * np.arange(1000) / 1000 + noise_s
    assert growth(segment(1000, 1000, latency_s=wait_s)) == pytest.approx(over, rel=0.1)


def test_growth_is_seen_in_what_did_arrive() -> None:
    wait_s: Seconds = 0.5 * np.arange(1000) / 1000
    seen = segment(1000, 1000, latency_s=wait_s, lost=range(0, 1000, 3), subscribers=2)
    assert growth(seen) == pytest.approx(0.5, rel=0.01)


def test_growth_needs_arrivals_to_be_judged_by() -> None:
    assert growth(segment(11, latency_s=np.linspace(0, 10, 11))) == 0.0
    assert growth(segment(100, deliveries=[])) == 0.0


def test_a_wait_that_shrinks_is_not_growth() -> None:
    wait_s: Seconds = 1.0 - np.arange(1000) / 2000
    assert growth(segment(1000, 1000, latency_s=wait_s)) == 0.0


def test_a_segment_that_holds_has_no_reason() -> None:
    verdict = held(segment(1000, 1000), 1.0, 250)
    assert (verdict.rate, verdict.flat, verdict.slo, verdict.all) == (True, True, True, True)
    assert verdict.reason == ""


def test_each_failing_is_named() -> None:
    short = held(segment(1000, 1000, unsent=range(500, 1000)), 1.0, 250)
    assert (short.rate, short.reason) == (False, "sent 50.0% of the rate asked for")
    growing = held(segment(1000, 1000, latency_s=np.arange(1000) / 5000), 1.0, 250)
    assert growing.reason == "backlog grew: each second added 200 ms to the wait"
    slow = held(segment(1000, 1000, latency_s=0.3), 1.0, 250)
    assert (slow.slo, slow.reason) == (False, "end-to-end p99 300 ms over 250 ms")
    assert [verdict.all for verdict in (short, growing, slow)] == [False] * 3


def test_a_rate_that_was_sent_and_not_taken_does_not_hold() -> None:
    refused = held(segment(1000, 1000, unconfirmed=range(100)), 1.0, 250)
    assert (refused.rate, refused.confirmed, refused.delivered, refused.all) == (
        True,
        False,
        True,
        False,
    )
    assert refused.reason == "90.0% of what was sent was confirmed"


def test_without_confirms_none_are_missed() -> None:
    silent = segment(1000, 1000, unconfirmed=range(1000), confirms=False)
    assert held(silent, 1.0, 250).all


def test_a_rate_that_one_subscriber_did_not_get_does_not_hold() -> None:
    whole = delivery(range(1000), subscriber=0)
    half = delivery(range(0, 1000, 2), subscriber=1)
    missed = held(segment(1000, 1000, subscribers=2, deliveries=[whole, half]), 1.0, 1e6)
    assert (missed.confirmed, missed.delivered) == (True, False)
    assert "50.0% of what was sent was delivered" in missed.reason


def test_the_slo_is_on_response_time() -> None:
    assert not held(segment(1000, 1000, late_s=0.019, latency_s=0.002), 1.0, 20).slo


def test_nothing_delivered_does_not_hold() -> None:
    assert not held(segment(100, deliveries=[]), 1.0, 250).all


def test_bytes_are_those_of_bodies() -> None:
    found = rate_metrics(segment(1000, 1000, size_bytes=2000), 1.0)
    assert found["throughput"].value == pytest.approx(1000, rel=0.002)
    assert found["throughput_bytes"].value == pytest.approx(2.0, rel=0.002)
    assert (found["throughput"].unit, found["throughput_bytes"].unit) == ("msg/s", "MB/s")
