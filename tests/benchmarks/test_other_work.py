from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from benchmarks.other_work import Reading

CORES = psutil.cpu_count() or 1


def test_what_is_not_ours_is_other_work() -> None:
    before, after = Reading(0.0, 100.0, 40.0), Reading(10.0, 100.0 + 6 * CORES, 40.0 + 2 * CORES)
    assert after.others_share(before) == pytest.approx(0.4)


def test_a_share_is_no_less_than_nothing_and_no_more_than_all() -> None:
    before = Reading(0.0, 0.0, 0.0)
    assert Reading(1.0, 0.0, 9.0).others_share(before) == 0.0
    assert Reading(1.0, 99.0 * CORES, 0.0).others_share(before) == 1.0
    assert before.others_share(before) == 0.0


def test_a_child_that_ended_is_ours() -> None:
    before = Reading.now()
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)
    assert Reading.now().own_s - before.own_s > 0.05
