from __future__ import annotations

import pytest

from spikebench.cost import Cost, Term
from spikebench.cost.money import plain

TERMS = (
    Term("requests", 10.0, "million requests", 0.2, "a file, 2026-10-01"),
    Term("work", 3.0, "GB-second", 0.0000166667, "a page, 2025", "older than a year"),
)


def test_a_total_is_the_sum_of_quantity_times_price() -> None:
    assert Cost(TERMS, "USD").total == pytest.approx(10 * 0.2 + 3 * 0.0000166667)


def test_the_order_of_terms_does_not_change_a_total() -> None:
    terms = [Term(str(at), 1.0, "x", price, "") for at, price in enumerate([1e16, 1.0, 1.0, 0.1])]
    assert Cost(tuple(terms), "USD").total == Cost(tuple(reversed(terms)), "USD").total


def test_one_term_that_is_not_priced_makes_no_total() -> None:
    unknown = Term("topics", 1.0, "million", None, "not priced: no price")
    cost = Cost((*TERMS, unknown), "USD")
    assert cost.total is None
    assert cost.known == Cost(TERMS, "USD").total
    assert cost.unpriced == ("topics: not priced: no price",)


def test_no_terms_cost_nothing() -> None:
    assert Cost((), "USD").total == 0


def test_as_much_again_doubles_quantities_and_leaves_prices() -> None:
    doubled = Cost(TERMS, "USD").times(2)
    assert [term.quantity for term in doubled.terms] == [20, 6]
    assert [term.price for term in doubled.terms] == [0.2, 0.0000166667]


def test_costs_add_up_in_one_currency_only() -> None:
    both = Cost(TERMS[:1], "USD") + Cost(TERMS[1:], "USD")
    assert both == Cost(TERMS, "USD")
    with pytest.raises(ValueError, match="USD and GBP do not add up"):
        Cost(TERMS, "USD") + Cost(TERMS, "GBP")


def test_a_cost_is_told_line_by_line_with_the_digits_of_its_prices() -> None:
    unknown = Term("topics", 1.0, "million", None, "not priced: no price")
    assert Cost((*TERMS, unknown), "USD").lines == (
        "requests: 10 million requests × 0.2 = 2.0000 USD (a file, 2026-10-01)",
        "work: 3 GB-second × 0.0000166667 = 0.0001 USD (a page, 2025; older than a year)",
        "topics: 1 million, not priced: no price",
        "total: not known",
    )
    assert Cost(TERMS, "USD").lines[-1] == "total: 2.0001 USD"


@pytest.mark.parametrize(
    ("price", "text"), [(0.0000166667, "0.0000166667"), (0.2, "0.2"), (0.0, "0.0"), (21.0, "21.0")]
)
def test_a_price_is_written_without_powers_of_ten(price: float, text: str) -> None:
    assert plain(price) == text


def test_reasons_why_prices_may_not_hold_are_told_once_with_what_has_them() -> None:
    old, new = "older than a year", ""
    terms = (
        Term("shards", 1.0, "hour", 1.0, "", old),
        Term("units", 1.0, "million", 1.0, "", old),
        Term("units", 2.0, "million", 0.5, "", old),  # a second step
        Term("calls", 1.0, "million", 1.0, "", new),
        Term("polls", 0.0, "million", 1.0, "", "undated"),  # of nothing
    )
    assert Cost(terms, "USD").marks == ("older than a year: shards, units",)
