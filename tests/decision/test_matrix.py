"""Totals and how often an option comes first, against figures worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikebench.decision.evidence import EMULATED_COUNT
from spikebench.decision.matrix import SETTLED
from spikebench.decision.model import Measured
from spikebench.decision.scale import score, value_at
from spikebench.stats.pair import EMULATED
from tests.decision.situation import FILE, KAFKA_MS, WITH_THIRD, assessed, trials
from tests.report.synthetic import MACHINE, record


def asked(best: float, worst: float, scale: str = "log") -> Measured:
    values = {"scenario": "s", "metric": "m", "unit": "ms", "best": best, "worst": worst}
    return Measured.model_validate({**values, "scale": scale})


@pytest.mark.parametrize(
    ("value", "best", "worst", "scale", "expected"),
    [
        (10, 1, 100, "log", 0.5),
        (1, 1, 100, "log", 1),
        (100, 1, 100, "log", 0),
        (0.1, 1, 100, "log", 1),  # no better than good enough
        (1000, 1, 100, "log", 0),
        (1000, 10_000, 100, "log", 0.5),  # higher is better
        (25, 0, 100, "linear", 0.75),
        (0, 0, 100, "linear", 1),
    ],
)
def test_a_value_scores_by_where_it_lies_between_the_ends(
    value: float, best: float, worst: float, scale: str, expected: float
) -> None:
    found = asked(best, worst, scale)
    assert float(score(value, found)) == pytest.approx(expected)
    if 0 < expected < 1:
        assert value_at(expected, found) == pytest.approx(value)


def test_the_winner_and_its_total_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    found = assessed(tmp_path)
    first, second = found.standings
    assert (first.option.name, second.option.name) == ("rabbit", "kafka")
    assert first.total == pytest.approx(13 / 30)
    assert second.total == pytest.approx(0.4)
    assert (first.first, second.first) == (1.0, 0.0)
    assert found.proposed == first


def test_weights_are_shares_whatever_they_add_up_to(tmp_path: Path) -> None:
    tenfold = FILE.replace("weight: 2", "weight: 20").replace("weight: 1", "weight: 10")
    found = assessed(tmp_path, text=tenfold)
    assert found.matrix.shares == pytest.approx((2 / 3, 1 / 3))
    assert found.standings[0].total == pytest.approx(13 / 30)


EVEN_JUDGED = FILE.replace("score: 0.2", "score: 0.8")


def test_separated_values_are_settled(tmp_path: Path) -> None:
    delays = {"kafka": [9, 10, 11, 9, 10, 11], "rabbitmq-quorum": [28, 32, 30, 29, 33, 31]}
    found = assessed(tmp_path, trials(delays), EVEN_JUDGED)
    assert [(one.option.name, one.first) for one in found.standings] == [
        ("kafka", 1.0),
        ("rabbit", 0.0),
    ]


def test_frequency_of_coming_first_is_that_of_the_binomial(tmp_path: Path) -> None:
    """Kafka's logs are 0 or 1, three each, RabbitMQ's 0.7: the mean of 5 is below that with ≤ 3."""
    delays = {"kafka": [1.0, 10.0] * 3, "rabbitmq-quorum": [10**0.7] * 6}
    found = assessed(tmp_path, trials(delays), EVEN_JUDGED)
    kafka = next(one for one in found.standings if one.option.name == "kafka")
    assert kafka.first == pytest.approx(26 / 32, abs=0.015)
    assert SETTLED > 26 / 32
    assert found.leader == kafka
    assert found.proposed is None


def test_same_values_come_first_equally_often_and_nothing_is_proposed(tmp_path: Path) -> None:
    delays = [5.0, 9.0, 14.0, 7.0, 11.0, 6.0]
    both = trials({"kafka": delays, "rabbitmq-quorum": delays})
    found = assessed(tmp_path, both, EVEN_JUDGED)
    assert [one.first for one in found.standings] == pytest.approx([0.5, 0.5], abs=0.02)
    assert found.leader is None


def test_draws_vary_as_the_mean_of_the_trials_does(tmp_path: Path) -> None:
    delays = [5.0, 9.0, 14.0, 7.0, 11.0, 6.0]
    found = assessed(tmp_path, trials({"kafka": delays, "rabbitmq-quorum": [30.0] * 6}))
    drawn = found.matrix.entries[0][0].drawn
    assert drawn is not None
    logs = np.log(delays) / np.log(100)
    assert drawn.std() == pytest.approx(logs.std(ddof=1) / 6**0.5, rel=0.05)
    assert drawn.mean() == pytest.approx(1 - logs.mean(), abs=0.005)


def test_the_same_records_give_the_same_draws(tmp_path: Path) -> None:
    delays = {"kafka": [5.0, 9.0, 14.0, 7.0, 11.0, 6.0], "rabbitmq-quorum": [8.0, 9.0] * 3}
    a, b = ((tmp_path / name) for name in "ab")
    for folder in (a, b):
        folder.mkdir()
    found = [assessed(folder, trials(delays)).standings for folder in (a, b)]
    assert found[0] == found[1]


def test_an_emulators_timing_is_no_score(tmp_path: Path) -> None:
    """It took 2 ms, the fastest of all, and is not ranked for it."""
    found = assessed(tmp_path, text=WITH_THIRD)
    fifo = found.standings[-1]
    assert fifo.option.name == "fifo"
    assert (fifo.total, fifo.first) == (None, None)
    assert (fifo.low, fifo.high) == pytest.approx((0.3, 0.3 + 2 / 3))
    assert found.matrix.entries[0][2].why == EMULATED


def test_emulators_are_not_ranked_among_each_other_either(tmp_path: Path) -> None:
    text = FILE.replace("candidate: kafka", "candidate: sqs-fifo")
    text = text.replace("candidate: rabbitmq-quorum", "candidate: sns-sqs")
    found = assessed(tmp_path, trials({"sqs-fifo": [2.0] * 6, "sns-sqs": [3.0] * 6}), text)
    assert found.matrix.ranked == []
    assert found.leader is None
    assert {entry.why for entry in found.matrix.entries[0]} == {EMULATED}


def test_trials_of_two_machines_are_no_score(tmp_path: Path) -> None:
    other = {**MACHINE, "fingerprint": "eeee"}
    delays = {"kafka": [10.0] * 6}
    both = [*trials(delays), *trials(delays, environment=other)]
    found = assessed(tmp_path, [*both, *trials({"rabbitmq-quorum": [30.0] * 6})])
    assert "different machines" in found.matrix.entries[0][0].why


def test_too_few_trials_are_no_score(tmp_path: Path) -> None:
    found = assessed(tmp_path, trials({"kafka": [KAFKA_MS] * 5, "rabbitmq-quorum": [30.0] * 6}))
    assert found.matrix.entries[0][0].score is None
    assert "5 of 6 trials" in found.matrix.entries[0][0].why


def test_values_of_another_machine_or_fidelity_are_not_weighed_against_the_others(
    tmp_path: Path,
) -> None:
    other = {**MACHINE, "fingerprint": "eeee"}
    records = trials({"rabbitmq-quorum": [30.0] * 6})
    records += trials({"kafka": [10.0] * 6}, environment=other)
    found = assessed(tmp_path, records)
    whys = [entry.why for entry in found.matrix.entries[0]]
    assert sum("another machine" in why for why in whys) == 1
    records = trials({"rabbitmq-quorum": [30.0] * 6})
    records += trials({"kafka": [10.0] * 6}, fidelity="service", target="sandbox")
    (tmp_path / "b").mkdir()
    found = assessed(tmp_path / "b", records)
    whys = [entry.why for entry in found.matrix.entries[0]]
    assert sum("across fidelities" in why for why in whys) == 1


def test_a_unit_that_is_not_the_criterions_is_no_score(tmp_path: Path) -> None:
    found = assessed(tmp_path, text=FILE.replace("unit: ms", "unit: s"))
    assert "is in ms, the criterion in s" in found.matrix.entries[0][0].why


def test_a_value_of_zero_has_no_place_on_a_log_scale(tmp_path: Path) -> None:
    records = [record("kafka", n, {"end_to_end_p99": 0.0}) for n in range(6)]
    found = assessed(tmp_path, records)
    assert "log scale" in found.matrix.entries[0][0].why


def test_an_emulators_count_is_no_score_and_the_softwares_is(tmp_path: Path) -> None:
    text = WITH_THIRD.replace("metric: end_to_end_p99, unit: ms", "metric: lost, unit: messages")
    text = text.replace("worst: 100}", "worst: 100, scale: linear}")
    records = [record(name, n) for name in ("kafka", "sqs-fifo") for n in range(6)]
    kafka, _, fifo = assessed(tmp_path, records, text).matrix.entries[0]
    assert (kafka.score, fifo.score, fifo.why) == (1.0, None, EMULATED_COUNT)
