from __future__ import annotations

import pytest

from spikebench.cost import cheapest, crossings

FLAT = {"calls": lambda load: 2.0 * load, "servers": lambda _: 300.0}


def test_the_cheapest_is_that_of_the_lowest_cost() -> None:
    assert cheapest(FLAT, 100) == "calls"
    assert cheapest(FLAT, 200) == "servers"


def test_what_is_not_priced_is_never_the_cheapest() -> None:
    assert cheapest({**FLAT, "unknown": lambda _: None}, 100) == "calls"
    assert cheapest({"unknown": lambda _: None}, 100) is None
    assert crossings({"unknown": lambda _: None}, 1, 100) == []


def test_the_cheapest_changes_where_both_cost_the_same() -> None:
    # 2 a message a second against 300 a month: the same at 150
    (found,) = crossings(FLAT, 1, 10_000)
    assert (found.before, found.after) == ("calls", "servers")
    assert found.load == pytest.approx(150, rel=2e-4)


def test_each_change_is_found_in_turn() -> None:
    # 1 + x, 10 + x/10, 40: equal at 10 (10 + 1 = 11) and at 300 (10 + 30 = 40)
    offers = {"a": lambda x: 1 + x, "b": lambda x: 10 + x / 10, "c": lambda _: 40.0}
    found = crossings(offers, 0.1, 10_000)
    assert [(c.before, c.after) for c in found] == [("a", "b"), ("b", "c")]
    assert [c.load for c in found] == pytest.approx([10, 300], rel=2e-4)


def test_a_step_in_a_cost_is_a_change_where_it_is() -> None:
    offers = {"shards": lambda x: 10.0 if x <= 1000 else 20.0, "servers": lambda _: 15.0}
    (found,) = crossings(offers, 1, 10_000)
    assert found.load == pytest.approx(1000, rel=2e-4)


def test_two_changes_between_neighbours_of_the_grid_are_both_found() -> None:
    # equal at 100 and at 104, which lie within one step of the grid (10 ** (1/8) = 1.33)
    offers = {
        "a": lambda x: x,
        "b": lambda x: 100 + (x - 100) / 2,
        "c": lambda x: 102 + (x - 104) / 10,
    }
    found = crossings(offers, 90, 110)
    assert [(c.before, c.after) for c in found] == [("a", "b"), ("b", "c")]
    assert [c.load for c in found] == pytest.approx([100, 104], rel=3e-4)


def test_nothing_changes_where_one_is_always_cheaper() -> None:
    assert crossings({"a": lambda _: 1.0, "b": lambda _: 2.0}, 1, 1000) == []
