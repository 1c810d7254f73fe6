"""Comparisons: against scipy's tests, by simulation of known truths, and where they must refuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, ttest_ind

from spikebench.stats import compare, holm, trials_for
from spikebench.stats.comparison import Comparison
from spikebench.stats.welch import LogDifference

A = [10.2, 11.1, 9.8, 10.9, 10.4, 10.0, 10.6]
B = [12.9, 14.2, 13.1, 12.5, 15.3, 13.8]


def trials(rng: np.random.Generator, mean: float, spread: float, n: int = 6) -> list[float]:
    drawn: list[float] = np.exp(rng.normal(np.log(mean), spread, n)).tolist()
    return drawn


def test_figures_are_those_of_scipy() -> None:
    found = compare(A, B, delta=0.05, better="lower")
    welch = ttest_ind(np.log(A), np.log(B), equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert found.p_welch == pytest.approx(welch.pvalue)
    assert (found.ci_low, found.ci_high) == pytest.approx((np.exp(low), np.exp(high)))
    assert found.ratio == pytest.approx(np.exp(np.log(A).mean() - np.log(B).mean()))
    assert found.p_mann_whitney == pytest.approx(mannwhitneyu(A, B, method="exact").pvalue)


def test_equivalence_is_two_one_sided_welch_tests() -> None:
    near, margin = [value * 1.02 for value in A], np.log1p(0.10)
    found = compare(A, near, delta=0.10)
    below = ttest_ind(np.log(A) - margin, np.log(near), equal_var=False, alternative="less")
    above = ttest_ind(np.log(A) + margin, np.log(near), equal_var=False, alternative="greater")
    assert found.p_not_equivalent == pytest.approx(max(below.pvalue, above.pvalue))
    assert found.verdict == "equivalent"


@pytest.mark.parametrize(("better", "winner"), [("lower", "A"), ("higher", "B")])
def test_the_winner_is_the_better_one(better: str, winner: str) -> None:
    assert compare(A, B, 0.1, better).verdict == winner  # type: ignore[arg-type]
    other = {"A": "B", "B": "A"}[winner]
    assert compare(B, A, 0.1, better).verdict == other  # type: ignore[arg-type]


def test_a_difference_too_small_to_matter_is_equivalence() -> None:
    steady = [100.0, 100.1, 99.9, 100.05, 99.95, 100.02]
    slower = [value * 1.02 for value in steady]
    found = compare(steady, slower, delta=0.10)
    assert found.p_welch is not None
    assert found.p_welch < 0.001
    assert found.verdict == "equivalent"


def test_under_six_trials_a_side_nothing_is_decided() -> None:
    found = compare(A[:5], B, delta=0.1)
    assert found.verdict == "unresolved"
    assert found.reason == "5 and 6 valid trials, a verdict needs 6 a side"
    assert found.ratio is not None
    assert found.trials_needed is not None
    assert found.trials_needed >= 6
    assert holm([found])[0].verdict == "unresolved"


@pytest.mark.parametrize("few", [[], [1.0]])
def test_next_to_nothing_is_unresolved_too(few: list[float]) -> None:
    found = compare(few, B, delta=0.1)
    assert (found.verdict, found.ratio, found.n_a) == ("unresolved", None, len(few))


def test_zero_and_negative_values_are_compared_by_rank_and_it_says_so() -> None:
    won = compare([0, 0, 0, 0, 0, 1], [3, 4, 5, 6, 7, 8], 0.1, "lower")
    assert (won.verdict, won.p_welch, won.ratio) == ("A", None, None)
    open_ = compare([0, 4, -2, 9, 1, 3], [3, 1, 5, 0, 2, 8], 0.1, "lower")
    assert open_.verdict == "unresolved"
    assert "by rank only" in open_.reason


def test_counts_that_are_all_zero_are_equivalent() -> None:
    assert compare([0] * 6, [0] * 6, 0.1, "lower").verdict == "equivalent"


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ([0] * 6, [0, 0, 0, 0, 0, 1], "A"),
        ([4, 0, 9, 1, 1, 3], [0] * 6, "B"),
        ([0] * 6, [0] * 8, "equivalent"),
        ([7] * 6, [9] * 6, "A"),
        ([100] * 6, [105] * 6, "equivalent"),
    ],
)
def test_counts_that_speak_for_themselves_need_no_test(
    a: list[float], b: list[float], verdict: str
) -> None:
    found = compare(a, b, 0.1, "lower", noise_free=True)
    assert (found.verdict, found.p_different) == (verdict, None)
    assert found.reason == f"counted {sum(a)} against {sum(b)}, which needs no test"
    assert holm([found, found])[0] == found


def test_counts_that_vary_on_both_sides_are_tested_like_anything_else() -> None:
    a, b = [5, 7, 3, 9, 4, 6], [8, 2, 6, 4, 7, 5]
    assert compare(a, b, 0.1, "lower", noise_free=True) == compare(a, b, 0.1, "lower")
    assert compare(a, b, 0.1, "lower").verdict == "unresolved"


def test_six_trials_are_the_least_for_counts_too() -> None:
    found = compare([0] * 5, [3] * 6, 0.1, "lower", noise_free=True)
    assert (found.verdict, found.reason) == (
        "unresolved",
        "5 and 6 valid trials, a verdict needs 6 a side",
    )


def test_what_is_measured_needs_its_test_even_where_it_does_not_vary() -> None:
    assert compare([7.0] * 6, [9.0] * 6, 0.1, "lower").p_different is not None


def test_values_without_any_spread() -> None:
    assert compare([5.0] * 6, [5.0] * 6, 0.1).verdict == "equivalent"
    assert compare([5.0] * 6, [7.0] * 6, 0.1).verdict == "B"
    assert compare([0.1 + 0.2] * 6, [0.3] * 6, 0.1).verdict == "equivalent"


def test_ties_are_counted_exactly() -> None:
    a, b = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0], [3.0, 4.0, 4.0, 5.0, 5.0, 6.0]
    found = compare(a, b, 0.1)
    assert found.p_mann_whitney == pytest.approx(_by_enumeration(a, b))


def _by_enumeration(a: list[float], b: list[float]) -> float:
    """Two-sided p over all 924 ways to deal the values out: twice the smaller tail."""
    from itertools import combinations

    def wins(left: list[float], right: list[float]) -> float:
        return sum((x > y) + 0.5 * (x == y) for x in left for y in right)

    pooled, seen = a + b, wins(a, b)
    dealt = [
        wins([pooled[i] for i in chosen], [pooled[i] for i in range(12) if i not in chosen])
        for chosen in combinations(range(12), 6)
    ]
    fewest = min(sum(w <= seen for w in dealt), sum(w >= seen for w in dealt))
    return min(1.0, 2 * fewest / len(dealt))


def test_equal_systems_are_rarely_called_different() -> None:
    rng = np.random.default_rng(3)
    found = [compare(trials(rng, 5, 0.1), trials(rng, 5, 0.1), 0.1) for _ in range(400)]
    assert sum(one.verdict in ("A", "B") for one in found) / 400 <= 0.05


def test_a_difference_at_the_edge_is_rarely_called_equivalent() -> None:
    rng = np.random.default_rng(4)
    found = [compare(trials(rng, 5, 0.03), trials(rng, 5.5, 0.03), 0.1) for _ in range(400)]
    assert sum(one.verdict == "equivalent" for one in found) / 400 <= 0.07


def test_a_clear_difference_is_found() -> None:
    rng = np.random.default_rng(5)
    found = [compare(trials(rng, 5, 0.05), trials(rng, 6.5, 0.05), 0.1) for _ in range(200)]
    assert sum(one.verdict == "B" for one in found) / 200 >= 0.95


@pytest.mark.parametrize("distance", [0.15, 0.0])
def test_the_trials_it_asks_for_settle_it_four_times_in_five(distance: float) -> None:
    rng = np.random.default_rng(6)
    spread, delta = 0.2, 0.10 if distance == 0 else 0.05
    needed = LogDifference(distance, 1.0, 10.0, 2 * spread**2).trials_needed(delta)
    wanted = "equivalent" if distance == 0 else "B"
    found = [
        compare(
            trials(rng, 5, spread, needed), trials(rng, 5 * np.exp(distance), spread, needed), delta
        )
        for _ in range(200)
    ]
    assert 0.68 <= sum(one.verdict == wanted for one in found) / 200 <= 0.92


def test_an_unresolved_one_asks_for_more_trials_than_it_had() -> None:
    found = compare([5, 6, 7, 5.5, 6.5, 6], [5.5, 6.4, 7.2, 5.2, 6.9, 6.6], 0.05)
    assert found.verdict == "unresolved"
    assert found.trials_needed is not None
    assert found.trials_needed > 6
    assert found.reason == f"about {found.trials_needed} trials a side would settle it"


def test_many_trials_are_compared_within_reason() -> None:
    rng = np.random.default_rng(8)
    assert compare(trials(rng, 5, 0.2, 3000), trials(rng, 6, 0.2, 3000), 0.05).verdict == "B"


def _family(*ps: float) -> list[Comparison]:
    found = compare(A, B, 0.1)
    return [found.decided(p, 1.0) for p in ps]


def test_holm_steps_down_and_keeps_the_order() -> None:
    adjusted = [one.p_different for one in holm(_family(0.04, 0.01, 0.03))]
    assert adjusted == pytest.approx([0.06, 0.03, 0.06])
    assert [one.verdict for one in holm(_family(0.04, 0.01, 0.03))] == [
        "unresolved",
        "B",
        "unresolved",
    ]


def test_comparisons_that_decide_nothing_do_not_weigh_on_the_others() -> None:
    few = compare(A[:3], B[:3], 0.1)
    alone, with_few = holm(_family(0.04)), holm([*_family(0.04), few, few])
    assert alone[0].p_different == with_few[0].p_different == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("comparisons", "trials"), [(0, 6), (1, 6), (46, 6), (47, 7), (171, 7), (172, 8), (643, 8)]
)
def test_a_family_needs_trials_enough_for_the_rank_test_to_speak(
    comparisons: int, trials: int
) -> None:
    """No value of A is above one of B: the smallest p there is, and just small enough or not."""
    assert trials_for(comparisons) == trials

    def shown(count: int) -> bool:
        a, b = [1 + i / 1000 for i in range(count)], [9 + i / 1000 for i in range(count)]
        return all(c.verdict == "B" for c in holm([compare(a, b, 0.1)] * max(comparisons, 1)))

    assert shown(trials)
    assert trials == 6 or not shown(trials - 1)


def test_what_would_settle_it_has_room_for_its_whole_family() -> None:
    a, b = [1 + i / 1000 for i in range(6)], [9 + i / 1000 for i in range(6)]
    assert holm([compare(a, b, 0.1)] * 172)[0].trials_needed == 8


def test_an_adjusted_verdict_says_what_would_settle_it() -> None:
    found = holm([compare(A, B, 0.1)] * 120)[0]
    assert found.verdict == "unresolved"
    assert found.trials_needed is not None
    assert "trials a side would settle it" in found.reason


@pytest.mark.parametrize(
    ("a", "delta", "better"),
    [([1, float("nan")], 0.1, "lower"), (A, 0.0, "lower"), (A, 1.0, "lower"), (A, 0.1, "neither")],
)
def test_nonsense_is_refused(a: list[float], delta: float, better: str) -> None:
    with pytest.raises(ValueError, match="compare needs"):
        compare(a, B, delta, better)  # type: ignore[arg-type]
