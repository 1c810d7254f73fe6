from __future__ import annotations

from math import exp, isclose, sqrt

import numpy as np
import pytest
from scipy.special import ive
from scipy.stats import poisson

from spikebench.errors import UsageError
from spikes.serverless.arrivals import (
    Routing,
    Times,
    cold_share,
    cold_share_alone,
    cold_starts,
)

ROUTINGS: tuple[Routing, ...] = ("most-recent", "least-recent")


def starts(arrivals_s: list[float], routing: Routing = "most-recent") -> list[bool]:
    """Cold starts with 1 s warm, 2 s cold and an idle time-out of 10 s."""
    return [bool(cold) for cold in cold_starts(np.array(arrivals_s), 1.0, 2.0, 10.0, routing)]


def test_the_first_is_cold_and_one_within_the_time_out_warm() -> None:
    assert starts([0.0, 5.0]) == [True, False]


def test_the_time_out_runs_from_the_end_of_a_request() -> None:
    # free at 2 and gone at 12: a request at 11.9 finds it, one at 12 does not
    assert starts([0.0, 11.9]) == [True, False]
    assert starts([0.0, 12.0]) == [True, True]


def test_a_request_that_finds_all_busy_starts_one_of_its_own() -> None:
    # the first is cold and busy until 2; at 2 it is free again
    assert starts([0.0, 1.9]) == [True, True]
    assert starts([0.0, 2.0]) == [True, False]


def test_a_warm_request_keeps_its_environment_for_less_time() -> None:
    # cold 0 to 2, warm 5 to 6: at 6.5 it is free, where a cold one would have been busy until 7
    assert starts([0.0, 5.0, 6.5]) == [True, False, False]


def test_the_most_recent_is_taken_and_the_other_ages() -> None:
    # two environments, free at 2 and 2.5. Requests at 5, 9 and 12.4 take the second again and
    # again (or the first and second in turn); the first is gone at 12. Of two requests at 14 and
    # 14.1 the latter then finds none, but with least-recent the other of the two.
    arrivals = [0.0, 0.5, 5.0, 9.0, 12.4, 14.0, 14.1]
    assert starts(arrivals) == [True, True, False, False, False, False, True]
    assert starts(arrivals, "least-recent") == [True, True, False, False, False, False, False]


@pytest.mark.parametrize("expected_requests", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_at_a_low_rate_the_share_is_the_chance_of_a_gap_beyond_the_time_out(
    expected_requests: float, routing: Routing
) -> None:
    # requests of a microsecond hardly ever overlap at some per hour: exp(-λT)
    rate_per_s = expected_requests / 300
    found = cold_share(rate_per_s, 300.0, 1e-6, 1e-6, routing)
    alone = cold_share_alone(rate_per_s, 300.0)
    assert isclose(alone, exp(-expected_requests))
    assert abs(found.share - alone) < 4 * found.error
    assert found.error < 0.01


def test_the_standard_error_is_that_of_independent_draws_where_they_are() -> None:
    # gaps are independent, and so are cold starts where nothing overlaps: √(p (1 - p) / n). From 20
    # batches an error is known to about 1 / √(2 × 19) = 16 %.
    found = cold_share(1 / 300, 300.0, 1e-6, 1e-6)
    expected = sqrt(exp(-1) * (1 - exp(-1)) / found.requests)
    assert 0.5 < found.error / expected < 1.5


@pytest.mark.parametrize("expected_requests", [0.5, 2.0, 8.0])
def test_at_a_high_rate_the_least_recent_is_a_perishable_stock(expected_requests: float) -> None:
    # With 4,000 busy at a time (M/G/∞) environments come free as a Poisson stream of the rate λ at
    # which requests come, independent of them while T ≪ S. Idle ones are then a stock with Poisson
    # supply and demand and shelf life T. Served oldest first, the time until the oldest would
    # perish has a flat density on [0, T] and an exponential one of mean 1/λ beyond it, where the
    # stock is empty: P(cold) = (1/λ) / (T + 1/λ) = 1 / (1 + λT). (S. C. Graves, Operations
    # Research 30, 1982; H. Kaspi and D. Perry, Advances in Applied Probability 15, 1983.)
    found = cold_share(4000.0, expected_requests / 4000, 1.0, 1.0, "least-recent")
    expected = 1 / (1 + expected_requests)
    assert abs(found.share - expected) < 4 * found.error + 0.01 * expected


@pytest.mark.parametrize("expected_requests", [0.5, 2.0, 8.0])
def test_at_a_high_rate_the_most_recent_is_a_record_of_a_random_walk(
    expected_requests: float,
) -> None:
    # Taken newest first, as many environments are kept as were busy at once within T. The number
    # busy is then a symmetric walk with steps at rate 2λ, and a request is cold if the walk is
    # nowhere higher within T: P = P(walk at 0 or 1 after T) = exp(-2λT) (I₀(2λT) + I₁(2λT))
    # by the reflection principle (W. Feller, An Introduction to Probability, vol. 2, II.7).
    found = cold_share(4000.0, expected_requests / 4000, 1.0, 1.0, "most-recent")
    twice = 2 * expected_requests
    expected = float(ive(0, twice) + ive(1, twice))
    assert abs(found.share - expected) < 4 * found.error + 0.01 * expected


def in_the_last(arrivals_s: Times, service_s: float, window_s: float) -> list[bool]:
    """Whether more are busy at each arrival than ever within the window before it, counted anew."""
    ends = arrivals_s + service_s

    def busy(at: float, arrived: int) -> int:
        return arrived - int(np.searchsorted(ends, at, side="right"))

    after = [busy(now, at) + 1 for at, now in enumerate(arrivals_s)]
    cold = []
    for at, now in enumerate(arrivals_s):
        first = int(np.searchsorted(arrivals_s, now - window_s, side="right"))
        before = [busy(now - window_s, first), *after[first:at]]
        cold.append(after[at] > max(before))
    return cold


@pytest.mark.parametrize("rate_per_s", [0.3, 3.0, 30.0])
@pytest.mark.parametrize("timeout_s", [0.5, 5.0])
def test_as_many_are_kept_as_were_busy_at_once_within_the_time_out(
    rate_per_s: float, timeout_s: float
) -> None:
    # another way to the same answer, for most-recent and equal durations: no environments at all,
    # only how many requests are in hand
    gaps = np.random.default_rng(7).exponential(1 / rate_per_s, 3000)
    arrivals_s = np.cumsum(gaps)
    found = cold_starts(arrivals_s, 1.0, 1.0, timeout_s).tolist()
    assert found == in_the_last(arrivals_s, 1.0, timeout_s)
    assert 0 < sum(found) < len(found)


def test_without_a_time_out_to_speak_of_all_are_cold() -> None:
    assert cold_share(10.0, 0.0, 0.1, 0.5).share == 1.0


def test_if_none_ever_goes_there_are_as_many_as_were_ever_busy_at_once() -> None:
    # M/G/∞ with λS = 20: the most at once of 20,000 requests is a high quantile of Poisson(20)
    gaps = np.random.default_rng(3).exponential(0.05, 20_000)
    count = int(cold_starts(np.cumsum(gaps), 1.0, 1.0, 1e9).sum())
    assert poisson(20).isf(1e-2) < count < poisson(20).isf(1e-7)


def test_a_seed_gives_the_same_share_again_and_another_one_within_its_error() -> None:
    one, other = (cold_share(0.5, 2.0, 0.2, 1.0, seed=seed) for seed in (1, 2))
    cold_share.cache_clear()
    assert cold_share(0.5, 2.0, 0.2, 1.0, seed=1) == one
    assert one != other
    assert abs(one.share - other.share) < 4 * (one.error + other.error)


def test_a_rate_that_cannot_be_simulated_says_what_to_state_instead() -> None:
    with pytest.raises(UsageError, match="state cold_share in the pattern"):
        cold_share(1e6, 300.0, 0.01, 1.0)
