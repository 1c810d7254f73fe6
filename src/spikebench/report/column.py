"""The columns of a table for people: which metric, under which header."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from spikebench.stats import Interval

NOTHING = "—"


@dataclass(frozen=True)
class Column:
    """A metric's column; ``header`` names the unit. A ``fixed`` one stays when it is empty."""

    metric: str
    header: str
    fixed: bool = True


def shown(columns: Iterable[Column], metrics: Set[str]) -> list[Column]:
    """The columns a section has: all fixed ones, and others where a row has something to show."""
    return [column for column in columns if column.fixed or column.metric in metrics]


def figure(value: float | None) -> str:
    """Three significant digits, thousands grouped; ``—`` where there is nothing."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    if abs(rounded) >= 100:
        return f"{rounded:,.0f}"
    return f"{rounded:#.3g}" if abs(rounded) >= 1e-4 else f"{rounded:.0e}"


def bounds(found: Interval) -> str:
    """The 95 % interval in brackets; empty for fewer than two trials."""
    if found.low is None or found.high is None:
        return ""
    return f"[{figure(found.low)}, {figure(found.high)}]"


def beside(found: Interval, n: int = 0) -> str:
    """What stands beside a median: its interval, and its own n where that is not ``n``."""
    own = "" if found.n == n else f"n={found.n}"
    return " ".join(filter(None, (bounds(found), own)))


def count(value: int | None) -> str:
    """A count in full; ``—`` where nothing was counted."""
    return NOTHING if value is None else f"{value:,}"
