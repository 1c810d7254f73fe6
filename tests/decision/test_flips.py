"""Where the decision turns round, against roots worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.decision.flips import missing, score_flips, weight_flips
from tests.decision.situation import FILE, WITH_THIRD, assessed, trials


def test_the_weight_at_which_another_comes_first(tmp_path: Path) -> None:
    """Of delay's share t: 0.5 t + 0.2 (1 - t) = 0.25 t + 0.8 (1 - t) where t = 0.6 / 0.85."""
    delay, effort = weight_flips(assessed(tmp_path).matrix)
    assert delay.share == pytest.approx(2 / 3)
    assert delay.low == 0.0
    assert delay.high == pytest.approx(0.6 / 0.85)
    assert delay.above is not None
    assert delay.above.name == "kafka"
    assert delay.below is None
    assert effort.low == pytest.approx(0.25 / 0.85)
    assert effort.high == 1.0
    assert effort.below is not None
    assert effort.below.name == "kafka"


def test_beyond_that_weight_it_does_come_first(tmp_path: Path) -> None:
    for weight, first in ((2.39, "rabbit"), (2.41, "kafka")):  # the root is 2.4 to 1
        folder = tmp_path / str(weight)
        folder.mkdir()
        found = assessed(folder, text=FILE.replace("weight: 2", f"weight: {weight}"))
        assert found.standings[0].option.name == first


def test_scores_and_values_that_turn_it_round_the_smallest_change_first(tmp_path: Path) -> None:
    """The gap of 1/30 is 0.05 of a score that weighs 2/3, 0.1 of one that weighs 1/3."""
    found = score_flips(assessed(tmp_path).matrix)
    named = {(one.criterion.name, one.option.name): one for one in found}
    assert len(found) == 4
    assert named["delay", "rabbit"].needed_value == pytest.approx(100**0.8)
    assert named["delay", "kafka"].needed_value == pytest.approx(100**0.45)
    assert named["effort", "rabbit"].needed == pytest.approx(0.7)
    assert named["effort", "kafka"].needed == pytest.approx(0.3)
    assert [one.criterion.name for one in found] == ["delay", "delay", "effort", "effort"]
    assert {one.passing.name for one in found} == {"kafka"}


@pytest.mark.parametrize(("delay_ms", "first"), [(7.9, "kafka"), (8.0, "rabbit")])
def test_at_that_value_it_does_turn_round(tmp_path: Path, delay_ms: float, first: str) -> None:
    delays = {"kafka": [delay_ms] * 6, "rabbitmq-quorum": [10**1.5] * 6}
    assert assessed(tmp_path, trials(delays)).standings[0].option.name == first


def test_a_turning_point_within_the_interval_is_marked(tmp_path: Path) -> None:
    wide = [4.0, 25.0, 6.0, 18.0, 9.0, 11.0]
    delays = {"kafka": wide, "rabbitmq-quorum": [10**1.5] * 6}
    found = score_flips(assessed(tmp_path, trials(delays)).matrix)
    assert next(one.near for one in found if one.option.name == "kafka")
    assert not any(one.near for one in found if one.option.name == "rabbit")


def test_what_no_score_can_turn_round_is_not_listed(tmp_path: Path) -> None:
    """RabbitMQ is ahead by 2/3 + 0.2: nothing but both scores of it together could turn it."""
    delays = {"kafka": [100.0] * 6, "rabbitmq-quorum": [1.0] * 6}
    assert score_flips(assessed(tmp_path, trials(delays)).matrix) == []


def test_an_option_that_is_not_ranked_says_what_it_takes(tmp_path: Path) -> None:
    """0.3 is known of it, 13/30 is ahead, and what is missing weighs 2/3: a score of 0.2."""
    (fifo,) = missing(assessed(tmp_path, text=WITH_THIRD).matrix)
    assert fifo.needed == pytest.approx(0.2)
    assert fifo.values == pytest.approx((100**0.8,))


def test_an_option_that_cannot_catch_up_says_so(tmp_path: Path) -> None:
    hopeless = WITH_THIRD.replace("weight: 2", "weight: 0.1").replace("score: 0.9", "score: 0.1")
    (fifo,) = missing(assessed(tmp_path, text=hopeless).matrix)
    assert fifo.needed is None
    assert fifo.values == ()


def test_of_several_rivals_the_nearest_turns_it_round(tmp_path: Path) -> None:
    """A third scores 0.4 for delay and 0.42 for effort: 0.40667, between the two.

    It would pass with delay's share at 0.38 / 0.53 = 0.717, Kafka already at 0.706; but the
    leader's fall lets the third pass: the gap is 0.02667, 0.08 of a score that weighs 1/3.
    """
    text = WITH_THIRD.replace("score: 0.9", "score: 0.42")
    records = [*trials(), *trials({"sqs-fifo": [100**0.6] * 6}, fidelity="software")]
    measured = [one for one in records if one.fidelity != "emulator"]
    matrix = assessed(tmp_path, measured, text).matrix
    delay, _ = weight_flips(matrix)
    assert delay.high == pytest.approx(0.6 / 0.85)
    assert delay.above is not None
    assert delay.above.name == "kafka"
    found = {(one.criterion.name, one.option.name): one for one in score_flips(matrix)}
    assert found["effort", "rabbit"].needed == pytest.approx(0.72)
    assert found["effort", "rabbit"].passing.name == "fifo"
    assert found["effort", "kafka"].passing.name == "kafka"
