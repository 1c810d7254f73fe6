from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.errors import UsageError
from spikebench.scenario.messages import TRIAL_OVERHEAD_S, MessageScenario
from spikebench.scenario.profile import DEFAULT_PROFILE, NAMES, USUAL, Profile
from spikebench.scenario.read import read_scenarios
from spikebench.scenario.variant import for_emulator, variants
from spikes.messaging.profiles import PROFILES
from spikes.messaging.spike import SPIKE

SCENARIOS = read_scenarios(Path(__file__).parents[2] / "scenarios" / "messaging", MessageScenario)

SOFTWARE, EMULATED = 5, 4
"""Candidates of the messaging spike: three kinds of RabbitMQ, Kafka and null; four AWS queues."""


def trial_s(scenario: MessageScenario) -> float:
    """Seconds of a trial without the rates that a capacity trial climbs: those it may also skip."""
    return scenario.timing.warmup_s + scenario.timing.measure_s + TRIAL_OVERHEAD_S


def block_s(name: str) -> float:
    """Seconds of one block on default clients, with an A/A arm a scenario, on local targets."""
    profile = PROFILES[name]
    total = 0.0
    for scenario in SCENARIOS.values():
        if profile.covers(scenario.scenario):
            fitted = profile.fitted(scenario)
            cells = [trial_s(v.scenario) for v in variants(fitted, profile.full_sweep)]
            emulated = [
                trial_s(v.scenario) for v in variants(for_emulator(fitted), profile.full_sweep)
            ]
            shown = [] if scenario.experiment == "capacity" else emulated
            total += SOFTWARE * sum(cells) + EMULATED * sum(shown) + cells[0]
    return total


@pytest.mark.parametrize(("name", "limit_s"), [("quick", 4 * 60), ("standard", 12 * 60)])
def test_the_trials_of_a_profile_fit_the_time_it_promises(name: str, limit_s: float) -> None:
    assert PROFILES[name].blocks * block_s(name) < limit_s


def test_smoke_is_one_block_of_a_few_seconds() -> None:
    assert PROFILES["smoke"].blocks == 1
    assert block_s("smoke") < 20


def test_every_profile_with_verdicts_has_trials_enough_for_them() -> None:
    for profile in PROFILES.values():
        assert not profile.verdicts or profile.blocks >= 6


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_the_scenarios_of_a_profile_exist_and_fit_it(profile: Profile) -> None:
    assert set(profile.scenarios or ()) <= set(SCENARIOS)
    assert all(isinstance(profile.fitted(s), MessageScenario) for s in SCENARIOS.values())


def test_full_covers_everything() -> None:
    assert all(PROFILES["full"].covers(name) for name in SCENARIOS)


def test_a_profile_is_found_by_name_and_an_unknown_one_refused() -> None:
    assert SPIKE.profile(DEFAULT_PROFILE).name == "standard"
    with pytest.raises(UsageError, match="choose one of smoke, quick, standard, full"):
        SPIKE.profile("quik")


def test_profiles_are_called_the_same_in_every_spike() -> None:
    assert tuple(PROFILES) == tuple(USUAL) == NAMES


def test_change_data_is_what_the_team_runs() -> None:
    scenario = SCENARIOS["change-data"]
    assert (scenario.arrivals.burst_min, scenario.arrivals.burst_max) == (1, 50)
    assert (scenario.payload.size_bytes, scenario.payload.largest_bytes) == (300, 4096)
    assert scenario.consumers.subscribers == 3
    assert scenario.promise.ordering == "key"


SAMPLES_FOR_P99 = 368


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_trial_has_samples_enough_for_the_p99_it_is_judged_by(name: str) -> None:
    for variant in variants(SCENARIOS[name], full=True):
        rate_per_s = variant.scenario.arrivals.fixed_rate_per_s
        if rate_per_s is not None:
            assert rate_per_s * variant.scenario.timing.measure_s >= SAMPLES_FOR_P99


def test_a_backlog_has_no_warm_up_that_nobody_would_drain() -> None:
    backlog = SCENARIOS["backlog"]
    assert backlog.timing.warmup_s == 0
    assert PROFILES["smoke"].fitted(backlog).timing.warmup_s == 0
