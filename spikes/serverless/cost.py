"""What a function costs on Lambda, and how many invocations cost as much as Fargate all day.

Lambda bills requests, and GB-seconds of billed duration: memory / 1,024 MB × seconds, the duration
rounded up to 1 ms (AWS Lambda pricing page). Since 2025-08-01 the INIT phase is part of it for
every runtime and package (AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase",
2025-04-29); one rounding covers both, as it did where INIT was billed before: Init Duration
1,293.83 ms and Duration 1,049.63 ms made a Billed Duration of 2,344 ms (L. van Donkersgoed,
"When is the Lambda Init Phase Free, and when is it Billed?", 2022-04-09).

The function is taken to be called through a function URL, which costs nothing beyond the
invocation; Fargate takes a load balancer. Data transfer, logs and public addresses are left out of
both. A cold start's INIT is what was measured, here or there: a local one lacks what the microVM
adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp, log
from statistics import fmean
from typing import Literal

import numpy as np
from scipy.optimize import brentq

from spikebench.cost import Cost, PriceBook, Usage
from spikebench.report.column import figure
from spikes.serverless.arrivals import ColdShare, cold_share
from spikes.serverless.pattern import HOURS_A_MONTH, Fargate, Pattern

MILLION = 1e6
MOST_A_MONTH = 1e12
"""Invocations a month beyond which no break-even is looked for."""

TOLERANCE = 1e-5
"""Of the logarithm of a load: a thousandth of a percent."""

GRID = 17
"""Loads tried before a break-even is closed in on, so that the lowest of several is found."""

CONNECTIONS_PER_LCU_S = 25
GB_PER_LCU_HOUR = 1.0
"""A load balancer's capacity unit (Elastic Load Balancing pricing page): the most used of several.

New connections and bytes count here; a unit also holds 3,000 active connections a minute and 1,000
rule evaluations a second, which requests that last milliseconds under ten rules do not reach first.
"""


@dataclass(frozen=True)
class Measured:
    """What was measured of one cell: each tuple one value a trial, or a sample of invokes.

    ``init_ms`` and ``first_ms`` belong together trial by trial. With ``snapstart`` the former is
    the billed part of a restore (loading the runtime and hooks), and ``java`` or ``other`` says
    which of its prices holds. A mean of rounded durations is billed, so samples are better than
    their median: a warm invoke of 0.4 ms is billed as 1 ms. Raises ValueError for no or unequal
    trials, and for durations or memory that are none.
    """

    memory_mb: int
    init_ms: tuple[float, ...]
    first_ms: tuple[float, ...]
    warm_ms: tuple[float, ...]
    snapstart: Literal["", "java", "other"] = ""

    def __post_init__(self) -> None:
        """Refuse what can't be billed."""
        if not self.warm_ms or not self.init_ms or len(self.init_ms) != len(self.first_ms):
            raise ValueError("a cost needs trials: init and first invoke of each, and warm invokes")
        if self.memory_mb <= 0 or not all(x >= 0 for x in (*self.init_ms, *self._invokes)):
            raise ValueError("memory has to be above 0, and durations may not be below it")

    @property
    def _invokes(self) -> tuple[float, ...]:
        return (*self.first_ms, *self.warm_ms)

    @property
    def memory_gb(self) -> float:
        """Memory in GB of 1,024 MB, as it is billed."""
        return self.memory_mb / 1024

    @property
    def init_mean_ms(self) -> float:
        """Mean duration of INIT, not rounded."""
        return fmean(self.init_ms)

    @property
    def cold_billed_ms(self) -> float:
        """Mean billed duration of a cold invocation, INIT and first invoke together."""
        pairs = zip(self.init_ms, self.first_ms, strict=True)
        return fmean(billed_ms(init + first) for init, first in pairs)

    @property
    def warm_billed_ms(self) -> float:
        """Mean billed duration of a warm invocation."""
        return fmean(map(billed_ms, self.warm_ms))


def billed_ms(duration_ms: float) -> int:
    """Return a duration as it is billed: rounded up to 1 ms; below a nanosecond is float noise."""
    return ceil(round(duration_ms, 6))


def share_of_cold_starts(pattern: Pattern, measured: Measured) -> ColdShare:
    """Return the share of cold starts: stated by the pattern, or else simulated."""
    if pattern.cold_share is not None:
        return ColdShare(pattern.cold_share)
    return cold_share(
        pattern.rate_per_s,
        pattern.idle_timeout_s,
        fmean(measured.warm_ms) / 1000,
        (measured.init_mean_ms + fmean(measured.first_ms)) / 1000,
        pattern.routing,
        pattern.seed,
    )


def cost_per_million(pattern: Pattern, measured: Measured, book: PriceBook) -> Cost:
    """Return what a million invocations cost on Lambda at the pattern's rate.

    A month's bill in proportion, so that steps, free units and what is paid by the month (a cached
    snapshot) are those of the pattern's load. Raises UsageError where its cold starts can't be
    simulated.
    """
    share = MILLION / pattern.invocations_per_month
    return lambda_month(pattern, measured, book).times(share)


def lambda_month(pattern: Pattern, measured: Measured, book: PriceBook) -> Cost:
    """Return what a month costs on Lambda at the pattern's rate; raise UsageError as above."""
    return _lambda_month(pattern, measured, book, share_of_cold_starts(pattern, measured))


def _lambda_month(pattern: Pattern, measured: Measured, book: PriceBook, share: ColdShare) -> Cost:
    requests = pattern.invocations_per_month
    cold, warm = requests * share.share, requests * (1 - share.share)
    gb, init_ms = measured.memory_gb, measured.init_mean_ms
    named = "restores" if measured.snapstart else "INIT"
    dimension = f"GB-second {pattern.architecture}"

    def duration(what: str, count: float, ms: float) -> Usage:
        return Usage(what, "lambda", dimension, count * ms / 1000 * gb, "GB-second")

    usages = [
        Usage("requests", "lambda", "requests", requests / MILLION, "million requests"),
        duration(f"{named} of cold starts, {share} of invocations", cold, init_ms),
        duration("first invokes", cold, measured.cold_billed_ms - init_ms),
        duration("warm invokes", warm, measured.warm_billed_ms),
        *_snapstart(pattern, measured, cold),
    ]
    return book.cost(usages, free_tier=pattern.free_tier)


def _snapstart(pattern: Pattern, measured: Measured, cold: float) -> list[Usage]:
    """A snapshot's price, all month for each version kept, and each restore's.

    INIT at publishing is billed once a version, and left out.
    """
    if not measured.snapstart:
        return []
    tail = " java" if measured.snapstart == "java" else ""
    gb = measured.memory_gb
    kept = gb * pattern.snapstart_versions * HOURS_A_MONTH * 3600
    cache, restore = f"SnapStart cache{tail}", f"SnapStart restore{tail}"
    return [
        Usage("snapshots kept", "lambda", cache, kept, "GB-second"),
        Usage("snapshots restored", "lambda", restore, cold * gb, "GB"),
    ]


def fargate_month(pattern: Pattern, book: PriceBook) -> Cost:
    """Return what a month of Fargate costs: tasks that run all day, and their load balancer."""
    fargate, hours = pattern.fargate, HOURS_A_MONTH
    vcpu, gb = fargate.vcpu * fargate.tasks * hours, fargate.memory_gb * fargate.tasks * hours
    usages = [
        Usage("vCPUs of tasks", "fargate", f"vCPU {pattern.architecture}", vcpu, "vCPU-hour"),
        Usage("memory of tasks", "fargate", f"GB {pattern.architecture}", gb, "GB-hour"),
    ]
    if fargate.load_balancer:
        units = capacity_units(fargate, pattern.rate_per_s) * hours
        usages += [
            Usage("load balancer", "alb", "load balancer", hours, "hour"),
            Usage("load balancer's capacity", "alb", "LCU", units, "LCU-hour"),
        ]
    return book.cost(usages, free_tier=pattern.free_tier)


def capacity_units(fargate: Fargate, rate_per_s: float) -> float:
    """Return how many capacity units a load balancer uses at a steady rate."""
    connections = rate_per_s / fargate.requests_per_connection / CONNECTIONS_PER_LCU_S
    gb_per_hour = rate_per_s * fargate.kb_per_request * 3600 / 1e6
    return max(connections, gb_per_hour / GB_PER_LCU_HOUR)


@dataclass(frozen=True)
class BreakEven:
    """The invocations a month at which both cost the same; None where there are none, and why.

    Below it Lambda is cheaper. The two costs are a month's, there, or at the pattern's own rate
    where there is no break-even.
    """

    invocations_per_month: float | None
    on_lambda: Cost
    on_fargate: Cost
    words: str

    @property
    def rate_per_s(self) -> float | None:
        """The break-even as requests a second, all month."""
        if self.invocations_per_month is None:
            return None
        return self.invocations_per_month / (HOURS_A_MONTH * 3600)


def break_even(pattern: Pattern, measured: Measured, book: PriceBook) -> BreakEven:
    """Find the load at which Lambda costs as much as Fargate, whatever the pattern's own load is.

    The share of cold starts changes with the load, so it is simulated at each one that is tried,
    with the same arrivals but for their scale. The break-even lies between those of cold starts
    only and of none; where a falling share makes several (a short time-out, a slow INIT), it is the
    lowest. Raises UsageError where cold starts can't be simulated.
    """
    own = lambda_month(pattern, measured, book), fargate_month(pattern, book)
    unpriced = own[0].unpriced + own[1].unpriced
    if unpriced:
        return BreakEven(None, *own, f"no break-even: {'; '.join(unpriced)}")

    def excess_at(share: float | None) -> Callable[[float], float]:
        return lambda load: _excess(pattern.at(exp(load)), measured, book, share)

    least = _first_root(excess_at(1.0), 0.0, log(MOST_A_MONTH))
    if least is None:
        words = "no break-even: with cold starts only, one of them is cheaper at any load"
        return BreakEven(None, *own, words)
    most = _first_root(excess_at(0.0), least, log(MOST_A_MONTH))
    if most is None:
        words = f"no break-even: Lambda stays cheaper up to {_millions(MOST_A_MONTH)} a month"
        return BreakEven(None, *own, words)
    # a little wider than the two, for each is a root but for its tolerance
    at = exp(_roots(excess_at(None), least - 10 * TOLERANCE, most + 10 * TOLERANCE)[0])
    there = pattern.at(at)
    costs = lambda_month(there, measured, book), fargate_month(there, book)
    return BreakEven(at, *costs, _words(there))


def _excess(pattern: Pattern, measured: Measured, book: PriceBook, share: float | None) -> float:
    """How much dearer Lambda is in a month; ``share`` of cold starts, None: the pattern's own."""
    found = share_of_cold_starts(pattern, measured) if share is None else ColdShare(share)
    on_lambda = _lambda_month(pattern, measured, book, found)
    return on_lambda.known - fargate_month(pattern, book).known


def _first_root(excess: Callable[[float], float], low: float, high: float) -> float | None:
    return next(iter(_roots(excess, low, high)), None)


def _roots(excess: Callable[[float], float], low: float, high: float) -> list[float]:
    """Where ``excess`` rises through zero, each to TOLERANCE, as far as a grid of GRID can tell."""
    grid = np.linspace(low, high, GRID).tolist()
    values = [excess(load) for load in grid]
    spans = [at for at in range(GRID - 1) if values[at] < 0 <= values[at + 1]]
    return [float(brentq(excess, grid[at], grid[at + 1], xtol=TOLERANCE)) for at in spans]


def _millions(invocations: float) -> str:
    return f"{figure(invocations / MILLION)} million invocations"


def _words(there: Pattern) -> str:
    rate, tasks = there.rate_per_s, there.fargate.tasks
    said = (
        f"Lambda is cheaper below {_millions(there.invocations_per_month)} a month "
        f"({rate:.3g}/s all month), Fargate above"
    )
    carried = there.fargate.rate_per_task_per_s
    if carried is None:
        return f"{said}, if {tasks} tasks carry that: it was not measured"
    if carried * tasks < rate:
        return f"{said}; but {tasks} tasks carry {carried * tasks:.3g}/s only: cost more of them"
    return said
