from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from benchmarks.ratio import Target, alternate, middles, ratio_of


def test_the_ratio_is_that_of_the_geometric_means() -> None:
    ours, theirs = [90.0, 110.0, 130.0], [100.0, 100.0, 125.0]
    row = ratio_of("x", [a / b for a, b in zip(ours, theirs, strict=True)], "note")
    expected = stats.gmean(ours) / stats.gmean(theirs)
    assert row.ratio == pytest.approx(expected)
    assert row.n == 3


def test_the_middles_of_pairs_are_geometric_means_of_each_side() -> None:
    assert middles([(1.0, 2.0), (4.0, 8.0)]) == pytest.approx((2.0, 4.0))
    assert middles([(2.0, 3.0, 99.0)]) == pytest.approx((2.0, 3.0))


def test_the_interval_is_students_t_on_the_logs_of_the_pairs() -> None:
    ratios = [0.9, 1.1, 1.05, 0.97, 1.2]
    row = ratio_of("x", ratios, "note")
    logs = np.log(ratios)
    low, high = stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs))
    assert (row.low, row.high) == pytest.approx((math.exp(low), math.exp(high)))


def test_the_interval_covers_the_true_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    drift = rng.normal(0, 0.5, (2_000, 5))  # what both tools of a pair suffer alike
    ours = np.exp(drift + rng.normal(math.log(0.9), 0.05, drift.shape))
    theirs = np.exp(drift + rng.normal(0, 0.05, drift.shape))
    rows = [ratio_of("x", (a / b).tolist(), "") for a, b in zip(ours, theirs, strict=True)]
    covered = np.mean([(row.low or 9) <= 0.9 <= (row.high or 0) for row in rows])
    assert 0.93 <= covered <= 0.97


def test_a_single_pair_has_no_interval() -> None:
    row = ratio_of("x", [1.5], "note", Target("at least", 1.0))
    assert (row.low, row.high, row.verdict) == (None, None, "met, one value")


@pytest.mark.parametrize("ratios", [[1.0, 0.0], [1.0, -2.0], [float("nan"), 1.0], []])
def test_what_has_no_ratio_is_refused(ratios: list[float]) -> None:
    with pytest.raises(ValueError, match=r"ratio|value"):
        ratio_of("x", ratios, "note")


@pytest.mark.parametrize(
    ("target", "ratios", "verdict"),
    [
        (Target("at least", 0.9), [0.95, 0.96, 0.97], "met"),
        (Target("at least", 0.9), [0.80, 0.81, 0.82], "not met"),
        (Target("below", 0.05), [0.03, 0.031, 0.032], "met"),
        (Target("below", 0.05), [0.05, 0.05], "not met"),
        (Target("at least", 0.9), [0.5, 1.0, 2.0], "not shown"),
        (Target("below", 1.0), [0.5, 1.1, 2.0], "not shown"),
        (Target("within", 0.1), [0.99, 1.0, 1.01], "met"),
        (Target("within", 0.1), [1.2, 1.21, 1.22], "not met"),
        (Target("within", 0.1), [0.7, 0.71, 0.72], "not met"),
        (Target("within", 0.1), [1.05, 1.08, 1.15], "not shown"),
        (Target("within", 0.1), [0.5, 1.3, 3.0], "not shown"),
    ],
)
def test_the_verdict_is_of_the_whole_interval(
    target: Target, ratios: list[float], verdict: str
) -> None:
    assert ratio_of("x", ratios, "note", target).verdict == verdict


@pytest.mark.parametrize(
    "target", [Target("at least", 0.9), Target("below", 0.05), Target("within", 0.1)]
)
def test_a_target_is_read_as_it_is_written(target: Target) -> None:
    assert Target.read(str(target)) == target


def test_what_is_no_target_is_not_read_as_one() -> None:
    with pytest.raises(ValueError, match="about 1"):
        Target.read("about 1")


def test_a_row_without_a_target_has_no_verdict() -> None:
    assert ratio_of("x", [1.0, 1.1], "note").verdict == ""


def test_the_tools_take_turns_in_going_first() -> None:
    calls: list[str] = []

    def tool(name: str) -> Callable[[], str]:
        def run() -> str:
            calls.append(name)
            return name

        return run

    found = list(alternate(4, tool("a"), tool("b"), tool("c"), settle=lambda: calls.append(".")))
    assert found == [("a", "b", "c")] * 4
    assert "".join(calls) == ".a.b.c.c.b.a" * 2
