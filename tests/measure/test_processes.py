import os
import subprocess
import sys

from spikebench.measure.processes import cores_busy_s, cpu_s, rss_bytes

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
        assert cpu_s([child.pid]) >= 0.45
        assert cpu_s([child.pid, os.getpid()]) >= mine + 0.45
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


def test_a_process_that_is_gone_counts_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert (cpu_s([child.pid]), rss_bytes([child.pid]), rss_bytes([])) == (0.0, 0, 0)
