"""Profiles: how much of a spike a run takes on, as data.

A trial takes its warm-up, its measured time and about 0.4 s of setting up and draining; a block is
one trial of each cell and one of the A/A arm.
"""

from __future__ import annotations

from dataclasses import dataclass

from spikebench.errors import UsageError
from spikebench.scenario.model import Scenario
from spikebench.scenario.variant import for_smoke, stretched

TRIAL_OVERHEAD_S = 0.4
"""Seconds a trial takes beside warm-up and measured time, for estimates before a run."""


FAULT_OVERHEAD_S = 6.0
"""Seconds a trial with a fault takes beside that: starting anew, and waiting for what is lost."""


@dataclass(frozen=True)
class Profile:
    """What a run covers. ``scenarios`` is None for all of the spike's.

    ``all_clients``: every client of a candidate, not only the default one. ``full_sweep``: sweep
    the parameters of ``full_sweep`` too. ``verdicts``: there are trials enough to draw them.
    ``shortened``: trials of a second at a moderate rate, to see that everything works.
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

    def fitted(self, scenario: Scenario) -> Scenario:
        """Return the scenario with this profile's timing; take its variants afterwards."""
        if self.shortened:
            return for_smoke(scenario)
        return scenario if self.timing_scale == 1.0 else stretched(scenario, self.timing_scale)


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="one short block of change-data, no verdicts: does everything work?",
            scenarios=("change-data",),
            blocks=1,
            verdicts=False,
            shortened=True,
        ),
        Profile(
            name="quick",
            summary="change-data, default clients, 6 blocks: about 4 minutes on 2 cores",
            scenarios=("change-data",),
            blocks=6,
        ),
        Profile(
            name="standard",
            summary="change-data, steady-latency and work-queue, 6 blocks: about 11 minutes",
            scenarios=("change-data", "steady-latency", "work-queue"),
            blocks=6,
        ),
        Profile(
            name="full",
            summary="every scenario, client and parameter, 10 blocks of longer trials: hours",
            scenarios=None,
            blocks=10,
            all_clients=True,
            full_sweep=True,
            timing_scale=1.5,
        ),
    )
}
"""The profiles by name, shortest first."""

DEFAULT_PROFILE = "standard"


def profile_named(name: str) -> Profile:
    """Return the profile called ``name``; raise UsageError where there is none."""
    if name not in PROFILES:
        known = ", ".join(PROFILES)
        raise UsageError(f"--profile {name}: there is no such profile; choose one of {known}")
    return PROFILES[name]


def trial_s(scenario: Scenario) -> float:
    """Return about how many seconds a trial of the scenario takes."""
    if scenario.fault is not None:
        return scenario.timing.measure_s + scenario.fault.lasts_s + FAULT_OVERHEAD_S
    return scenario.timing.warmup_s + scenario.timing.measure_s + TRIAL_OVERHEAD_S
