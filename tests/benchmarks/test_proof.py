from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.proof import PAGE, SECTIONS, page, write_page
from benchmarks.ratio import Ratio, Target, withheld
from benchmarks.table import RESULT, read

AT_LEAST, WITHIN = Target("at least", 1.0), Target("within", 0.1)


def rows() -> Iterator[Ratio]:
    """One met, one not met, one not shown, and one without a target."""
    yield Ratio("kafka-throughput", 1.2, 1.1, 1.3, 5, "ours 12/s, theirs 10/s", AT_LEAST)
    yield Ratio("kafka-consumer-throughput", 0.8, 0.75, 0.9, 5, "ours 8/s", AT_LEAST)
    yield Ratio("kafka-publish-p99-at-60", 1.0, 0.7, 1.4, 5, "ours 3 ms", WITHIN)
    yield Ratio("kafka-end-to-end-mean", 0.5, 0.4, 0.6, 5, "methods differ, no target")


def line_of(text: str, start: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(start)]
    return found


def test_a_ratio_stands_in_the_table_with_interval_target_and_verdict() -> None:
    told = page(list(rows()))
    cells = line_of(told, "| Kafka, producing")
    assert cells.endswith("| 1.200 | 1.100 … 1.300 | 5 | at least 1 | met |")
    assert line_of(told, "| Kafka, mean: `EndToEndLatency`").endswith("| 5 | — | no target |")


def test_what_was_not_met_or_not_asked_has_a_reason_and_what_was_met_needs_none() -> None:
    reasons = [line for line in page(list(rows())).splitlines() if line.startswith("- `kafka-")]
    text = "\n".join(reasons)
    assert "- `kafka-consumer-throughput`: The tool adds up records" in text
    assert "- `kafka-end-to-end-mean`: EndToEndLatency asks" in text
    assert "`kafka-throughput`: Ours" not in text


def test_the_verdicts_are_counted() -> None:
    told = page(list(rows()))
    assert "Of 3 ratios with a target: 1 met, 1 not met, 1 not shown." in told
    one = Ratio("kafka-throughput", 1.2, None, None, 1, "note", AT_LEAST)
    assert "0 met, 0 not met, 0 not shown, 1 of one pair only." in page([one])


def test_what_is_open_and_what_was_not_measured_is_said() -> None:
    told = page(list(rows()))
    assert line_of(told, "- Whether the target").endswith("`kafka-publish-p99-at-60`.")
    assert "`rabbitmq-quorum-throughput`" in line_of(told, "- Not measured yet")
    assert line_of(told, "| RabbitMQ, quorum queue").endswith("| — | — | 0 | — | not measured |")


def test_a_ratio_that_was_withheld_is_told_with_its_reason() -> None:
    told = page([*rows(), withheld("kafka-publish-p50-at-30", "its clock saw 0")])
    assert line_of(told, "| Kafka, p50 at 30 %").endswith("| — | — | 0 | — | withheld, see below |")
    assert line_of(told, "- Withheld").endswith("below: `kafka-publish-p50-at-30`.")
    assert "`kafka-publish-p50-at-30`" not in line_of(told, "- Not measured yet")
    assert "- `kafka-publish-p50-at-30`: its clock saw 0" in told
    assert "Of 3 ratios with a target" in told


def test_a_tool_that_was_not_run_is_said_to_be_and_how_to_get_it() -> None:
    told = page(list(rows()))
    assert line_of(told, "| records published").endswith(
        "| — | — | 0 | — | not measured, see above |"
    )
    assert "To run it: clone https://github.com/openmessaging/benchmark, check" in told


def test_the_absolute_figures_are_those_of_the_run() -> None:
    assert "- `kafka-throughput`: ours 12/s, theirs 10/s" in page(list(rows()))


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    write_page(list(rows()), tmp_path / "proof.md")
    assert (tmp_path / "proof.md").read_text() == page(list(rows()))


def test_the_page_in_the_repository_is_that_of_the_ratios_beside_it() -> None:
    assert PAGE.read_text() == page(read(RESULT))


def test_no_ratio_is_on_the_page_twice() -> None:
    names = [line.name for section in SECTIONS for line in section.lines]
    assert len(set(names)) == len(names)
