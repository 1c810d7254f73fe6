import pytest

from spikebench.errors import TargetError
from spikebench.target.sandbox.budget import Budget, BudgetSpent, Use, open_budget
from tests.synthetic.aws import Prices

PRICES = Prices(a=0.5)
USD = "SPIKEBENCH_SANDBOX_BUDGET_USD"
UNITS = "SPIKEBENCH_SANDBOX_BUDGET_UNITS"


def test_the_estimate_is_said_with_its_price_before_anything_is_spent() -> None:
    said: list[str] = []
    budget = open_budget([Use("a", 3)], PRICES, said.append, {USD: "2"})
    assert said == ["3 of a: $1.5000", "estimate: at most about $1.50"]
    assert budget.spent_usd == 0


def test_an_estimate_beyond_the_budget_is_refused() -> None:
    with pytest.raises(BudgetSpent, match=r"the estimate alone.*\$1\.0000"):
        open_budget([Use("a", 3)], PRICES, print, {USD: "1"})


def test_without_a_budget_nothing_is_spent() -> None:
    with pytest.raises(TargetError, match=f"no budget is set: export {USD}"):
        open_budget([Use("a", 3)], PRICES, print, {})


def test_what_is_not_priced_says_so_and_is_refused() -> None:
    said: list[str] = []
    with pytest.raises(TargetError, match=r"b: not priced.*--accept-unpriced"):
        open_budget([Use("a", 1), Use("b", 7)], PRICES, said.append, {USD: "9"})
    assert said == ["1 of a: $0.5000", "7 of b: not priced"]


def test_what_is_not_priced_may_be_accepted_or_limited_in_units_of_its_own() -> None:
    accepted = open_budget([Use("b", 7)], PRICES, print, {}, accept_unpriced=True)
    accepted.reserve([Use("b", 1e9)])
    limited = open_budget([Use("b", 7)], PRICES, print, {UNITS: "b=8"})
    limited.spend([Use("b", 7)])
    limited.reserve([Use("b", 1)])
    with pytest.raises(BudgetSpent, match="the limit of 8 of b"):
        limited.reserve([Use("b", 1.1)])


def test_a_limit_in_units_covers_what_has_a_price_too() -> None:
    open_budget([Use("a", 7)], PRICES, print, {UNITS: "a=8"})
    with pytest.raises(BudgetSpent, match="the limit of 6 of a"):
        open_budget([Use("a", 7)], PRICES, print, {UNITS: "a=6"})


def test_it_stops_before_the_step_that_might_go_beyond() -> None:
    budget = Budget(PRICES, limit_usd=1.0)
    budget.spend([Use("a", 1.0)])
    budget.reserve([Use("a", 1.0)])
    with pytest.raises(BudgetSpent, match=r"\$0\.5000 so far"):
        budget.reserve([Use("a", 0.6), Use("a", 0.6)])
    assert budget.spent_usd == 0.5
    assert budget.uses == (Use("a", 1.0),)


@pytest.mark.parametrize("text", ["ten", "nan", "inf", "-1"])
def test_a_budget_is_an_amount(text: str) -> None:
    with pytest.raises(TargetError, match=f"{USD}: '{text}' is not an amount"):
        open_budget([], PRICES, print, {USD: text})


def test_a_malformed_limit_is_refused() -> None:
    with pytest.raises(TargetError, match=f"{UNITS}: '' is not an amount"):
        open_budget([], PRICES, print, {UNITS: "a"})
