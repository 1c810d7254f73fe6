from __future__ import annotations

from benchmarks.kafka_publish import Said, countable, row_of


def test_what_a_clock_of_whole_milliseconds_saw_as_zero_has_no_ratio() -> None:
    pairs = [(Said(1.2, 1, 3), Said(0.9, 1, 2)), (Said(1.1, 1, 3), Said(0.4, 0, 2))]
    assert countable(pairs, "mean")
    assert not countable(pairs, "p50")
    assert countable(pairs, "p99")


def test_a_figure_that_its_clock_cannot_count_is_withheld_with_what_both_sides_saw() -> None:
    ours = Said(1.2, 1, 3, exact_p50=0.81, exact_p99=3.2)
    pairs = [(ours, Said(0.9, 1, 2)), (ours, Said(0.4, 0, 2))]
    row = row_of("p50", pairs, 0.3, 90_000)
    assert (row.name, row.ratio, row.n) == ("kafka-publish-p50-at-30", None, 0)
    assert "saw 0 in 1 of 2 rounds" in row.note
    assert "ours to the microsecond: 0.810 ms" in row.note
    assert row_of("p99", pairs, 0.3, 90_000).ratio == 1.5
