from __future__ import annotations

import os
import time

import pytest

from benchmarks.cpu_clock import main_thread_cpu_s, process_cpu_s, wake_up_cpu_s
from benchmarks.own_cpu import measure, metered, read_spent
from benchmarks.rig import Rig, candidate


def test_the_last_segment_of_a_report_is_divided_by_its_messages() -> None:
    report = "500 1 1 1\n1000 2000000 300000 200000\n"
    spent = read_spent(report, process_s=0.040, python_s=0.001)
    assert spent.all_us == pytest.approx(40.0)
    assert (spent.python_us, spent.loop_us, spent.account_us) == pytest.approx((1.0, 2.0, 0.5))
    assert spent.own_us == pytest.approx(3.5)


def test_the_meter_drives_the_candidates_own_driver() -> None:
    through = metered(candidate("rabbitmq-quorum"))
    assert through.client("java").driver == "benchmarks.Metered"
    assert through.options == {"kind": "quorum", "through": "spikes.messaging.RabbitMq"}


def test_a_process_clock_tells_what_the_process_itself_sees() -> None:
    before, own = process_cpu_s(os.getpid()), time.process_time()
    while time.process_time() < own + 0.05:
        pass
    used = process_cpu_s(os.getpid()) - before
    assert 0.05 <= used <= time.process_time() - own + 0.001
    assert 0 < main_thread_cpu_s(os.getpid()) <= process_cpu_s(os.getpid())


def test_a_sleep_takes_less_cpu_than_time_and_leaves_the_cores_as_they_were() -> None:
    cores = os.sched_getaffinity(0)
    assert 0 < wake_up_cpu_s(sorted(cores)[:1], sleep_s=0.02, count=5) < 0.02
    assert os.sched_getaffinity(0) == cores


def test_a_process_that_is_gone_has_no_clock() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(OSError, match=os.strerror(3)):
        process_cpu_s(child)


@pytest.mark.slow
def test_the_meter_finds_a_part_of_the_whole_in_a_real_jvm() -> None:
    with Rig(print) as rig:
        spent = measure(rig, candidate("null"))
    assert spent.python_us > 0
    # differences: on a busy machine below nothing
    assert abs(spent.loop_us) < spent.all_us
    assert abs(spent.account_us) < spent.all_us
    assert spent.own_us < spent.all_us
