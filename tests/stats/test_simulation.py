"""Whether verdicts keep their promises, over thousands of simulated runs of known truth.

A trial's value is log-normal around its cell's truth with 5 % spread, the unevenness of a machine
from trial to trial. Seeds are fixed, so that a test passes always or never.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from spikebench.stats.comparison import FEWEST_TRIALS, Comparison, compare
from spikebench.stats.family import holm
from spikebench.stats.interval import interval

RUNS = 2_000
SPREAD = 0.05
DELTA = 0.05
COMPARISONS = 8
"""Comparisons of one run that share Holm's adjustment in the family tests."""


def trials(generator: np.random.Generator, truth: float, n: int) -> list[float]:
    return list(truth * np.exp(generator.normal(0.0, SPREAD, n)))


def comparisons(
    ratio: float, n: int, delta: float = DELTA, seed: int = 20261125
) -> list[Comparison]:
    """Compare two cells whose true ratio is known, once a simulated run."""
    generator = np.random.default_rng(seed)
    return [
        compare(trials(generator, 100 * ratio, n), trials(generator, 100, n), delta, "lower")
        for _ in range(RUNS)
    ]


def share(found: list[Comparison], *verdicts: str) -> float:
    return sum(each.verdict in verdicts for each in found) / len(found)


@pytest.mark.parametrize("n", [FEWEST_TRIALS, 10])
def test_two_identical_cells_differ_in_at_most_one_run_in_twenty(n: int) -> None:
    assert share(comparisons(1.0, n), "A", "B") <= 0.05


def test_a_family_of_identical_cells_has_a_difference_in_at_most_one_run_in_twenty() -> None:
    generator = np.random.default_rng(7)
    wrong = 0
    for _ in range(RUNS // 4):
        family = holm(
            [
                compare(trials(generator, 9, 6), trials(generator, 9, 6), DELTA, "lower")
                for _ in range(COMPARISONS)
            ]
        )
        wrong += any(each.verdict in ("A", "B") for each in family)
    assert wrong / (RUNS // 4) <= 0.05


@pytest.mark.parametrize(("n", "power"), [(FEWEST_TRIALS, 0.75), (FEWEST_TRIALS + 1, 0.80)])
def test_ten_percent_are_found_with_the_power_that_the_docs_name(n: int, power: float) -> None:
    """Six trials fall just short of 80 %, for both tests must agree; the docs say so."""
    found = comparisons(1.10, n)
    assert share(found, "B") >= power
    assert share(found, "A") == 0.0


def test_a_difference_at_the_margin_is_called_equivalent_at_most_once_in_twenty() -> None:
    assert share(comparisons(1 + DELTA, 10), "equivalent") <= 0.05


def test_identical_cells_are_found_equivalent_within_a_wide_margin() -> None:
    assert share(comparisons(1.0, 10, delta=0.20), "equivalent") >= 0.95


@pytest.mark.parametrize("n", [FEWEST_TRIALS, 10])
def test_the_interval_of_a_ratio_holds_the_truth_19_times_in_20(n: int) -> None:
    truth = 1.3
    covered = [
        each.ci_low <= truth <= each.ci_high
        for each in comparisons(truth, n)
        if each.ci_low is not None and each.ci_high is not None
    ]
    assert len(covered) == RUNS
    assert 0.93 <= np.mean(covered) <= 0.97


@pytest.mark.parametrize("n", [FEWEST_TRIALS, 10])
def test_the_interval_of_a_cell_holds_the_truth_19_times_in_20(n: int) -> None:
    generator = np.random.default_rng(3)
    found = [interval(trials(generator, 42.0, n)) for _ in range(RUNS)]
    covered = [each.low <= 42.0 <= each.high for each in found if each.low and each.high]
    assert len(covered) == RUNS
    assert 0.93 <= np.mean(covered) <= 0.97


def test_the_number_of_trials_that_would_settle_it_does() -> None:
    """About: 80 % power is aimed at, of a ratio seen in few trials."""
    first = compare([103, 108, 99, 106, 111, 101], [100, 97, 104, 95, 101, 103], DELTA, "lower")
    needed = first.trials_needed
    assert first.ratio is not None
    assert needed is not None
    spread = math.sqrt(
        (
            np.log([103, 108, 99, 106, 111, 101]).var(ddof=1)
            + np.log([100, 97, 104, 95, 101, 103]).var(ddof=1)
        )
        / 2
    )
    generator = np.random.default_rng(11)
    settled = 0
    for _ in range(400):
        a = first.ratio * np.exp(generator.normal(0, spread, needed))
        b = np.exp(generator.normal(0, spread, needed))
        settled += compare(list(a), list(b), DELTA, "lower").verdict != "unresolved"
    assert settled / 400 >= 0.70
