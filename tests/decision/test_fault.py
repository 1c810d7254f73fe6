"""What a decision reads of a run of faults: who is out, what takes more trials, what is judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from spikebench.decision.assess import assess
from spikebench.decision.fault import EMULATED_FAULT
from spikebench.decision.must_have import Held
from spikebench.record import Metric, Record
from tests.decision.broken import (
    IN_30_S,
    LEADER,
    NONE_LOST,
    NOT_RECOVERED,
    STAND_INS,
    WITH_SURVIVES,
    assessed,
    fault,
    faults,
    must,
    spike,
    stored,
)
from tests.decision.situation import WITH_THIRD, store


def held(folder: Path, broken: Sequence[Record], text: str, option: str = "kafka") -> Held:
    """What the only must-have comes to for an option."""
    (one,) = assessed(folder, broken, text).held[option]
    return one


def test_who_loses_a_confirmed_message_once_is_out_with_the_row_that_shows_it(
    tmp_path: Path,
) -> None:
    broken = [*faults(n=5), fault(block=5, lost=3), *faults("rabbitmq-quorum")]
    found = assessed(tmp_path, broken, must(NONE_LOST))
    (one,) = found.held["kafka"]
    assert one.outcome == "not met"
    assert one.row is not None
    assert one.row.cell.scenario == "faults-durable"
    assert one.reason == "3 confirmed messages lost, 0 allowed, over 6 trials"
    assert [option.name for option in found.decision.options if found.is_out(option)] == ["kafka"]
    assert [one.option.name for one in found.standings] == ["rabbit"]


@pytest.mark.parametrize(
    ("n", "outcome", "said"),
    [
        (6, "met", "0 confirmed messages lost, 0 allowed, in each of 6 trials"),
        (5, "not shown", "held in 5 of 5 trials, and it takes 6"),
        (1, "not shown", "held in 1 of 1 trials, and it takes 6"),
    ],
)
def test_that_nothing_is_lost_is_shown_by_six_trials(
    tmp_path: Path, n: int, outcome: str, said: str
) -> None:
    one = held(tmp_path, faults(n=n), must(NONE_LOST))
    assert one.outcome == outcome
    assert said in one.reason


@pytest.mark.parametrize(
    ("times", "outcome", "said"),
    [
        ([29.0] * 6, "met", "recovery_s 29.0 in the worst trial, required is at most 30.0 s"),
        ([5.0] * 5 + [31.0], "not met", "recovery_s 31.0 in the worst trial"),
        ([31.7], "not met", "recovery_s 31.7 in the worst trial"),
        ([10.2], "not shown", "held in 1 of 1 trials"),
        ([5.0] * 6 + [None], "not shown", NOT_RECOVERED),
        ([31.0] * 6 + [None], "not met", "recovery_s 31.0"),
        ([None] * 6, "not shown", NOT_RECOVERED),
    ],
)
def test_a_bound_is_held_by_the_worst_trial(
    tmp_path: Path, times: list[float | None], outcome: str, said: str
) -> None:
    broken = [
        fault(block=at, kind="pause-broker", recovery_s=time) for at, time in enumerate(times)
    ]
    one = held(tmp_path, broken, must(IN_30_S))
    assert one.outcome == outcome
    assert said in one.reason


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (IN_30_S.replace("unit: s", "unit: ms"), "recovery_s is in s, the bound in ms"),
        (IN_30_S.replace("recovery_s", "patience_s"), "patience_s was not measured"),
        (IN_30_S.replace("at_most: 30", "at_least: 5"), "required is at least 5.00 s"),
    ],
)
def test_a_bound_on_what_is_not_there_shows_nothing(tmp_path: Path, asked: str, said: str) -> None:
    one = held(tmp_path, [fault(kind="pause-broker")], must(asked))
    assert one.outcome == ("not met" if "at_least" in asked else "not shown")
    assert said in one.reason


@pytest.mark.parametrize("lost", [0, 5])
def test_an_emulator_is_neither_in_nor_out_by_what_it_does_when_something_breaks(
    tmp_path: Path, lost: int
) -> None:
    kinds = {"kill-broker": NONE_LOST, "pause-broker": IN_30_S}
    broken = [one for kind in kinds for one in faults("sqs-fifo", kind=kind, lost=lost)]
    found = assessed(tmp_path, broken, must(*kinds.values(), text=WITH_THIRD))
    for one in found.held["fifo"]:
        assert (one.outcome, one.reason) == ("not shown", EMULATED_FAULT)
    assert "fifo" in [one.option.name for one in found.standings]


def test_void_trials_leave_it_not_shown_and_a_loss_in_one_of_them_is_a_loss(
    tmp_path: Path,
) -> None:
    void = fault(block=6, status="void", reason="a client was late")
    one = held(tmp_path, [*faults(), void], must(NONE_LOST))
    assert one.outcome == "not shown"
    (tmp_path / "b").mkdir()
    void = fault(block=6, lost=1, status="void", reason="a client was late")
    one = held(tmp_path / "b", [*faults(), void], must(NONE_LOST))
    assert one.outcome == "not met"
    assert "1 of them in void trials" in one.reason


def test_a_fault_that_could_not_be_put_in_is_not_shown_with_the_reason(tmp_path: Path) -> None:
    why = "one node, which leads alone: kill-broker is that fault"
    none = fault(kind="kill-leader", status="unavailable", reason=why, metrics={}, ledger=None)
    one = held(tmp_path, [none], must(LEADER))
    assert one.outcome == "not shown"
    assert why in one.reason


def test_what_was_rejected_is_no_loss_and_is_told(tmp_path: Path) -> None:
    broken = [*faults(n=5), fault(block=5, rejected=7938)]
    one = held(tmp_path, broken, must(NONE_LOST))
    assert one.outcome == "met"
    assert "7,938 messages rejected, which is no loss after confirm: the producer is told" in (
        one.reason
    )
    assert "basic.nack" in one.reason


def test_a_broker_that_was_started_by_hand_is_told(tmp_path: Path) -> None:
    by_hand = fault().model_copy(
        update={"metrics": {"restarts": Metric(value=1, unit="restarts", note="by hand")}}
    )
    one = held(tmp_path, [by_hand, *(fault(block=at) for at in range(1, 6))], must(NONE_LOST))
    assert one.outcome == "met"
    assert "did not come back by itself" in one.reason


def test_a_candidate_stands_in_where_the_file_says_so_and_only_there(tmp_path: Path) -> None:
    broken = [
        *faults("kafka", kind="kill-leader", lost=9),
        *faults("kafka-3", kind="kill-leader"),
        *faults("kafka-3", lost=9),
        *faults("kafka"),
        *faults("rabbitmq-quorum-3", kind="kill-leader"),
    ]
    found = assessed(tmp_path, broken, must(LEADER, NONE_LOST, text=STAND_INS))
    rows = [one.row for one in found.held["kafka"]]
    assert [row.cell.candidate for row in rows if row] == ["kafka-3", "kafka"]
    assert [one.outcome for one in found.held["kafka"]] == ["met", "met"]
    assert [one.row for one in found.held["rabbit"]] == [None, None]


def test_without_a_kind_all_faults_must_hold_and_the_worst_is_shown(tmp_path: Path) -> None:
    broken = [*faults(), *faults(kind="fill-disk", lost=1), *faults(kind="kill-consumer", n=2)]
    asked = NONE_LOST.replace("params: {kind: kill-broker}, ", "")
    one = held(tmp_path, broken, must(asked))
    assert one.outcome == "not met"
    assert one.row is not None
    assert one.row.params == "kind=fill-disk"


def test_a_loss_counts_whichever_run_of_faults_had_it(tmp_path: Path) -> None:
    """A later run without one does not undo it: each trial shows what can happen."""
    measured, first = stored(tmp_path, [fault(lost=1), *faults(n=5)])
    later = store(tmp_path, [*faults("rabbitmq-quorum"), *faults()], "20260104-f")
    found = assess(spike(tmp_path, must(NONE_LOST)), [measured, first, later])
    (killed,) = found.held["kafka"]
    assert (killed.outcome, len(killed.rows[0].cell.valid)) == ("not met", 12)
    assert "1 confirmed messages lost" in killed.reason


def test_of_other_software_the_later_run_counts_for_each_fault_that_it_has(tmp_path: Path) -> None:
    """The later path, whatever the runs are called; other faults are those of the earlier one."""
    measured, first = stored(tmp_path, [*faults(lost=1), *faults(kind="fill-disk", lost=2)])
    mended = faults(versions={"broker": "9.9"})
    later = store(tmp_path, [*faults("rabbitmq-quorum"), *mended], "20250101-a")
    all_kinds = NONE_LOST.replace("params: {kind: kill-broker}, ", "").replace("none", "all")
    found = assess(spike(tmp_path, must(NONE_LOST, all_kinds)), [measured, first, later])
    killed, all_of_them = found.held["kafka"]
    assert killed.outcome == "met"
    assert all_of_them.row is not None
    assert all_of_them.row.params == "kind=fill-disk"
    assert "12 confirmed messages lost" in all_of_them.reason


def test_a_criterion_of_faults_is_measured_by_six_trials(tmp_path: Path) -> None:
    """25 of 100 lost a trial score 0.75 on a scale from 0 to 100."""
    broken = faults("kafka-3", kind="kill-leader", lost=25)
    kafka, rabbit = assessed(tmp_path, broken, WITH_SURVIVES).matrix.entries[2]
    assert (kafka.score, kafka.value) == (0.75, 25.0)
    assert (rabbit.score, rabbit.value, rabbit.why) == (0.4, None, "one node")
    assert rabbit.figure is not None
    assert rabbit.figure.missing == "no such row in this run"


def test_a_judged_score_stands_where_a_measured_one_is_not_shown_and_says_so(
    tmp_path: Path,
) -> None:
    """A count is exact in its trial, but one trial of a fault is not the next."""
    found = assessed(tmp_path, faults("kafka-3", n=5, kind="kill-leader"), WITH_SURVIVES)
    kafka, _ = found.matrix.entries[2]
    assert (kafka.score, kafka.value) == (0.7, None)
    assert kafka.figure is not None
    assert kafka.figure.missing == "5 of 6 trials that it takes"
    assert len(found.matrix.ranked) == 2


def test_without_leave_to_judge_it_has_no_score(tmp_path: Path) -> None:
    text = WITH_SURVIVES.replace("      or_judged: true\n", "").split("    judged:\n")
    alone = "    judged:\n".join(text[:-1])
    found = assessed(tmp_path, faults("kafka-3", n=1, kind="kill-leader"), alone)
    assert {entry.score for entry in found.matrix.entries[2]} == {None}
    assert found.matrix.ranked == []


def test_an_emulators_count_under_a_fault_is_no_score(tmp_path: Path) -> None:
    text = WITH_THIRD + WITH_SURVIVES[len(STAND_INS) :]
    found = assessed(tmp_path, faults("sqs-fifo", kind="kill-leader"), text)
    *_, fifo = found.matrix.entries[2]
    assert (fifo.score, fifo.why) == (None, EMULATED_FAULT)


def test_a_time_that_some_trials_did_not_recover_in_is_no_score(tmp_path: Path) -> None:
    """The mean of those that did would be of the lucky ones."""
    text = WITH_SURVIVES.replace("metric: lost", "metric: recovery_s").replace(
        "unit: messages", "unit: s"
    )
    broken = faults("kafka-3", kind="kill-leader")
    broken.append(fault("kafka-3", 6, kind="kill-leader", recovery_s=None))
    kafka, _ = assessed(tmp_path, broken, text).matrix.entries[2]
    assert kafka.value is None
    assert kafka.figure is not None
    assert kafka.figure.missing == "recovery_s is not known of 1 of 7 trials"
