from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from rich.console import Console

from benchmarks.ratio import Ratio, Target, ratio_of
from benchmarks.table import show, write


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def row(name: str, ratio: float) -> Ratio:
    return ratio_of(name, [ratio, ratio * 1.1], 'said "so", twice', Target("at least", 0.9))


def test_a_file_has_a_line_a_ratio_and_the_documented_columns(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks" / "ratios.csv"
    write([row("a", 1.0)], path)
    (line,) = read(path)
    assert list(line) == ["name", "ratio", "ci_low", "ci_high", "n", "note"]
    assert float(line["ci_low"]) < float(line["ratio"]) < float(line["ci_high"])
    assert line["n"] == "2"
    assert line["note"].startswith("target at least 0.9: met")
    assert line["note"].endswith('said "so", twice')


def test_a_partial_run_replaces_its_own_lines_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "ratios.csv"
    write([row("a", 1.0), row("b", 2.0)], path)
    write([row("b", 3.0)], path)
    ratios = {line["name"]: float(line["ratio"]) for line in read(path)}
    assert ratios["a"] < 1.1
    assert ratios["b"] > 3.0


def test_a_single_pair_leaves_its_bounds_empty(tmp_path: Path) -> None:
    path = tmp_path / "ratios.csv"
    write([ratio_of("a", [0.04], "note")], path)
    (line,) = read(path)
    assert (line["ratio"], line["ci_low"], line["ci_high"]) == ("0.04", "", "")


def test_the_table_shows_targets_and_verdicts() -> None:
    out = StringIO()
    show([row("null-rate", 0.2)], Console(file=out, width=120))
    assert "null-rate" in out.getvalue()
    assert "at least 0.9" in out.getvalue()
    assert "not met" in out.getvalue()
