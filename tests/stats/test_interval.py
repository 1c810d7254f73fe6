"""Intervals: against scipy's own t interval, by coverage, and at the edges."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from spikebench.stats import interval
from spikebench.stats.comparison import compare


def test_it_is_the_t_interval_of_the_logs() -> None:
    values = [3.1, 4.7, 2.2, 9.8, 4.4, 3.9]
    logs = np.log(values)
    error = logs.std(ddof=1) / np.sqrt(len(logs))
    low, high = t.interval(0.95, len(logs) - 1, loc=logs.mean(), scale=error)
    found = interval(values)
    assert (found.low, found.high) == pytest.approx((np.exp(low), np.exp(high)))
    assert found.mean == pytest.approx(np.exp(logs.mean()))
    assert found.median == pytest.approx(4.15)
    assert found.cv == pytest.approx(np.std(values, ddof=1) / np.mean(values))


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(20)
    trials = np.exp(rng.normal(np.log(5), 0.4, size=(600, 6)))
    covered = sum((i.low or 0) <= 5 <= (i.high or 0) for i in map(interval, trials.tolist()))
    assert 0.93 <= covered / 600 <= 0.97


def test_one_value_has_no_interval() -> None:
    found = interval([7.0])
    assert (found.n, found.median, found.low, found.high, found.cv) == (1, 7.0, None, None, None)


def test_values_of_zero_or_below_are_taken_as_they_are() -> None:
    values = [-1.0, 0.0, 2.0, 3.0]
    low, high = t.interval(0.95, 3, loc=1.0, scale=np.std(values, ddof=1) / 2)
    found = interval(values)
    assert (found.mean, found.low, found.high) == pytest.approx((1.0, low, high))


@given(st.lists(st.floats(1e-6, 1e9), min_size=2, max_size=12))
def test_the_mean_lies_within(values: list[float]) -> None:
    found = interval(values)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.mean * (1 + 1e-9)
    assert found.mean <= found.high * (1 + 1e-9)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_nothing_and_nonsense_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        interval(values)


def test_values_hundreds_of_decades_apart_have_bounds_that_are_numbers() -> None:
    found = interval([5e-324, 1e15])
    assert found.low == 0.0
    assert found.high is not None
    assert isfinite(found.high)
    compared = compare([5e-324, 1e15] * 3, [1e15, 5e-324] * 3, 0.1)
    assert compared.ci_high is not None
    assert isfinite(compared.ci_high)
