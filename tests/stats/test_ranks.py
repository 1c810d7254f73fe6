"""The rank test: exact, with ties and without; the normal approximation from 40 a side."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import PermutationMethod, mannwhitneyu

from spikebench.stats.interval import Values
from spikebench.stats.ranks import p_mann_whitney

samples = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=6)


@given(samples, samples)
def test_every_arrangement_is_counted(a: list[float], b: list[float]) -> None:
    assert p_mann_whitney(np.array(a), np.array(b)) == pytest.approx(by_enumeration(a, b))


def by_enumeration(a: list[float], b: list[float]) -> float:
    both = [*a, *b]
    seen = wins(a, b)
    every = []
    for chosen in combinations(range(len(both)), len(a)):
        others = [value for place, value in enumerate(both) if place not in chosen]
        every.append(wins([both[place] for place in chosen], others))
    low, high = (sum(w <= seen for w in every), sum(w >= seen for w in every))
    return min(1.0, 2 * min(low, high) / len(every))


def wins(a: list[float], b: list[float]) -> int:
    """Twice Mann and Whitney's U: a tie is half a win."""
    return sum((x > y) * 2 + (x == y) for x in a for y in b)


def drawn(seed: int, n_a: int, n_b: int, digits: int) -> tuple[Values, Values]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, n_a).round(digits), rng.normal(0.5, 1, n_b).round(digits)


@pytest.mark.parametrize(("n_a", "n_b"), [(6, 6), (10, 7), (39, 39), (38, 60)])
def test_without_ties_it_is_the_exact_test_of_the_textbook(n_a: int, n_b: int) -> None:
    a, b = drawn(3, n_a, n_b, digits=12)
    assert p_mann_whitney(a, b) == pytest.approx(mannwhitneyu(a, b, method="exact").pvalue)


def test_with_ties_sampled_arrangements_come_near_it() -> None:
    a, b = drawn(5, 30, 39, digits=0)
    method = PermutationMethod(n_resamples=20_000, rng=0)
    assert p_mann_whitney(a, b) == pytest.approx(mannwhitneyu(a, b, method=method).pvalue, abs=0.01)


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_from_forty_a_side_it_is_the_normal_approximation(digits: int) -> None:
    a, b = drawn(7, 40, 55, digits)
    expected = mannwhitneyu(a, b, method="asymptotic").pvalue
    assert p_mann_whitney(a, b) == pytest.approx(expected)


def test_a_few_against_thousands_are_not_counted_for_ever() -> None:
    a, b = drawn(9, 30, 5_000, digits=1)
    expected = mannwhitneyu(a, b, method="asymptotic").pvalue
    assert p_mann_whitney(a, b) == pytest.approx(expected)


@pytest.mark.parametrize("count", [5, 50])
def test_equal_values_differ_in_nothing(count: int) -> None:
    same = np.full(count, 7.0)
    assert p_mann_whitney(same, same) == 1.0
