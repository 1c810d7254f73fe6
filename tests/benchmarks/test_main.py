from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import benchmarks.__main__ as program
from benchmarks.ratio import Ratio, ratio_of
from benchmarks.rig import Rig
from benchmarks.tool import ToolError

BOTH = ("--only", "null-rate", "--only", "memory")


def works(rig: Rig, rounds: int) -> list[Ratio]:
    return [ratio_of("works", [2.0] * rounds, f"{len(rig.cores.load)} cores")]


def breaks(rig: Rig, rounds: int) -> list[Ratio]:
    raise ToolError(f"no tool for {rounds} rounds on {len(rig.cores.load)} cores")


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, stand_in in (("null-rate", breaks), ("memory", works)):
        monkeypatch.setitem(program.BENCHMARKS, name, stand_in)
    monkeypatch.setattr(program, "RESULT", tmp_path / "ratios.csv")
    monkeypatch.setattr(program, "PAGE", tmp_path / "proof.md")
    return tmp_path / "ratios.csv"


def test_what_ran_is_written_although_another_could_not(result: Path) -> None:
    done = CliRunner().invoke(program.main, [*BOTH, "--rounds", "3"])
    assert done.exit_code == 1
    assert "null-rate could not run: no tool for 3 rounds" in done.output
    assert "works,2.000" in result.read_text()
    assert re.search(r"cores; other work took \d+% of CPU", result.read_text())


def test_the_exit_code_is_zero_when_all_ran(result: Path) -> None:
    done = CliRunner().invoke(program.main, ["--only", "memory"])
    assert done.exit_code == 0
    assert result.exists()
    assert (result.parent / "proof.md").read_text().startswith("# Proof against")


def test_a_benchmark_that_does_not_exist_is_a_usage_error(result: Path) -> None:
    done = CliRunner().invoke(program.main, ["--only", "faster"])
    assert done.exit_code == 2
    assert "faster" in done.output
    assert not result.exists()
