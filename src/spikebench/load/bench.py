"""The bench an experiment works at: one trial's workload, its clients, and what is known so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spikebench.load.payload import Templates
from spikebench.load.schedule import Schedule, schedule
from spikebench.load.session import Limits, Session
from spikebench.scenario.messages import Arrivals, MessageScenario
from spikebench.target.software import Cores, Running


@dataclass(frozen=True)
class Capacity:
    """What one search found: the highest rate that held and the lowest above it that failed."""

    rate_per_s: float
    failed_per_s: float | None = None


@dataclass(frozen=True)
class Bench:
    """Everything an experiment may use.

    ``rate_per_s`` is the rate asked for, a share of capacity already turned into messages per
    second. ``expected_capacity`` is what an earlier search found for this cell, ``ceiling`` what
    the null driver reached with the same client, in messages per second; None where unknown.
    ``session`` makes a new session; ``receivers_later`` leaves the consumers away at first.
    """

    scenario: MessageScenario
    templates: Templates
    session: Callable[..., Session]
    cores: Cores
    server: Running | None
    seed: int
    rate_per_s: float
    expected_capacity: Capacity | None = None
    ceiling: float | None = None
    say: Callable[[str], None] = lambda _: None

    def schedule(self, rate_per_s: float, duration_s: float, part: int) -> Schedule:
        """Lay out ``duration_s`` of the scenario's arrivals; ``part`` varies the draw."""
        seed = int(np.random.SeedSequence([self.seed, part]).generate_state(1)[0])
        return schedule(self.scenario.arrivals, rate_per_s, duration_s, seed, self.templates)

    def evenly(self, rate_per_s: float, duration_s: float, part: int) -> Schedule:
        """Lay out uniform arrivals at a rate that is being tried, whatever the scenario's kind."""
        uniform = Arrivals(kind="uniform", rate_per_s=rate_per_s)
        seed = int(np.random.SeedSequence([self.seed, part]).generate_state(1)[0])
        return schedule(uniform, rate_per_s, duration_s, seed, self.templates)

    @property
    def limits(self) -> Limits:
        """How long a segment may take beyond its schedule."""
        return Limits(grace_s=self.scenario.timing.grace_s)
