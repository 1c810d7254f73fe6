from __future__ import annotations

import os

import pytest

from spikebench.measure.pace import metric, paces_ms


def test_each_core_is_asked_and_all_may_be_used_afterwards() -> None:
    allowed = os.sched_getaffinity(0)
    found = paces_ms()
    assert len(found) == min(len(allowed), 8)
    assert all(ms > 0 for ms in found)
    assert os.sched_getaffinity(0) == allowed


def test_a_core_that_is_not_there_leaves_the_others_to_be_used() -> None:
    allowed = os.sched_getaffinity(0)
    with pytest.raises(OSError, match=r"Invalid argument"):
        paces_ms([100_000])
    assert os.sched_getaffinity(0) == allowed


def test_a_trials_pace_is_the_mean_of_before_and_after() -> None:
    found = metric([3.0, 4.0], [5.0, 6.0])
    assert (found.value, found.unit, found.n, found.better) == (4.5, "ms", 4, "neither")
