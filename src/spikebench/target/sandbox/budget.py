"""What a run in a sandbox will cost, said before it spends, and the budget it stops at.

Only what is used up is counted, at the list price: no free tier, no discount. It is a count kept
from outside and no bill; an account that is spent in wants a budget of its own at AWS too.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spikebench.errors import TargetError
from spikebench.target.software import Say

BUDGET_USD = "SPIKEBENCH_SANDBOX_BUDGET_USD"
"""Environment variable: the most that a run may use up, in US dollars."""

BUDGET_UNITS = "SPIKEBENCH_SANDBOX_BUDGET_UNITS"
"""Environment variable: limits in units, for what has no price: ``dimension=amount,...``."""


class BudgetSpent(TargetError):  # noqa: N818 - what happened, in the words of the field
    """The next step might go beyond the budget, so it was not taken."""


class Prices(Protocol):
    """A price book."""

    def price(self, dimension: str) -> float | None:
        """Return US dollars for one unit of a dimension; None where it is not priced."""


@dataclass(frozen=True)
class Use:
    """So much of one dimension, such as 12.5 of ``lambda.gb_second.x86_64``."""

    dimension: str
    amount: float


@dataclass
class Budget:
    """What may be used up, and what has been: in US dollars, and in units where limits say so."""

    prices: Prices
    limit_usd: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)

    @property
    def spent_usd(self) -> float:
        """US dollars so far; what has no price is not in it."""
        return sum(self._usd(Use(name, amount)) for name, amount in self.used.items())

    @property
    def uses(self) -> tuple[Use, ...]:
        """What has been used up so far, by dimension."""
        return tuple(Use(name, amount) for name, amount in self.used.items())

    def reserve(self, coming: Iterable[Use]) -> None:
        """Raise BudgetSpent where what is coming, at the most, would go beyond a limit."""
        coming = tuple(coming)
        total = self.spent_usd + sum(self._usd(use) for use in coming)
        if self.limit_usd is not None and total > self.limit_usd:
            raise BudgetSpent(
                f"the budget of ${self.limit_usd:.4f} is used up: ${self.spent_usd:.4f} so far, "
                f"and the next step might take it to ${total:.4f}. Raise {BUDGET_USD} to go on."
            )
        for use in coming:
            would = self.used.get(use.dimension, 0.0) + use.amount
            if would > self.limits.get(use.dimension, math.inf):
                raise BudgetSpent(
                    f"the limit of {self.limits[use.dimension]:g} of {use.dimension} is used up: "
                    f"the next step might take it to {would:g}. Raise {BUDGET_UNITS} to go on."
                )

    def spend(self, uses: Iterable[Use]) -> None:
        """Count what was used up."""
        for use in uses:
            self.used[use.dimension] = self.used.get(use.dimension, 0.0) + use.amount

    def _usd(self, use: Use) -> float:
        return use.amount * (self.prices.price(use.dimension) or 0.0)


def open_budget(
    estimate: Sequence[Use],
    prices: Prices,
    say: Say,
    environ: Mapping[str, str] = os.environ,
    accept_unpriced: bool = False,
) -> Budget:
    """Say what a run will use up and cost, and return the budget that it is held to.

    Raises TargetError, before anything is spent, where no budget is set, where the estimate is
    beyond it, or where something has no price and neither ``accept_unpriced`` nor a limit in units
    of its own covers it.
    """
    budget = Budget(prices, _limit_usd(environ), _limits(environ))
    for use in estimate:
        say(_line(use, prices.price(use.dimension)))
    _refuse_unpriced(estimate, budget, accept_unpriced)
    _refuse_unlimited(estimate, budget)
    try:
        budget.reserve(estimate)
    except BudgetSpent as error:
        raise BudgetSpent(f"the estimate alone is beyond it: {error}") from None
    say(f"estimate: at most about ${sum(budget._usd(use) for use in estimate):.2f}")
    return budget


def _line(use: Use, price: float | None) -> str:
    cost = "not priced" if price is None else f"${use.amount * price:.4f}"
    return f"{use.amount:,.0f} of {use.dimension}: {cost}"


def _refuse_unpriced(estimate: Sequence[Use], budget: Budget, accepted: bool) -> None:
    missing = sorted(
        {u.dimension for u in estimate if budget.prices.price(u.dimension) is None}
        - set(budget.limits)
    )
    if missing and not accepted:
        raise TargetError(
            f"{', '.join(missing)}: not priced, so nothing would stop it at a budget. Add the "
            f"price, set {BUDGET_UNITS}={missing[0]}=<most>, or give --accept-unpriced."
        )


def _refuse_unlimited(estimate: Sequence[Use], budget: Budget) -> None:
    priced = {u.dimension for u in estimate if budget.prices.price(u.dimension) is not None}
    if budget.limit_usd is None and priced - set(budget.limits):
        raise TargetError(
            f"a sandbox costs money and no budget is set: export {BUDGET_USD}=<US dollars>."
        )


def _limit_usd(environ: Mapping[str, str]) -> float | None:
    text = environ.get(BUDGET_USD, "").strip()
    return _amount(BUDGET_USD, text) if text else None


def _limits(environ: Mapping[str, str]) -> dict[str, float]:
    parts = [part for part in environ.get(BUDGET_UNITS, "").split(",") if part.strip()]
    pairs = (part.partition("=") for part in parts)
    return {name.strip(): _amount(BUDGET_UNITS, amount) for name, _, amount in pairs}


def _amount(variable: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise TargetError(f"{variable}: {text!r} is not an amount, such as 2.50.")
    return value
