"""Ours and benchstat's comparisons of published data agree, but where ours are stricter."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.benchstat import DATA, MARK, PAGE, RESULT, SETS, Pair, pairs, same, table, write
from benchmarks.page import filled

STRICTER = {
    "stricter: Holm",
    "stricter: Welch's test does not agree",
    "stricter: under 6 trials a side",
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def found() -> list[Pair]:
    return [pair for published in SETS for pair in pairs(published)]


def test_every_published_comparison_is_made(found: list[Pair]) -> None:
    assert Counter(pair.published for pair in found) == {
        "Encode, old and new": 2,
        "CRC-32, old and new": 72,
        "CRC-32, polynomials": 24,
        "suffix array, 32 and 64 bits": 42,
        "FloatSub, 5 samples": 1,
    }


def test_all_medians_are_benchstats(found: list[Pair]) -> None:
    assert all(same(pair) for pair in found)


def test_the_rank_tests_p_is_benchstats(found: list[Pair]) -> None:
    """Exact on both sides; with ties ours is drawn from 20,000 of 184,756 arrangements."""
    for pair in found:
        p = pair.alone.p_mann_whitney
        assert p == pytest.approx(pair.told.p, abs=0.01), pair.told
        assert p is not None
        assert (p < 0.05) == pair.told.changed, pair.told


def test_verdicts_agree_or_ours_is_stricter_by_design(found: list[Pair]) -> None:
    assert {pair.reason for pair in found} - {""} == STRICTER
    assert all(pair.told.changed for pair in found if pair.reason)


def test_a_change_is_seen_the_same_way(found: list[Pair]) -> None:
    for pair in found:
        if pair.agrees and pair.told.changed:
            larger = pair.told.medians[1] > pair.told.medians[0]
            assert pair.ours.verdict == ("A" if larger == (pair.told.unit == "B/s") else "B")


@pytest.mark.parametrize(
    ("told", "published"),
    [
        ("crc.csv", "crcIgnore.stdout"),
        ("crc-poly.csv", "crcSizeVsPoly.stdout"),
        ("float-sub.csv", "issue19634.stdout"),
        ("encode.csv", "csvOldNew.stdout"),
    ],
)
def test_what_benchstat_said_here_is_what_it_is_published_to_say(told: str, published: str) -> None:
    said = re.compile(r"(?:[-+][\d.]+%|~)[ ,(]+p=[\d.]+ n=\d+")
    here, there = ((DATA / name).read_text() for name in (told, f"published/{published}"))
    figures = [re.findall(r"[-+~.%=\w]+", line) for line in said.findall(here)]
    assert figures == [re.findall(r"[-+~.%=\w]+", line) for line in said.findall(there)]
    assert figures


def test_the_page_has_the_table_that_the_data_gives(found: list[Pair]) -> None:
    assert filled(PAGE, MARK) == table(found)


def test_the_result_has_a_line_a_comparison(found: list[Pair], tmp_path: Path) -> None:
    write(found, tmp_path / "anew.csv")
    anew, kept = (rows(path) for path in (tmp_path / "anew.csv", RESULT))
    assert len(anew) == len(found)
    for new, old in zip(anew, kept, strict=True):
        for key in ("set", "unit", "benchmark", "median_other", "benchstat", "ours", "reason"):
            assert new[key] == old[key]
