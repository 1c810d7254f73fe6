from __future__ import annotations

from benchmarks.kafka_publish import Said, countable


def test_what_a_clock_of_whole_milliseconds_saw_as_zero_has_no_ratio() -> None:
    pairs = [(Said(1.2, 1, 3), Said(0.9, 1, 2)), (Said(1.1, 1, 3), Said(0.4, 0, 2))]
    assert countable(pairs, "mean")
    assert not countable(pairs, "p50")
    assert countable(pairs, "p99")
