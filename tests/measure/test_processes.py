import os
import subprocess
import sys

from spikebench.measure.processes import cores_busy_s, cpu_s, rss_bytes, whole_sum

BURN = "import time\nwhile time.process_time() < 0.5: pass\nprint('burnt', flush=True)\ninput()"
HOLD = "held = bytearray(b'x' * 100_000_000)\nprint('held', flush=True)\ninput()"


def _child(code: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


def test_cpu_seconds_of_other_processes_are_seen() -> None:
    with _child(BURN) as child:
        mine = cpu_s([os.getpid()])
        assert (cpu_s([child.pid]) or 0) >= 0.45
        assert (cpu_s([child.pid, os.getpid()]) or 0) >= (mine or 0) + 0.45
        child.communicate(b"\n")


def test_a_core_is_busy_for_as_long_as_a_process_burns_it() -> None:
    core = min(os.sched_getaffinity(0))
    before = cores_busy_s()[core]
    pinned = f"import os\nos.sched_setaffinity(0, [{core}])\n"
    with _child(pinned + BURN) as child:
        assert cores_busy_s()[core] >= before + 0.4
        child.communicate(b"\n")


def test_memory_is_that_of_the_largest() -> None:
    with _child(HOLD) as large, _child("print('idle', flush=True)\ninput()") as small:
        assert rss_bytes([large.pid]) >= 100_000_000 > rss_bytes([small.pid])
        assert rss_bytes([small.pid, large.pid]) == rss_bytes([large.pid])
        for child in (large, small):
            child.communicate(b"\n")


def test_what_a_process_that_is_gone_had_used_is_not_known() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert (rss_bytes([child.pid]), rss_bytes([])) == (0, 0)
    assert cpu_s([child.pid]) is None
    assert cpu_s([os.getpid(), child.pid]) is None
    assert cpu_s([]) == 0


def test_a_process_that_has_ended_tells_what_it_used_until_it_is_waited_for() -> None:
    with _child(BURN) as child:
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert (cpu_s([child.pid]) or 0) >= 0.45
    assert cpu_s([child.pid]) is None


def test_a_sum_is_whole_or_none() -> None:
    assert whole_sum([1.0, 2.0]) == 3.0
    assert whole_sum([1.0, None]) is None
