from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rates import (
    confirm_ms,
    confirm_quantile_us,
    confirmed_per_s,
    picked,
    received_per_s,
    require_held,
    whole_ms,
)
from spikebench.measure.observation import Delivery, Observation, Usage

S = 1_000_000_000
T0 = 5_000 * S


def segment(sent_s: list[float], latency_us: list[float], travel_s: float = 0.0) -> Observation:
    """Messages sent when told, confirmed after a latency, received after a while."""
    sent = T0 + (np.array(sent_s) * S).astype(np.int64)
    confirmed = sent + (np.array(latency_us) * 1_000).astype(np.int64)
    seq = np.arange(len(sent_s), dtype=np.int32)
    return Observation(
        first_seq=0,
        intended_ns=np.full(len(sent), T0),
        sent_ns=sent,
        confirmed_ns=confirmed,
        key=np.zeros(len(sent), np.int32),
        size_bytes=np.full(len(sent), 1_024, np.int32),
        subscribers=1,
        deliveries=(Delivery(0, 0, seq, sent + int(travel_s * S), 0),),
        usage=Usage(None, 0.0, 1.0, None, 0),
    )


def test_confirmed_runs_from_the_first_send_to_the_last_confirm() -> None:
    seen = segment([0.5, 1.0, 1.5], [1_000, 1_000, 1_000_000])
    assert confirmed_per_s(seen) == pytest.approx(3 / 2.0)


def test_the_warm_up_is_left_out_of_the_count_and_of_the_time() -> None:
    seen = segment([0.0, 0.1, 1.0, 2.0], [500_000] * 4)
    assert confirmed_per_s(seen, warm_up=2) == pytest.approx(2 / 1.5)


def test_a_rate_that_was_not_sent_has_no_figure() -> None:
    seen = segment([n / 1_000 for n in range(200)], [10] * 200)
    require_held(seen, 1_000)
    seen.sent_ns[-2:] = 0
    require_held(seen, 1_000)
    seen.sent_ns[-3:] = 0
    with pytest.raises(RuntimeError, match=r"98% of 1,000 msg/s were sent"):
        require_held(seen, 1_000)


def test_a_message_without_a_confirm_is_not_passed_over() -> None:
    seen = segment([0.0, 0.1], [10, 10])
    seen.confirmed_ns[1] = 0
    with pytest.raises(RuntimeError, match="1 of 2"):
        confirmed_per_s(seen)


def test_received_counts_arrivals_within_the_window_only() -> None:
    seen = segment([0.0, 1.0, 2.0, 2.2, 3.4], [1] * 5, travel_s=0.5)
    assert received_per_s(seen, 1, 3) == pytest.approx(3 / 2)


def test_a_quantile_is_taken_of_each_second_and_then_their_geometric_mean() -> None:
    sent = [*np.linspace(0, 0.9, 11), *np.linspace(1, 1.9, 11), *np.linspace(2, 2.9, 11)]
    seen = segment([float(s) for s in sent], [9e6] * 11 + [100.0] * 11 + [400.0] * 11)
    assert confirm_quantile_us(seen, 0.5, 1, 3) == pytest.approx(200.0)


def test_latencies_after_the_warm_up_are_in_ms() -> None:
    seen = segment([0.0, 0.1, 0.2], [9_000.0, 1_000.0, 2_500.0])
    assert confirm_ms(seen, warm_up=1).tolist() == pytest.approx([1.0, 2.5])


def test_a_clock_of_whole_ms_is_met_at_any_moment_of_its_tick() -> None:
    even = [0.001 * n for n in range(20_000)]
    counted = whole_ms(segment(even, [1_300.0] * len(even)), warm_up=0)
    assert set(counted.tolist()) == {1.0, 2.0}
    assert float(counted.mean()) == pytest.approx(1.3, abs=0.02)


def test_a_picked_quantile_is_one_of_the_values() -> None:
    assert picked(np.array([4.0, 1.0, 3.0, 2.0]), 0.5) == 3.0


def test_latencies_of_what_was_not_confirmed_are_refused() -> None:
    seen = segment([0.0, 0.1], [10, 10])
    seen.confirmed_ns[1] = 0
    for counted in (confirm_ms, whole_ms):
        with pytest.raises(RuntimeError, match="1 of 2"):
            counted(seen, 0)
