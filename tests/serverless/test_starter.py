"""Whatever ends the harness or the starter, nothing of a function is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from spikes.serverless.box import Box, how_it_ended, last_line
from spikes.serverless.cold_start import measure
from spikes.serverless.synthetic import Behaviour, synthetic

ROOT = Path(__file__).parents[2]

HARNESS = """
import sys
from pathlib import Path
from spikes.serverless.box import Box
from spikes.serverless.cold_start import measure
from spikes.serverless.synthetic import Behaviour, synthetic
function = synthetic(Path(sys.argv[1]), Behaviour(orphan=True, hang_at=1))
measure(function, b"{}", {}, Box(512))
"""


def eventually(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def test_a_harness_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path)], env={**os.environ, "PYTHONPATH": path}
    )
    family: list[psutil.Process] = []

    def is_up() -> bool:
        family[:] = psutil.Process(harness.pid).children(recursive=True)
        return len(family) >= 3  # the starter, the runtime, and what that has left

    def traces() -> list[Path]:
        groups = Path("/sys/fs/cgroup").glob(f"**/spikebench-{harness.pid}-*")
        pipes = Path(tempfile.gettempdir()).glob(f"spikebench-mark-{harness.pid}-*")
        return [*groups, *pipes]

    try:
        eventually(is_up, "the function did not start")
        assert traces()
    finally:
        harness.kill()
        harness.wait()
    eventually(lambda: not any(each.is_running() for each in family), f"{family} are left")
    eventually(lambda: not traces(), f"{traces()} are left")


def test_a_starter_that_is_killed_is_a_failed_trial_and_takes_its_function_along(
    tmp_path: Path,
) -> None:
    here = psutil.Process()
    before = here.children(recursive=True)
    found: list[psutil.Process] = []

    def kill_starter(_: int) -> None:
        found.extend(each for each in here.children(recursive=True) if each not in before)
        found[0].send_signal(signal.SIGKILL)

    made = synthetic(tmp_path, Behaviour(hang_at=2))
    function = type(made)(
        made.command, made.folder, made.environ, made.package_bytes, {}, kill_starter
    )
    outcome = measure(function, b"{}", {}, Box(512, confined=False))
    assert outcome.status == "valid"  # all that is measured was over when it was killed
    eventually(lambda: not any(each.is_running() for each in found), f"{found} are left")


def test_an_end_in_words() -> None:
    assert how_it_ended(3) == "exit code 3"
    assert how_it_ended(-9) == "killed by signal 9"
    assert last_line("one\ntwo  \n\n") == "two"
    assert last_line("\n") == ""
