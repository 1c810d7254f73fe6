"""A whole spike in a folder: candidates in memory, a scenario, and a test module."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.synthetic import driver
from tests.synthetic.driver import Faults

SCENARIO = """\
scenario: steady
title: Steady
question: How long does a message take?
experiment: latency
payload: {size_bytes: 128, keys: 4, templates: 8}
arrivals:
  rate_per_s: 200
timing: {warmup_s: 0.1, measure_s: 0.4, grace_s: 0.5}
analysis: {metric: end_to_end_p50, baseline: plain}
"""

TESTS = """\
import pytest

pytestmark = pytest.mark.spike("tiny")


@pytest.mark.scenario("steady")
def test_steady(trial):
    trial.measure()
"""

SPIKE = """\
from pathlib import Path

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.spike import Spike
from spikebench.target.software import Software

CLIENT = Client("memory", "python", "spikes.tiny.driver:FlawedDriver", "none", one_process=True)


def candidate(name, options=None, software=None):
    return Candidate(
        name, Capabilities("queue"), (CLIENT,), options=options or {{}}, software=software
    )


SPIKE = Spike(
    "tiny",
    "Which?",
    (
        *(candidate(name, options) for name, options in {candidates!r}.items()),
        candidate("absent", software=Software("absent", {{}}, {{}})),
    ),
    Path(__file__).parent.parent.parent / "scenarios" / "tiny",
)
"""

CANDIDATES: Mapping[str, Faults] = {
    "plain": Faults(),
    "lossy": Faults(lose_every=10),
    "broken": Faults(sender_dies_at=50),
    "late": Faults(stall_s=0.8, stall_every=1000, stall_at=90),
}
"""By name: ``broken`` fails every trial, ``late`` sends too late for any trial to count."""


def write_spike(root: Path) -> None:
    """Write the spike ``tiny`` below ``root``."""
    candidates = {name: faults.options() for name, faults in CANDIDATES.items()}
    files = {
        "pytest.ini": "[pytest]\n",
        "spikes/__init__.py": "",
        "spikes/tiny/__init__.py": "",
        "spikes/tiny/spike.py": SPIKE.format(candidates=candidates),
        "spikes/tiny/test_tiny.py": TESTS,
        "scenarios/tiny/steady.yaml": SCENARIO,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(driver.__file__, root / "spikes" / "tiny" / "driver.py")


def command(*arguments: str) -> list[str]:
    """The command line of a run of the spike."""
    quiet = ("-q", "-p", "no:cacheprovider", "--benchmark-quiet")
    return [sys.executable, "-m", "pytest", "spikes/tiny", *quiet, *arguments]


def environ(root: Path) -> dict[str, str]:
    """An environment in which nothing is shared with other runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    cache = root / "cache"
    return {**kept, "SPIKEBENCH_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}


def run_spike(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the spike and return how it ended, with what it printed."""
    return subprocess.run(
        command(*arguments),
        cwd=root,
        env=environ(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def run_files(root: Path) -> list[Path]:
    """The record files of all runs."""
    return sorted((root / "results" / "tiny" / "runs").glob("*.jsonl"))
