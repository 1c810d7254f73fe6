from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spikebench.load.payload import templates
from spikebench.load.schedule import Schedule, schedule
from spikebench.scenario.messages import Arrivals, Payload

FILLER = templates(Payload(size_bytes=64, keys=50, templates=8), seed=1)
ROWS = templates(Payload(kind="row-events", size_bytes=600, keys=20, templates=60), seed=1)
KINDS = {
    "uniform": Arrivals(rate_per_s=1),
    "poisson": Arrivals(kind="poisson", rate_per_s=1),
    "bursts": Arrivals(kind="bursts", rate_per_s=1, burst_min=1, burst_max=50),
}


def drawn(kind: str, rate_per_s: float, duration_s: float, seed: int = 1) -> Schedule:
    return schedule(KINDS[kind], rate_per_s, duration_s, seed, FILLER)


@given(st.sampled_from(sorted(KINDS)), st.floats(0.1, 5000), st.floats(0.001, 5), st.integers(0))
@settings(max_examples=200)
def test_every_message_is_in_order_in_time_and_counted(
    kind: str, rate_per_s: float, duration_s: float, seed: int
) -> None:
    made = drawn(kind, rate_per_s, duration_s, seed)
    assert len(made) == round(rate_per_s * duration_s)
    assert len(made.template) == len(made.key) == len(made)
    assert np.all(np.diff(made.offsets_ns) >= 0)
    assert np.all((made.offsets_ns >= 0) & (made.offsets_ns < duration_s * 1e9))
    arrays = (made.offsets_ns, made.template, made.key)
    assert [array.dtype.name for array in arrays] == ["int64", "int32", "int32"]


def test_uniform_arrivals_are_evenly_spaced() -> None:
    made = drawn("uniform", 1000, 2.0)
    assert np.array_equal(made.offsets_ns, np.arange(2000) * 1_000_000)


def test_poisson_gaps_are_exponential_at_the_mean_rate() -> None:
    gaps_s = np.diff(drawn("poisson", 1000, 20.0, seed=5).offsets_ns) / 1e9
    assert stats.kstest(gaps_s, "expon", args=(0, 1 / 1000)).pvalue > 0.05


def test_poisson_gaps_are_told_from_even_ones() -> None:
    gaps_s = np.diff(drawn("uniform", 1000, 20.0).offsets_ns) / 1e9
    assert stats.kstest(gaps_s, "expon", args=(0, 1 / 1000)).pvalue < 1e-6


def bursts(made: Schedule) -> tuple[np.ndarray, np.ndarray]:
    starts, sizes = np.unique(made.offsets_ns, return_counts=True)
    return starts, sizes


def test_bursts_keep_the_mean_rate_and_their_sizes_are_uniform() -> None:
    _, sizes = bursts(drawn("bursts", 200, 5000.0, seed=3))
    assert sizes.sum() == 1_000_000
    assert (sizes.min(), sizes.max()) == (1, 50)
    expected = np.full(50, len(sizes) / 50)
    assert stats.chisquare(np.bincount(sizes, minlength=51)[1:], expected).pvalue > 0.01


def test_transactions_are_poisson_in_time() -> None:
    starts, sizes = bursts(drawn("bursts", 200, 5000.0, seed=3))
    mean_gap_s = 5000.0 / len(sizes)
    assert stats.kstest(np.diff(starts) / 1e9, "expon", args=(0, mean_gap_s)).pvalue > 0.05


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 3000), st.integers(0))
@settings(max_examples=200)
def test_at_most_one_burst_is_cut_to_fit(low: int, more: int, count: int, seed: int) -> None:
    arrivals = Arrivals(kind="bursts", rate_per_s=1, burst_min=low, burst_max=low + more)
    made = schedule(arrivals, count, 1.0, seed, FILLER)
    _, sizes = bursts(made)
    assert sizes.sum() == count
    assert np.count_nonzero(sizes < low) <= 1


def test_a_row_and_its_key_agree() -> None:
    made = schedule(KINDS["bursts"], 500, 2.0, 1, ROWS)
    assert ROWS.key_of is not None
    assert np.array_equal(made.key, ROWS.key_of[made.template])
    assert set(made.key.tolist()) == set(range(20))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_seed_gives_the_same_schedule_and_another_seed_another(kind: str) -> None:
    first, again, other = (drawn(kind, 300, 1.0, seed) for seed in (4, 4, 5))
    assert np.array_equal(first.offsets_ns, again.offsets_ns)
    assert np.array_equal(first.template, again.template)
    assert np.array_equal(first.key, again.key)
    assert not np.array_equal(first.template, other.template)


def test_a_share_of_capacity_is_scheduled_at_the_rate_it_came_to() -> None:
    arrivals = Arrivals(rate_per_s="30 %")
    assert len(schedule(arrivals, 750.0, 2.0, 1, FILLER)) == 1500


def test_nothing_is_due_in_no_time() -> None:
    assert all(len(drawn(kind, 100, 0.0)) == 0 for kind in KINDS)


def test_more_messages_than_a_header_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="sequence number"):
        drawn("uniform", 1e9, 10.0)
