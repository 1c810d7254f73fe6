from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.errors import ScenarioError
from spikebench.record.parse import parse_line
from spikebench.report.table import tabulate
from spikes.serverless.published import (
    PUBLISHED,
    Published,
    Wanted,
    match,
    metrics,
    read_published,
    record,
    records,
)

GOOD = """\
# Starts that somebody published.
# What the columns are.
runtime,package,architecture,memory_mb,init_ms_median,init_ms_p95,first_ms_mean,memory_used_mb,n
java21,zip,x86_64,512,239,296,32,96,282
python3.11,zip,x86_64,512,78,98,1,34,282
python3.13,zip,x86_64,512,84,102,2,36,288
"""
RUN = {"run_id": "r1", "scenario": "cold-start", "started_at": "2026-11-25T12:00:00+00:00"}


@pytest.fixture(scope="module")
def published() -> Published:
    return read_published()


def written(folder: Path, text: str) -> Path:
    path = folder / "starts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_whole_file_is_read_with_its_source(published: Published) -> None:
    assert len(published.rows) == 620
    assert published.source.startswith(
        "Cold starts of AWS Lambda as published by maxday/lambda-perf"
    )
    assert "2026-07-23 to 2026-08-22; us-east-1" in published.source


@pytest.mark.parametrize(
    ("candidate", "lever", "runtime", "init", "first"),
    [
        ("java-11", "baseline", "java11", 276, 3),
        ("java-17", "baseline", "java17", 204, 3),
        ("java-21", "baseline", "java21", 239, 32),
        ("java-25", "baseline", "java25", 190, 24),
        ("java-17", "native", "graalvm java17 (prov.al2)", 140, 25),
        ("java-21", "native", "graalvm java21 (prov.al2023)", 151, 32),
        ("go", "baseline", "go (prov.al2023)", 50, 1),
        ("rust", "baseline", "rust (prov.al2023)", 16, 1),
    ],
)
def test_candidates_and_levers_have_their_rows(
    published: Published, candidate: str, lever: str, runtime: str, init: float, first: float
) -> None:
    found = match(published, Wanted(candidate, 512, lever))
    assert found.why == ""
    assert found.row is not None
    assert found.row.runtime == runtime
    assert (found.row.init_ms_median, found.row.first_ms_mean) == (init, first)


@pytest.mark.parametrize(
    ("candidate", "version", "runtime", "why"),
    [
        ("python", "3.11.2", "python3.11", ""),
        ("python", "3.8.1", "python3.9", "Python 3.9 stands in for 3.8, which was not published"),
        (
            "python",
            "3.15.0",
            "python3.14",
            "Python 3.14 stands in for 3.15, which was not published",
        ),
        ("node", "v22.4.0", "nodejs22.x", ""),
        ("node", "18.19.0", "nodejs20.x", "Node.js 20 stands in for 18, which was not published"),
        ("node", "23.1.0", "nodejs24.x", "Node.js 24 stands in for 23, which was not published"),
        (
            "node",
            "",
            "nodejs24.x",
            "Node.js 24, the newest published; the local version is not known",
        ),
        (
            "python",
            "",
            "python3.14",
            "Python 3.14, the newest published; the local version is not known",
        ),
        (
            "python",
            "pypy 7.3",
            "python3.14",
            "Python 3.14, the newest published; the local version is not known",
        ),
    ],
)
def test_the_nearest_version_stands_in_and_is_named(
    published: Published, candidate: str, version: str, runtime: str, why: str
) -> None:
    found = match(published, Wanted(candidate, 512, version=version))
    assert found.row is not None
    assert (found.row.runtime, found.why) == (runtime, why)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (
            Wanted("java-21", 1769),
            "java21 not published at 1769 MB, zip, x86_64; sizes are 128, 256, 512, 1024",
        ),
        (Wanted("java-21", 512, "snapstart"), "nothing published for java-21 snapstart"),
        (Wanted("java-25", 512, "native"), "nothing published for java-25 native"),
        (Wanted("java-21", 512, "appcds"), "nothing published for java-21 appcds"),
        (Wanted("cobol", 512), "nothing published for cobol baseline"),
    ],
)
def test_what_was_not_published_has_no_row_and_a_reason(
    published: Published, wanted: Wanted, why: str
) -> None:
    found = match(published, wanted)
    assert (found.row, found.why) == (None, why)


def test_a_snapstart_row_would_be_found(tmp_path: Path) -> None:
    text = GOOD + "java21 snapstart,zip,x86_64,512,150,200,60,96,282\n"
    found = match(read_published(written(tmp_path, text)), Wanted("java-21", 512, "snapstart"))
    assert found.row is not None
    assert found.row.init_ms_median == 150


def test_architecture_and_package_are_matched(published: Published) -> None:
    found = match(published, Wanted("java-21", 512, architecture="arm64", package="image"))
    assert found.row is not None
    assert (found.row.init_ms_median, found.row.first_ms_mean) == (335, 15)


def test_a_record_is_published_and_says_whose_and_of_how_many(published: Published) -> None:
    params: dict[str, str | int | float] = {"memory_mb": 512, "lever": "baseline"}
    made, why = record(published, Wanted("java-21", 512, params=params), **RUN)
    assert made is not None
    assert why == ""
    assert (made.fidelity, made.target, made.status) == ("published", "published", "valid")
    assert made.params == params
    assert made.environment == {}
    assert made.cell == "cold-start-java-21-lambda-perf-published-memory_mb=512-lever=baseline"
    assert made.versions["runtime"] == "java21"
    for name, value in (("init", 239), ("first_invoke", 32), ("cold_start", 271)):
        metric = made.metrics[name]
        assert (metric.value, metric.unit, metric.better, metric.n) == (value, "ms", "lower", 282)
        assert "282 cold starts of java21 (zip, x86_64, 512 MB)" in metric.note
        assert "maxday/lambda-perf" in metric.note
    line = made.model_dump_json(by_alias=True).encode()
    assert parse_line(line, "here:1") == made


def test_a_cold_start_says_that_it_adds_a_median_and_a_mean(published: Published) -> None:
    row = published.find("java21", "zip", "x86_64", 512)
    assert row is not None
    notes = {name: metric.note for name, metric in metrics("source", row).items()}
    assert notes["init"].startswith("median Init Duration of 282")
    assert notes["first_invoke"].startswith("mean Duration of the first invoke of 282")
    assert notes["cold_start"].startswith("sum of a median (Init Duration) and a mean")


def test_a_version_that_stands_in_is_in_the_note(published: Published) -> None:
    made, _ = record(published, Wanted("node", 512, version="18.1.0"), **RUN)
    assert made is not None
    assert "Node.js 20 stands in for 18" in made.metrics["init"].note


def test_a_table_shows_one_value_and_no_interval(published: Published) -> None:
    made, lacking = records(
        published, [Wanted("java-21", 512), Wanted("java-17", 512), Wanted("java-17", 3008)], **RUN
    )
    assert lacking == [
        "java17 not published at 3008 MB, zip, x86_64; sizes are 128, 256, 512, 1024"
    ]
    table = tabulate(made, {})
    assert table.warnings == ()
    (section,) = table.sections
    assert [row.cell.fidelity for row in section.rows] == ["published", "published"]
    interval = {row.cell.candidate: row for row in section.rows}["java-21"].intervals["init"]
    assert (interval.n, interval.median, interval.low, interval.high) == (1, 239, None, None)
    assert all(not row.best for row in section.rows)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("512,239", "512,fast", "4: init_ms_median: 'fast' is no number; mend the line"),
        ("512,239", "512,-239", "4: init_ms_median: '-239' is no number; mend the line"),
        ("512,239,", "512,", "4: 8 columns where 9 are; mend the line"),
        ("python3.13", "python3.11", "6: as on line 5; keep one of them"),
        ("first_ms_mean", "first", "3: columns have to be runtime,package,"),
        ("# ", "", "1: has no source in a comment, or no rows; restore the file"),
    ],
)
def test_a_damaged_file_is_refused_by_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        read_published(path)
    assert str(caught.value).startswith(f"{path}:{message}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.csv:1: cannot be read"):
        read_published(tmp_path / "none.csv")


def test_the_file_lies_where_it_is_looked_for() -> None:
    assert PUBLISHED.is_file()
