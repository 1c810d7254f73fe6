"""The rule of warmth on made-up series, of which it is known where they get warm."""

from __future__ import annotations

import numpy as np
import pytest

from spikes.serverless.warm import LEAST_INVOKES, WINDOW, invokes_until_warm


def steps(*parts: tuple[int, float], noise: float = 0.0, seed: int = 1) -> list[float]:
    """Invokes at levels one after the other, with log-normal noise."""
    levels = np.concatenate([np.full(count, level) for count, level in parts])
    return list(levels * np.exp(np.random.default_rng(seed).normal(0, noise, len(levels))))


def test_a_series_without_warming_up_is_warm_after_its_first_invoke() -> None:
    assert invokes_until_warm(steps((100, 2.0))) == (1, "")


@pytest.mark.parametrize("slow", [12, 40, 75, 150])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_step_is_found_within_a_window(slow: int, noise: float) -> None:
    until, why = invokes_until_warm(steps((slow, 5.0), (300, 1.0), noise=noise))
    assert why == ""
    assert until is not None
    assert slow - WINDOW <= until <= slow


def test_a_plateau_before_the_last_step_is_not_warm() -> None:
    until, _ = invokes_until_warm(steps((20, 9.0), (100, 1.5), (280, 1.0), noise=0.03))
    assert until is not None
    assert 110 <= until <= 120


def test_single_slow_invokes_make_nothing_cold_again() -> None:
    series = steps((30, 5.0), (270, 1.0))
    series[100::20] = [50.0] * len(series[100::20])
    until, _ = invokes_until_warm(series)
    assert until is not None
    assert until <= 30


def test_a_burst_of_slow_invokes_late_makes_nothing_cold_again() -> None:
    series = steps((30, 5.0), (470, 1.0))
    series[250:262] = [9.0] * 12
    until, _ = invokes_until_warm(series)
    assert until is not None
    assert until <= 30


def test_differences_of_a_few_microseconds_are_no_warming_up() -> None:
    assert invokes_until_warm(steps((50, 0.105), (150, 0.090)))[0] == 1


def test_what_gets_faster_to_the_end_is_withheld() -> None:
    series = list(np.linspace(100.0, 1.0, 200))
    until, why = invokes_until_warm(series)
    assert until is None
    assert why == "still getting faster after 200 invokes"


def test_what_gets_slower_at_the_end_was_never_slow_before() -> None:
    assert invokes_until_warm(steps((150, 1.0), (50, 3.0)))[0] == 1


def test_too_few_invokes_show_nothing() -> None:
    until, why = invokes_until_warm([1.0] * (LEAST_INVOKES - 1))
    assert until is None
    assert "40 are needed" in why
    assert invokes_until_warm([1.0] * LEAST_INVOKES)[0] == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_quota_that_stops_every_third_invoke_does_not_hide_the_step(seed: int) -> None:
    """Under a small CPU share a warm invoke is fast or a whole period longer."""
    series = np.array(steps((60, 40.0), (340, 2.0), noise=0.05, seed=seed))
    series[np.random.default_rng(seed).random(400) < 0.25] += 18.0
    until, why = invokes_until_warm(list(series))
    assert why == ""
    assert until is not None
    assert 45 <= until <= 75
