"""A segment over time: the bins of synthetic segments are what arithmetic gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spikebench.measure.ledger import account
from spikebench.measure.recovery import fault_metrics
from spikebench.measure.series import MOST_BINS, over_time
from tests.synthetic.segment import T0_NS, delivery, segment

STALL_S, BACK_S = 1.0, 4.01
DUE_S = np.arange(6000) / 1000
STALLED = (DUE_S >= STALL_S) & (DUE_S < 4)
LATENCY_S = np.where(STALLED, BACK_S - DUE_S, 0.0005)
"""1,000 a second for 6 s; what is due from 1 s to 4 s arrives at 4.01 s."""


def test_a_stall_is_a_silence_and_then_a_burst() -> None:
    found = over_time(segment(6000, latency_s=LATENCY_S))
    assert found["t"] == [round(0.1 * n, 3) for n in range(60)]
    assert found["sent_per_s"] == [1000.0] * 60
    assert found["confirmed_per_s"] == [1000.0] * 60
    silence, burst = [0.0] * 30, [3100 / 0.1]  # the 3,000 that waited, and 100 that are due then
    assert found["delivered_per_s"] == [1000.0] * 10 + silence + burst + [1000.0] * 19


def test_a_wait_is_that_of_the_messages_due_then() -> None:
    found = over_time(segment(6000, latency_s=LATENCY_S))
    assert found["due_t"] == found["t"]
    waits = dict(zip(found["due_t"], found["end_to_end_max_ms"], strict=True))
    assert [waits[at] for at in (0.9, 1.0, 2.0, 3.9, 4.0)] == [0.5, 3010, 2010, 110, 0.5]


def test_bins_add_up_to_the_account() -> None:
    latency_s = np.random.default_rng(3).exponential(0.3, 4000)
    lost, unsent = range(500, 700), range(3990, 4000)
    seen = segment(4000, 500, latency_s=latency_s, lost=lost, unsent=unsent, unconfirmed=[7])
    found, ledger = over_time(seen), account(seen, "none")
    width_s = found["t"][1]
    for name, expected in (
        ("sent_per_s", ledger.sent),
        ("confirmed_per_s", ledger.confirmed),
        ("delivered_per_s", ledger.delivered),
    ):
        assert sum(found[name]) * width_s == pytest.approx(expected), name
    assert sum(found["undelivered"]) == fault_metrics(seen, T0_NS)["undelivered"].value == 200
    assert len({len(found[name]) for name in found if name != "end_to_end_max_ms"}) <= 2


def test_what_never_came_is_counted_when_it_was_due_and_leaves_no_wait() -> None:
    found = over_time(segment(3000, latency_s=0.0005, lost=range(1000, 1200)))
    assert [n for n, gone in enumerate(found["undelivered"]) if gone] == [10, 11]
    assert found["undelivered"][10] == 100
    assert {1.0, 1.1}.isdisjoint(found["due_t"])
    assert len(found["due_t"]) == len(found["t"]) - 2


def test_a_repeat_is_no_second_delivery() -> None:
    seen = segment(1000)
    (first,) = seen.deliveries
    again = delivery(first.seq[:100].tolist(), first.received_ns[:100] + 2 * 10**9)
    found = over_time(replace(seen, deliveries=(first, again)))
    assert sum(found["delivered_per_s"]) * 0.1 == pytest.approx(1000)
    assert found["t"][-1] == 1.0  # where the last message of all came, 1 ms after it was due


def test_deliveries_are_the_mean_over_subscribers() -> None:
    seen = segment(1000, subscribers=2)
    half = replace(seen, deliveries=(seen.deliveries[0], delivery([], subscriber=1)))
    assert sum(over_time(seen)["delivered_per_s"]) * 0.1 == pytest.approx(1000)
    found = over_time(half)
    assert sum(found["delivered_per_s"]) * 0.1 == pytest.approx(500)
    assert sum(found["undelivered"]) == 1000
    assert len(found["due_t"]) > 0  # a wait is known of those that one of them got


def test_without_confirms_there_is_no_rate_of_them() -> None:
    assert "confirmed_per_s" not in over_time(segment(100, confirms=False))


@pytest.mark.parametrize(
    ("seconds", "width_s"), [(1, 0.1), (14, 0.1), (16, 0.25), (40, 0.5), (600, 5.0), (10**5, 300.0)]
)
def test_a_longer_segment_has_wider_bins_and_not_many_more(seconds: int, width_s: float) -> None:
    found = over_time(segment(seconds + 1, 1.0))
    assert found["t"][1] == width_s
    assert len(found["t"]) <= MOST_BINS or width_s == 300.0


def test_where_nothing_came_there_is_no_wait() -> None:
    found = over_time(segment(100, lost=range(100)))
    assert found["due_t"] == found["end_to_end_max_ms"] == []
    assert sum(found["undelivered"]) == 100
