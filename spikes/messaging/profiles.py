"""How much of the messaging spike a run takes on.

A trial takes its warm-up, its measured time and about 0.4 s of setting up and draining; a block is
one trial of each cell and one of the A/A arm.
"""

from __future__ import annotations

from spikebench.scenario.profile import Profile

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
