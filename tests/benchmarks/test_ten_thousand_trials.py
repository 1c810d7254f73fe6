from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest

from benchmarks.many_trials import CELLS, generate
from benchmarks.ten_thousand_trials import COMMANDS, MB, ONE, Took, measure, memory_of, ratios_of
from benchmarks.tool import ToolError
from spikebench.record import read_records, run_path
from spikebench.record.trials import by_cell
from spikes.messaging.spike import SPIKE

BLOCKS = 3


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = run_path(SPIKE.name, ONE, tmp_path_factory.mktemp("results"))
    assert generate(path, blocks=BLOCKS) == CELLS * BLOCKS
    return path


def test_generated_runs_are_whole_and_shaped_like_real_ones(path: Path) -> None:
    records = read_records(path)
    cells = by_cell(records)
    assert (len(records), len(cells)) == (CELLS * BLOCKS, CELLS)
    assert [record.block for record in records] == sorted(record.block for record in records)
    assert {len(cell.records) for cell in cells} == {BLOCKS}
    assert Counter(record.status for record in records)["void"] == CELLS * BLOCKS // 30
    assert {cell.candidate for cell in cells} == {c.name for c in SPIKE.candidates}
    assert len({cell.scenario for cell in cells}) == 6
    assert 3_000 < path.stat().st_size / len(records) < 4_000  # as a real run's lines are


def test_the_same_seed_gives_the_same_run(path: Path, tmp_path: Path) -> None:
    other = tmp_path / path.name
    generate(other, blocks=BLOCKS)
    assert other.read_bytes() == path.read_bytes()


def test_a_command_is_measured_from_start_to_end(path: Path) -> None:
    took = measure(COMMANDS["compare"], path.parents[2])
    assert took.cpu_s > 0
    assert took.seconds > 0
    assert 20 < took.peak_mb < 2_000


def test_a_command_that_fails_is_no_figure(path: Path) -> None:
    with pytest.raises(ToolError, match=r"ended with 6:\n.*does not exist"):
        measure(("compare", ONE, "20990101-none"), path.parents[2])


def test_both_ratios_have_their_figures() -> None:
    seconds, memory = ratios_of("table", [Took(2.5, 2.0, 249.0), Took(2.5, 2.2, 251.0)], 10_000)
    assert (seconds.ratio, memory.ratio) == pytest.approx((0.5, (0.498 * 0.502) ** 0.5))
    assert "10,000 trials" in seconds.note
    assert "2.50 s, 2.10 s of CPU" in seconds.note
    assert "251 MB" in memory.note
    assert (seconds.verdict, memory.verdict) == ("met", "met")


TWICE = """\
import os, sys
held = bytearray(os.urandom(1 << 20)) * 200
reading, writing = os.pipe()
other = os.fork()
if not other:
    os.close(writing)
    os.read(reading, 1)  # until the first process ends, and its end of the pipe with it
    os._exit(0)
print(other, flush=True)
sys.stdin.readline()
"""


def test_what_a_process_shares_with_its_fork_counts_once() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TWICE], stdin=PIPE, stdout=PIPE, text=True
    ) as process:
        assert process.stdout is not None
        both = [psutil.Process(process.pid), psutil.Process(int(process.stdout.readline()))]
        together, rss = memory_of(both) / MB, [one.memory_info().rss / MB for one in both]
        process.communicate("\n", timeout=60)
        assert sum(rss) > 400
        assert 200 < together < 0.6 * sum(rss)


def test_a_process_that_is_gone_has_no_memory() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(ended.pid)
    ended.wait()
    assert memory_of([process]) == 0
