from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from spikes.serverless.agreement import agreement


def ordered(*values: float) -> dict[str, float]:
    return dict(zip("abcdefghijkl", values, strict=False))


def test_the_same_order_agrees_wholly() -> None:
    # of 5! = 120 orders only this one and its reverse are so far out: p = 2 / 120
    found = agreement(ordered(1, 2, 3, 4, 5), ordered(10, 20, 30, 40, 500))
    assert found.rho == pytest.approx(1.0)
    assert found.tau == pytest.approx(1.0)
    assert found.n == 5
    assert found.p_rho == pytest.approx(2 / 120)
    assert found.p_tau == pytest.approx(2 / 120)
    assert found.exact
    assert found.swapped == ()
    assert "10 of 10 pairs are in the same order." in found.words
    assert found.words.endswith("Local order can be trusted among these, for this handler.")


def test_one_swapped_pair_worked_by_hand() -> None:
    # d and e are swapped: 9 pairs agree and 1 does not, τ = 8 / 10; rank differences 0 0 0 1 1,
    # ρ = 1 - 6 × 2 / (5 × 24) = 0.9. Orders at least as far out: the identity and 4 with one
    # neighbour swapped, and their reverses: p = 10 / 120, for both.
    found = agreement(ordered(1, 2, 3, 4, 5), ordered(1, 2, 3, 5, 4))
    assert found.rho == pytest.approx(0.9)
    assert found.tau == pytest.approx(0.8)
    assert found.p_tau == pytest.approx(10 / 120)
    assert found.p_rho == pytest.approx(10 / 120)
    assert found.swapped == (("d", "e"),)
    assert "9 of 10 pairs are in the same order" in found.words
    assert "d before e locally, after it as published" in found.words
    assert found.words.endswith("not shown to say anything of AWS's.")  # p = 0.083


def test_the_reverse_order_is_not_trusted() -> None:
    found = agreement(ordered(1, 2, 3, 4, 5), ordered(5, 4, 3, 2, 1))
    assert found.rho == pytest.approx(-1.0)
    assert found.tau == pytest.approx(-1.0)
    assert len(found.swapped) == 10
    assert "the reverse of the published one" in found.words


def test_swapped_pairs_are_excepted_from_trust() -> None:
    found = agreement(ordered(1, 2, 3, 4, 5, 6), ordered(1, 2, 3, 4, 6, 5))
    assert found.p_tau is not None
    assert found.p_tau < 0.05
    assert found.words.endswith("trusted but for the pairs named, for this handler.")


def test_four_names_can_never_show_anything() -> None:
    found = agreement(ordered(1, 2, 3, 4), ordered(1, 2, 3, 4))
    assert found.p_tau == pytest.approx(2 / 24)
    assert found.words.endswith("not shown to say anything of AWS's.")


def test_exact_p_is_that_of_every_order_counted() -> None:
    x, y = [3.0, 1.0, 4.0, 1.5, 5.0, 9.0], [2.0, 7.0, 1.0, 8.0, 2.5, 8.5]
    found = agreement(ordered(*x), ordered(*y))
    orders = [np.array(order) for order in permutations(x)]
    for p, rank, value in (
        (found.p_rho, spearmanr, found.rho),
        (found.p_tau, kendalltau, found.tau),
    ):
        reached = [abs(rank(order, y).statistic) >= abs(value or 0) - 1e-12 for order in orders]
        assert p == pytest.approx(sum(reached) / factorial(6))
    assert found.p_tau == pytest.approx(kendalltau(x, y, method="exact").pvalue)


def test_ties_are_neither_agreement_nor_a_swap() -> None:
    x, y = ordered(1, 2, 3, 4), ordered(1, 2, 2, 4)
    found = agreement(x, y)
    assert found.tied == (("b", "c"),)
    assert found.swapped == ()
    assert found.tau == pytest.approx(5 / np.sqrt(6 * 5))  # τ-b: 5 pairs of 6, of which y orders 5
    assert "5 of 6 pairs are in the same order; equal on one side: b and c" in found.words


def test_more_than_eight_names_are_permuted_at_random_and_it_is_said() -> None:
    names = ordered(*range(1, 11))
    swapped = names | {"a": 2.0, "b": 1.0}
    found = agreement(names, swapped)
    assert not found.exact
    assert found.tau == pytest.approx(43 / 45)
    assert found.p_tau is not None
    assert 0 < found.p_tau < 0.001
    assert "20,000 arrangements drawn" in found.words
    assert agreement(names, swapped) == found


def test_only_names_that_both_have_are_compared() -> None:
    found = agreement({"a": 1, "b": 2, "c": 3, "x": 4}, {"c": 3, "b": 2, "a": 1, "y": 0})
    assert found.names == ("a", "b", "c")
    assert found.rho == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("local", "published", "reason"),
    [
        (ordered(1, 2), ordered(1, 2), "2 runtimes in common, 3 are needed"),
        ({}, {}, "0 runtimes in common, 3 are needed"),
        (ordered(1, 1, 1), ordered(1, 2, 3), "all times are equal on one side"),
    ],
)
def test_what_has_no_order_is_withheld(
    local: dict[str, float], published: dict[str, float], reason: str
) -> None:
    found = agreement(local, published)
    assert (found.rho, found.tau, found.p_rho, found.p_tau) == (None, None, None, None)
    assert reason in found.words


def test_a_time_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        agreement(ordered(1, 2, float("nan")), ordered(1, 2, 3))
