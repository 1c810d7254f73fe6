"""How long tables, comparisons and plots take where the records hold ten thousand trials."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

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
"""``plots`` writes ``table.md``, ``table.csv`` and every plot of each scenario."""

TIMED = """\
import os, sys
from pathlib import Path
from spikebench.cli import main
try:
    main(sys.argv[2:])
finally:
    Path(sys.argv[1]).write_text(str(sum(os.times()[:4])))
"""
"""The command line as a person starts it, and the CPU seconds of all its processes at its end."""

SAMPLE_EVERY_S = 0.02
KIB = 1024


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
    """Run one command on the records below ``results``; ToolError where it does not end well.

    It runs twice: to be timed, and to be watched, which would take some of its time.
    """
    cpu = results / "cpu.txt"
    whole = ["-c", TIMED, str(cpu), *command, "--results", str(results)]
    seconds, _ = _run(whole, command, results, watch=False)
    _, peak = _run(whole, command, results, watch=True)
    return Took(seconds, float(cpu.read_text()), peak / MB)


def _run(
    python: Sequence[str], command: Sequence[str], results: Path, *, watch: bool
) -> tuple[float, int]:
    """Wall seconds, and the most memory of all its processes where it is watched, in bytes."""
    log, peak = results / "printed.txt", 0
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, *python], cwd=ROOT, stdout=out, stderr=out)
        try:
            if watch:
                peak = _watched(process, began + TIMEOUT_S)
            code = process.wait(TIMEOUT_S)
        finally:
            process.kill()
            process.wait()
    seconds = time.monotonic() - began
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise ToolError(f"spikebench {' '.join(command)} ended with {code}:\n{tail}")
    return seconds, peak


def _watched(process: subprocess.Popen[bytes], until: float) -> int:
    first, peak = psutil.Process(process.pid), 0
    while process.poll() is None and time.monotonic() < until:
        with suppress(psutil.NoSuchProcess):
            peak = max(peak, memory_of([first, *first.children(recursive=True)]))
        time.sleep(SAMPLE_EVERY_S)
    return peak


def memory_of(processes: Iterable[psutil.Process]) -> int:
    """Resident bytes of processes together; what several of them share, each has a part of.

    It is the proportional set size, ``Pss``, so that a page of a process and of its fork counts
    once. What they share with strangers, such as the code of Python, counts in part.
    """
    return sum(_proportional(process.pid) for process in processes)


def _proportional(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:  # it has ended
        return 0
    lines = (line.split() for line in told.splitlines())
    return sum(int(line[1]) * KIB for line in lines if line[0] == "Pss:")


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
            f"peak memory of {what}, all processes: {most:.0f} MB; divided by {MOST_MB:g} MB",
            below,
        ),
    ]
