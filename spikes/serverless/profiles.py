"""How much of the serverless spike a run takes on.

Seven blocks, for a run compares up to 77 cells with their baselines: under Holm's adjustment the
exact rank test of six trials a side cannot decide more than 46 comparisons at once.
"""

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
            summary="handler json, 7 blocks: about 2 minutes on 2 cores",
            scenarios=("json",),
            blocks=7,
        ),
        Profile(
            name="standard",
            summary="handlers hello, json and spring, 7 blocks: about 10 minutes on 2 cores",
            scenarios=("hello", "json", "spring"),
            blocks=7,
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
