"""What invokes of Lambda use up, before (at the most) and after (as Lambda bills it).

INIT is charged since 2025-08-01. Storage of packages and of a few log lines is not counted: both
are gone with the stack, and come to less than a cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from spikebench.target.sandbox.budget import Use
from spikes.serverless.sandbox.upload import Architecture

REQUEST = "lambda.request"
"""One invoke."""

INIT_LIMIT_S = 10.0
"""After so long Lambda gives an initialisation up, and runs it again in the invoke
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html)."""

COLD_S = 12.0
WARM_S = 0.1
"""What an estimate takes a cold and a warm invoke to last, billed; meant to be on the high side."""

PUBLISH_S = 20.0
"""What an estimate takes the making of a snapshot to last."""


def gb_second(architecture: Architecture) -> str:
    """Return the dimension of a GB-second, such as ``lambda.gb_second.x86_64``."""
    return f"lambda.gb_second.{architecture}"


@dataclass(frozen=True)
class Planned:
    """Trials of one cell that are to be run."""

    memory_mb: int
    architecture: Architecture
    snapstart: bool
    trials: int
    warm_invokes: int


def estimate(plans: Iterable[Planned]) -> list[Use]:
    """Return about the most that a run will use up, by dimension."""
    total: dict[str, float] = defaultdict(float)
    for plan in plans:
        seconds = COLD_S + plan.warm_invokes * WARM_S + (PUBLISH_S if plan.snapstart else 0.0)
        busy = compute(plan.memory_mb, plan.architecture, plan.trials * seconds)
        total[busy.dimension] += busy.amount
        total[REQUEST] += plan.trials * (1 + plan.warm_invokes)
    return [Use(dimension, amount) for dimension, amount in total.items()]


def compute(memory_mb: int, architecture: Architecture, seconds: float) -> Use:
    """Return the GB-seconds of a function that is billed for so long."""
    return Use(gb_second(architecture), memory_mb / 1024 * seconds)


def at_most(
    memory_mb: int, architecture: Architecture, timeout_s: float, cold: bool
) -> tuple[Use, ...]:
    """Return the most that one invoke can use up: it is ended at its time-out."""
    seconds = timeout_s + (INIT_LIMIT_S if cold else 0.0)
    return Use(REQUEST, 1), compute(memory_mb, architecture, seconds)
