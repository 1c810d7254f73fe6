from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebench.errors import DriverError
from spikebench.load.bench import Bench
from spikebench.load.capacity import COLD_STEP, COLD_TRIES, FLOODS, Ladder, climb, search
from spikebench.load.schedule import Schedule
from spikebench.load.session import Limits, Session
from spikebench.measure.observation import Observation, Usage
from spikebench.measure.rates import GROWTH_SHARE
from tests.synthetic.queue import QueueSession, bench
from tests.synthetic.workload import scenario

LADDER = Ladder(step=1.07, segment_s=1.0, tries=4)
HOLDS_ABOVE = 1 + GROWTH_SHARE + 0.005
"""A rate up to so many times the service rate passes for held: the wait grows too little."""


def as_session(queue: QueueSession) -> Session:
    return queue  # type: ignore[return-value]


def on(queue: QueueSession, **changes: Any) -> tuple[Bench, Session]:
    return bench(queue, **changes), as_session(queue)


@given(st.floats(50, 60_000))
def test_the_service_rate_is_found_within_the_searchs_resolution(rate_per_s: float) -> None:
    found = search(*on(QueueSession(rate_per_s)))
    assert found.seen is not None
    assert rate_per_s / COLD_STEP * 0.99 <= found.rate_per_s <= rate_per_s * HOLDS_ABOVE
    assert found.failed_per_s is not None
    assert rate_per_s * 0.99 <= found.failed_per_s <= found.rate_per_s * COLD_STEP * 1.001
    assert found.tries <= COLD_TRIES


@given(st.floats(200, 60_000), st.floats(0.3, 2.5))
def test_a_search_that_begins_nearby_finds_the_same_without_a_flood(
    rate_per_s: float, off: float
) -> None:
    queue = QueueSession(rate_per_s)
    found = search(*on(queue), near=rate_per_s * off)
    assert found.seen is not None
    assert rate_per_s / COLD_STEP * 0.99 <= found.rate_per_s <= rate_per_s * HOLDS_ABOVE
    assert found.failed_per_s is not None
    assert rate_per_s * 0.99 <= found.failed_per_s <= found.rate_per_s * COLD_STEP * 1.001
    assert queue.tried[0] == pytest.approx(rate_per_s * off, abs=2)  # of whole messages


def test_from_nearby_few_rates_are_tried() -> None:
    for start in (0.9, 1.2):
        queue = QueueSession(10_000)
        search(*on(queue), near=start * 10_000)
        assert len(queue.tried) <= 5


@given(st.floats(200, 20_000), st.sampled_from([0.85, 0.95, 1.0, 1.05, 1.2]))
def test_a_trial_finds_the_rate_within_a_rung_of_where_it_begins(
    rate_per_s: float, start: float
) -> None:
    found = climb(*on(QueueSession(rate_per_s)), start * rate_per_s, LADDER)
    assert found.seen is not None
    assert rate_per_s / LADDER.step * 0.99 <= found.rate_per_s <= rate_per_s * HOLDS_ABOVE
    assert found.tries <= LADDER.tries


@pytest.mark.parametrize("start", [0.7, 1.5, 3.0, 10.0])
def test_a_trial_that_begins_far_off_finds_it_in_few_rates(start: float) -> None:
    """From above it goes down to what came through at once, and not rung by rung."""
    queue = QueueSession(5000)
    found = climb(*on(queue), start * 5000, Ladder(step=1.07, segment_s=1.0, tries=12))
    assert found.seen is not None
    assert 5000 / LADDER.step * 0.99 <= found.rate_per_s <= 5000 * HOLDS_ABOVE
    assert found.failed_per_s == pytest.approx(found.rate_per_s * 1.07, rel=0.002)
    assert found.tries <= 8


def test_what_was_seen_is_of_the_rate_that_is_reported() -> None:
    for found in (
        search(*on(QueueSession(5000))),
        climb(*on(QueueSession(5000)), 4700, LADDER),
        climb(*on(QueueSession(5000)), 5700, LADDER),
    ):
        assert found.seen is not None
        span_s = np.ptp(found.seen.intended_ns) / 1e9
        assert (len(found.seen.intended_ns) - 1) / span_s == pytest.approx(
            found.rate_per_s, rel=0.01
        )


def slowing(rate_per_s: float) -> QueueSession:
    """From 2,000 a second on a message takes 0.4 s, over the SLO of 0.25 s, with a flat backlog."""
    return QueueSession(rate_per_s, slow_above_per_s=2000, slow_s=0.4)


def test_the_slo_bounds_capacity_where_the_server_could_do_more() -> None:
    found = search(*on(slowing(50_000)))
    assert 2000 / COLD_STEP * 0.99 <= found.rate_per_s <= 2000
    climbed = climb(*on(slowing(50_000)), 1900, LADDER)
    assert 2000 / LADDER.step * 0.99 <= climbed.rate_per_s <= 2000


def test_a_looser_slo_lets_the_same_server_do_more() -> None:
    found = search(*on(slowing(10_000), given=scenario(slo_p99_ms=600)))
    assert found.rate_per_s >= 10_000 / COLD_STEP * 0.99


def test_a_small_window_does_not_hide_an_overload() -> None:
    """With 10 unconfirmed at once the backlog waits at the sender, whose schedule goes on."""
    found = search(*on(QueueSession(3000, window=10)))
    assert 3000 / COLD_STEP * 0.99 <= found.rate_per_s <= 3000 * HOLDS_ABOVE


@pytest.mark.parametrize("rate_per_s", [0.0, 1000.0])
def test_where_no_rate_holds_the_reason_is_given(rate_per_s: float) -> None:
    queue = QueueSession(rate_per_s, latency_s=0.3)
    found = search(*on(queue))
    assert found.seen is None
    assert "ms over 250 ms" in found.reason or "inf ms" in found.reason
    assert found.tries == COLD_TRIES


def test_the_lowest_rate_that_was_tried_is_reported_where_none_held() -> None:
    searched, climbed = (QueueSession(1000, latency_s=0.3) for _ in range(2))
    found = search(*on(searched))
    assert found.rate_per_s == pytest.approx(min(searched.tried), abs=1)  # of whole messages
    found = climb(*on(climbed), 1000, LADDER)
    assert found.rate_per_s == pytest.approx(min(climbed.tried), rel=0.01)


def test_a_broken_connection_ends_the_search() -> None:
    gone = QueueSession(1000, error="ConnectionResetError: gone")
    with pytest.raises(DriverError, match="ConnectionResetError: gone"):
        climb(*on(gone), 1000, LADDER)
    with pytest.raises(DriverError, match="ConnectionResetError: gone"):
        search(*on(gone))


def test_a_trial_that_begins_far_below_takes_longer_strides_and_comes_back() -> None:
    queue = QueueSession(2000)
    found = climb(*on(queue), 1000, Ladder(step=1.07, segment_s=1.0, tries=12))
    rungs = [round(np.log(rate / 1000) / np.log(1.07)) for rate in queue.tried]
    assert rungs == [0, 1, 3, 7, 11, 8, 10]
    assert found.failed_per_s == pytest.approx(found.rate_per_s * 1.07, rel=0.002)


def test_no_rate_is_tried_after_the_answer_is_known() -> None:
    queue = QueueSession(1000)
    climb(*on(queue), 1000, LADDER)
    ups = [round(rate) for rate in queue.tried]
    assert ups == [1000, 1070]


@pytest.mark.parametrize(
    ("usage", "ceiling", "limit"),
    [
        (Usage(0.99, 0.30, 1.0), None, "broker"),
        (Usage(0.30, 0.99, 1.0), None, "client"),
        (Usage(0.10, 0.10, 1.0), None, "unknown"),
        (Usage(0.99, 0.30, 1.0), 1100.0, "client"),
    ],
)
def test_the_limit_is_what_kept_the_next_rate_from_holding(
    usage: Usage, ceiling: float | None, limit: str
) -> None:
    """Probes last 1 s, so CPU seconds are shares of the one core a side has."""
    queue = QueueSession(1000, usage=usage)
    assert climb(*on(queue, ceiling=ceiling), 950, LADDER).limit == limit


def test_a_search_ends() -> None:
    queue = QueueSession(1000, window=50)
    search(*on(queue))
    assert len(queue.tried) <= FLOODS + 2 * COLD_TRIES


def test_one_hiccup_is_no_limit() -> None:
    """The first rate that is tried, after three floods of one speed, fails once and holds then."""
    queue = Hiccuping(10_000, hiccup_at=3)
    found = search(*on(queue))
    assert 10_000 / COLD_STEP * 0.99 <= found.rate_per_s <= 10_000 * HOLDS_ABOVE
    assert queue.hiccups == 1


class Hiccuping(QueueSession):
    """A server that answers one segment a second late, after so many others."""

    def __init__(self, rate_per_s: float, hiccup_at: int) -> None:
        super().__init__(rate_per_s)
        self.hiccup_at, self.hiccups = hiccup_at, 0

    def run(
        self,
        schedule: Schedule,
        duration_s: float,
        limits: Limits,
        between: Callable[[], None] | None = None,
    ) -> Observation:
        hiccups = len(self.tried) == self.hiccup_at
        self.hiccups += hiccups
        self.latency_s = 1.0 if hiccups else 0.001
        return super().run(schedule, duration_s, limits, between)
