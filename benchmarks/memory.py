"""Memory of the test runner and of its generator processes, and whether a generator grows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from scipy.special import stdtrit
from scipy.stats import linregress

from benchmarks.ratio import Ratio, Target, ratio_of
from benchmarks.rig import Rig, candidate
from benchmarks.tool import ToolError
from spikebench.measure.processes import rss_bytes
from spikebench.stats.interval import CONFIDENCE

ROOT = Path(__file__).parents[1]
MB = 1_000_000
RUNNER_MB, GENERATOR_MB = 250, 500
SAMPLE_EVERY_S = 0.1
RUN_TIMEOUT_S = 900.0
CANDIDATES = "rabbitmq-classic,rabbitmq-stream,kafka,sqs-fifo,null"
SCENARIOS, TRIALS = "change-data,work-queue", 3
"""Every client library, at a steady rate and as fast as it goes, block after block."""
RATE_PER_S = 10_000.0
WARM_UP_MESSAGES, WARM_UP_S = 400_000, 8.0
WARM_UP_SEGMENTS, SEGMENTS, SEGMENT_S = 10, 20, 0.5
"""A flood and some segments fill the Java heap and compile the code; neither is given back."""

WORKER = "spikebench.load.worker"


def memory(rig: Rig, rounds: int) -> list[Ratio]:  # noqa: ARG001 - one run shows the largest
    """Peaks of resident memory of a real run, and a generator's growth over segments."""
    runner, generator = _peaks()
    below = Target("below", 1.0)
    run = (
        f"over {TRIALS} blocks of {SCENARIOS} with {CANDIDATES}, table and plots, sampled every "
        f"{SAMPLE_EVERY_S:g} s"
    )
    return [
        ratio_of(
            "memory-pytest",
            [runner / (RUNNER_MB * MB)],
            f"peak RSS of the pytest process {runner / MB:.0f} MB {run}; divided by {RUNNER_MB} MB",
            below,
        ),
        ratio_of(
            "memory-generator",
            [generator / (GENERATOR_MB * MB)],
            f"peak RSS of the largest generator process {generator / MB:.0f} MB {run}; divided by "
            f"{GENERATOR_MB} MB",
            below,
        ),
        _growth(rig),
    ]


def _peaks() -> tuple[int, int]:
    """Largest resident memory, in bytes, of a run's pytest process and of its generators."""
    with tempfile.TemporaryDirectory(prefix="spikebench-memory-") as folder:
        log = Path(folder) / "pytest.log"
        with log.open("w") as out:
            run = subprocess.Popen(_command(folder), cwd=ROOT, stdout=out, stderr=out)
            try:
                peaks = _watched(run)
            finally:
                _ended(run)
        if run.returncode != 0:
            tail = "\n".join(log.read_text().splitlines()[-15:])
            raise ToolError(f"the run ended with code {run.returncode}:\n{tail}")
    return peaks


def _command(folder: str) -> list[str]:
    pytest = [sys.executable, "-m", "pytest", "spikes/messaging", "-q", "--benchmark-quiet"]
    what = ["--candidate", CANDIDATES, "--scenario", SCENARIOS, "--trials", str(TRIALS)]
    where = ["--target", "local", "--results", folder]
    return [*pytest, *what, *where]


def _watched(run: subprocess.Popen[bytes]) -> tuple[int, int]:
    runner, largest_runner, largest_generator = psutil.Process(run.pid), 0, 0
    until = time.monotonic() + RUN_TIMEOUT_S
    while run.poll() is None:
        if time.monotonic() > until:
            raise ToolError(f"the run did not end within {RUN_TIMEOUT_S:.0f} s")
        largest_runner = max(largest_runner, rss_bytes([runner.pid]))
        largest_generator = max(largest_generator, rss_bytes(_generators(runner)))
        time.sleep(SAMPLE_EVERY_S)
    if not largest_generator:
        raise ToolError(f"the run never had a process of {WORKER}")
    return largest_runner, largest_generator


def _generators(runner: psutil.Process) -> list[int]:
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in runner.children():
            with suppress(psutil.Error):
                found += [child.pid] if WORKER in child.cmdline() else []
    return found


def _ended(run: subprocess.Popen[bytes]) -> None:
    """End the run where it still runs: politely first, so that it stops its servers."""
    if run.poll() is None:
        run.terminate()
        try:
            run.wait(30)
        except subprocess.TimeoutExpired:
            run.kill()
    run.wait()


def _growth(rig: Rig) -> Ratio:
    kafka = candidate("kafka")
    with rig.generator(kafka, "java", rig.wiring(kafka, linger_ms=1.0)) as generator:
        generator.flood(WARM_UP_MESSAGES, WARM_UP_S)
        for _ in range(WARM_UP_SEGMENTS):
            generator.evenly(RATE_PER_S, SEGMENT_S)
        rss = []
        for _ in range(SEGMENTS):
            generator.evenly(RATE_PER_S, SEGMENT_S)
            rss.append(rss_bytes([generator.pid]))
    return growth_of(rss)


def growth_of(rss: Sequence[int]) -> Ratio:
    """Resident memory at the end over that at the beginning, by a line through all segments."""
    fit = linregress(range(len(rss)), list(rss))
    reach = float(stdtrit(len(rss) - 2, (1 + CONFIDENCE) / 2)) * float(fit.stderr)
    last, first = len(rss) - 1, float(fit.intercept)
    low, middle, high = (1 + last * (fit.slope + d) / first for d in (-reach, 0.0, reach))
    note = (
        f"RSS of a kafka + java generator after {len(rss)} segments over that after the first, by "
        f"a line through all: {rss[0] / MB:.0f} to {rss[-1] / MB:.0f} MB, "
        f"{fit.slope / MB:+.2f} MB a segment of {RATE_PER_S * SEGMENT_S:,.0f} messages; flat is 1"
    )
    target = Target("below", 1.05)
    return Ratio("memory-growth", float(middle), float(low), float(high), len(rss), note, target)
