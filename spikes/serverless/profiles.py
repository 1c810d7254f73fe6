"""How much of the serverless spike a run takes on."""

from __future__ import annotations

from spikebench.scenario.profile import Profile

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="one start of each runtime, handler and lever, no verdicts: all works?",
            scenarios=None,
            blocks=1,
            verdicts=False,
            shortened=True,
        ),
        Profile(
            name="quick",
            summary="handlers hello and json, 6 blocks: about 4 minutes on 2 cores",
            scenarios=("hello", "json"),
            blocks=6,
        ),
        Profile(
            name="standard",
            summary="all handlers at 1,769 MB, 6 blocks: about 10 minutes on 2 cores",
            scenarios=("hello", "json", "spring"),
            blocks=6,
        ),
        Profile(
            name="full",
            summary="all handlers, sizes and states of the page cache, 10 blocks: hours",
            scenarios=None,
            blocks=10,
            full_sweep=True,
            timing_scale=10.0,
        ),
    )
}
"""The profiles by name, shortest first."""
