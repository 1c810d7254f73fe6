from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from rich.console import Console

from benchmarks.ratio import Ratio, Target, ratio_of
from benchmarks.table import read as read_rows
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
    assert line["note"].startswith("target at least 0.9: not shown; ")
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


def test_what_was_written_is_read_back_with_its_target_and_verdict(tmp_path: Path) -> None:
    path = tmp_path / "ratios.csv"
    plain = ratio_of("plain", [2.0, 2.0], "target practice: none; really")
    write([row("a", 1.0), plain, ratio_of("one", [0.5], "note", Target("within", 0.1))], path)
    a, b, one = read_rows(path)
    assert (a.target, a.verdict, a.note) == (
        Target("at least", 0.9),
        "not shown",
        'said "so", twice',
    )
    assert (b.target, b.note) == (None, "target practice: none; really")
    assert (one.low, one.verdict) == (None, "not met, one value")


def test_a_verdict_of_an_older_run_follows_from_its_interval(tmp_path: Path) -> None:
    path = tmp_path / "ratios.csv"
    head = "name,ratio,ci_low,ci_high,n,note\n"
    note = "target at least 0.9: met, the interval straddles the target; the rest"
    path.write_text(f'{head}old,1.000,0.700,1.400,5,"{note}"\n')
    (old,) = read_rows(path)
    assert (old.verdict, old.note) == ("not shown", "the rest")


def test_no_file_has_no_rows(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "ratios.csv") == []
