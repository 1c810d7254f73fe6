from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.many_trials import CELLS, generate
from benchmarks.ten_thousand_trials import COMMANDS, ONE, Took, measure, ratios_of, read_status
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


def test_the_peak_is_the_kernels_high_water_mark() -> None:
    status = "Name:\tx: y\nVmHWM:\t  1000 kB\nVmRSS:\t 500 kB\n\nCPU: 1.5\n"
    assert read_status(status) == pytest.approx((1.5, 1.024))
