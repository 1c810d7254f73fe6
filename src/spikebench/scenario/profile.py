"""Profiles: how much of a spike a run takes on, as data; each spike has its own of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from spikebench.scenario.model import Scenario

S = TypeVar("S", bound=Scenario)

NAMES = ("smoke", "quick", "standard", "full")
"""What a spike's profiles are called, shortest first."""

DEFAULT_PROFILE = "standard"


@dataclass(frozen=True)
class Profile:
    """What a run covers. ``scenarios`` is None for all of the spike's.

    ``all_clients``: every client of a candidate, not only the default one. ``full_sweep``: sweep
    the parameters of ``full_sweep`` too. ``verdicts``: there are trials enough to draw them.
    ``shortened``: the shortest trials there are, to see that everything works.
    ``timing_scale`` multiplies the measured time of a trial.
    """

    name: str
    summary: str
    scenarios: tuple[str, ...] | None
    blocks: int
    all_clients: bool = False
    full_sweep: bool = False
    verdicts: bool = True
    shortened: bool = False
    timing_scale: float = 1.0

    def covers(self, scenario: str) -> bool:
        """Whether the scenario of this name is part of the profile."""
        return self.scenarios is None or scenario in self.scenarios

    def fitted(self, scenario: S) -> S:
        """Return the scenario with this profile's timing; take its variants afterwards."""
        if self.shortened:
            return scenario.shortened()
        return scenario if self.timing_scale == 1.0 else scenario.stretched(self.timing_scale)


USUAL = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="one short block of every scenario, no verdicts: does everything work?",
            scenarios=None,
            blocks=1,
            verdicts=False,
            shortened=True,
        ),
        Profile("quick", "every scenario with default clients, 6 blocks", None, 6),
        Profile("standard", "every scenario and client, 6 blocks", None, 6, all_clients=True),
        Profile(
            name="full",
            summary="every scenario, client and parameter, 10 blocks",
            scenarios=None,
            blocks=10,
            all_clients=True,
            full_sweep=True,
        ),
    )
}
"""The profiles of a spike that has none of its own."""
