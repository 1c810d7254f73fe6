from __future__ import annotations

import pytest

from benchmarks.kafka_throughput import MOST_RECORDS, MOST_ROUNDS, WARMER, turns_at
from benchmarks.turns import TURN_S


@pytest.mark.parametrize("probed", [50_000.0, 200_000.0, 1_000_000.0])
def test_a_flood_outlasts_its_turns(probed: float) -> None:
    """Twice as many as are measured, at the rate that a warm client may come to."""
    sent = 2 * turns_at(probed) * TURN_S * WARMER * probed
    assert sent <= MOST_RECORDS


def test_there_is_a_turn_at_least_and_no_more_than_are_of_use() -> None:
    assert turns_at(1e9) == 1
    assert turns_at(1.0) == MOST_ROUNDS
