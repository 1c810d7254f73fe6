"""How long tables, comparisons and plots take where the records hold ten thousand trials."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.many_trials import CELLS, generate
from benchmarks.ratio import Ratio, Target, ratio_of
from benchmarks.rig import Rig
from benchmarks.tool import ToolError
from spikebench.record import run_path
from spikes.messaging.spike import SPIKE

ROOT = Path(__file__).parents[1]
MB = 1_000_000
MOST_S, MOST_MB = 5.0, 500.0
TIMEOUT_S = 300.0
ONE, OTHER = "20260101-one", "20260102-other"
"""Two runs of ten thousand trials each."""

COMMANDS = {
    "table": ("table", SPIKE.name, "--run", ONE),
    "plots": ("table", SPIKE.name, "--run", ONE, "--write"),
    "compare": ("compare", "kafka", "rabbitmq-quorum", "--run", ONE),
    "compare-runs": ("compare", ONE, OTHER),
}
"""``plots`` writes ``table.md``, ``table.csv`` and a plot a scenario, as SVG and PNG."""

METERED = """\
import sys, time
from pathlib import Path
from spikebench.cli import main
try:
    main(sys.argv[2:])
finally:
    status = Path("/proc/self/status").read_text()
    Path(sys.argv[1]).write_text(f"{status}CPU: {time.process_time()}\\n")
"""
"""The command line as a person starts it, and what the kernel knows of the process at its end."""


@dataclass(frozen=True)
class Took:
    """Wall seconds of one command from start to end, its CPU seconds, its peak memory in MB."""

    seconds: float
    cpu_s: float
    peak_mb: float


def ten_thousand_trials(rig: Rig, rounds: int) -> list[Ratio]:  # noqa: ARG001 - starts no server
    """Seconds over 5 and peak memory over 500 MB of each command, over the rounds."""
    with tempfile.TemporaryDirectory(prefix="spikebench-trials-") as name:
        results = Path(name)
        trials = [
            generate(run_path(SPIKE.name, run, results), seed=seed)
            for seed, run in enumerate((ONE, OTHER))
        ]
        took = [
            {each: measure(COMMANDS[each], results) for each in COMMANDS} for _ in range(rounds)
        ]
    return [
        ratio
        for each in COMMANDS
        for ratio in ratios_of(each, [one[each] for one in took], trials[0])
    ]


def measure(command: Sequence[str], results: Path) -> Took:
    """Run one command on the records below ``results``; ToolError where it does not end well."""
    status, log = results / "status.txt", results / "printed.txt"
    whole = [sys.executable, "-c", METERED, str(status), *command, "--results", str(results)]
    began = time.monotonic()
    with log.open("wb") as out:
        ended = subprocess.run(
            whole, cwd=ROOT, stdout=out, stderr=out, timeout=TIMEOUT_S, check=False
        )
    seconds = time.monotonic() - began
    if ended.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise ToolError(f"spikebench {' '.join(command)} ended with {ended.returncode}:\n{tail}")
    cpu_s, peak_mb = read_status(status.read_text())
    return Took(seconds, cpu_s, peak_mb)


def read_status(status: str) -> tuple[float, float]:
    """CPU seconds and the peak of resident memory, in MB, as a command left them at its end."""
    told = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return float(told["CPU"]), int(told["VmHWM"].split()[0]) * 1024 / MB


def ratios_of(name: str, took: Sequence[Took], trials: int) -> list[Ratio]:
    """The two ratios of one command, each with the figures it is made of."""
    below, most = Target("below", 1.0), max(one.peak_mb for one in took)
    what = f"spikebench {' '.join(COMMANDS[name])} on {trials:,} trials of {CELLS} cells a run"
    mean_s = sum(one.seconds for one in took) / len(took)
    cpu_s = sum(one.cpu_s for one in took) / len(took)
    return [
        ratio_of(
            f"ten-thousand-trials-{name}-seconds",
            [one.seconds / MOST_S for one in took],
            f"{what}, start to end: {mean_s:.2f} s, {cpu_s:.2f} s of CPU; divided by {MOST_S:g} s",
            below,
        ),
        ratio_of(
            f"ten-thousand-trials-{name}-memory",
            [one.peak_mb / MOST_MB for one in took],
            f"peak RSS of {what}: {most:.0f} MB; divided by {MOST_MB:g} MB",
            below,
        ),
    ]
