"""A record that rests on a run of measurements and on one of faults: which, and what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from spikebench.decision.publish import check, publish
from spikebench.errors import GateError, RecordError
from spikebench.record import Record
from tests.decision.broken import (
    BROKEN,
    LEADER,
    MEASURED,
    NONE_LOST,
    STAND_INS,
    WITH_SURVIVES,
    fault,
    faults,
    must,
    spike,
    stored,
)
from tests.decision.situation import FILE, WITH_THIRD, store, trials
from tests.decision.test_publish import TODAY

LOSING = [fault(lost=3, recovery_s=2.5), *faults("rabbitmq-quorum", rejected=11)]


def decide(folder: Path, text: str, *runs: str) -> Path:
    return publish(spike(folder, text), folder / "results", TODAY, runs).written[0]


def recorded(folder: Path, broken: Sequence[Record], text: str) -> str:
    stored(folder, broken)
    return decide(folder, text).read_text()


def runs_in(path: Path) -> list[str]:
    """The runs that a record names as its evidence, with what they are of."""
    lines = path.read_text().partition("### Evidence")[2].splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if "SHA" not in line]
    return [f"{one[1]}: {one[4]}" for one in cells if len(one) == 6 and "jsonl" in one[2]]


def test_evidence_has_both_runs_with_their_digests(tmp_path: Path) -> None:
    text = recorded(tmp_path, LOSING, must(NONE_LOST))
    for run, of in ((MEASURED, "measurements"), (BROKEN, "faults")):
        path = tmp_path / "results" / "messaging" / "runs" / f"{run}.jsonl"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"| {run} | [messaging/runs/{run}.jsonl]" in text
        assert f"| `{digest}` | {of} |" in text
    again = f"spikebench decide messaging \\\n    --run {MEASURED} \\\n    --run {BROKEN}\n"
    assert again in text
    assert "\npython3 -m tox -e messaging -- -m faults\n" in text


def test_who_is_out_stands_there_with_what_became_of_every_message(tmp_path: Path) -> None:
    text = recorded(tmp_path, LOSING, must(NONE_LOST))
    assert "* Out: “Move to Kafka” fails a must-have: none lost (3 confirmed messages lost" in text
    row = (
        "| Move to Kafka | none lost | **not met** | faults-durable, kafka, java, kind=kill-broker"
    )
    assert row in text
    where = "| faults-durable, kind=kill-broker | {}, java, local, software |"
    counts = " 1 (0) | 440 | 440 | **3** | 0 | — | 0 | 0 | 2.50 | 2.50 |"
    assert where.format("kafka | kafka") + counts in text
    counts = " 6 (0) | 2,640 | 2,640 | 0 | 66 | — | 0 | 0 | 4.00 | 4.00 |"
    assert where.format("rabbit | rabbitmq-quorum") + counts in text
    assert "that is no loss, but it was not sent again here" in text
    verdicts = text.partition("### Verdicts")[2].partition("### Faults")[0]
    assert "faults-durable" not in verdicts


def test_the_run_that_would_show_it_is_named_with_the_candidate_that_stands_in(
    tmp_path: Path,
) -> None:
    broken = [fault("kafka-3", kind="kill-leader")]
    text = recorded(tmp_path, broken, must(LEADER, text=STAND_INS))
    assert "(`kafka`; in faults-cluster `kafka-3`)" in text
    assert (
        "`python3 -m tox -e messaging -- -m faults --trials 6 --candidate kafka-3,rabbitmq-quorum "
        "--scenario faults-cluster`." in text
    )


def test_what_stays_judged_is_labelled_with_the_reason(tmp_path: Path) -> None:
    text = recorded(tmp_path, [fault("kafka-3", kind="kill-leader")], WITH_SURVIVES)
    assert "three nodes (judged 0.70) (not measured: 1 of 6 trials that it takes)" in text
    assert "| survives | 25 % | 0.70ʲ | 0.40ʲ |" in text
    assert "0 at 100 messages, linear; the judged score where no row shows it." in text
    assert "-m faults --trials 6 --candidate kafka-3,rabbitmq-quorum --scenario faults" in text


def test_what_was_measured_takes_the_judged_scores_place(tmp_path: Path) -> None:
    text = recorded(tmp_path, faults("kafka-3", kind="kill-leader"), WITH_SURVIVES)
    assert "| survives | 25 % | 1.00 (0 messages) | 0.40ʲ |" in text
    assert "kafka 0.70" not in text
    assert "rabbit 0.40: one node (not measured: no such row in this run)" in text


def test_an_emulators_account_is_shown_and_counted_for_nobody(tmp_path: Path) -> None:
    text = recorded(tmp_path, faults("sqs-fifo"), must(NONE_LOST, text=WITH_THIRD))
    assert "| fifo | sqs-fifo, java, local, emulator | 6 (0) | 2,640 |" in text
    faulty = text.partition("### Faults")[2].partition("<!--")[0]
    (row,) = [line for line in faulty.splitlines() if "sqs-fifo" in line]
    assert row.endswith("| — | — |"), "its times are its own"
    assert "| Move to SQS | none lost | not shown |" in text
    assert "for nothing can be broken in a service from outside" in text
    assert "--scenario faults-durable` in an account" not in text
    assert "--candidate kafka,rabbitmq-quorum --scenario faults-durable`" in text


def test_the_latest_run_and_all_of_faults_count_but_for_what_is_named(tmp_path: Path) -> None:
    stored(tmp_path, LOSING)
    begun = {"started_at": "2026-03-03T00:00:00+00:00"}
    store(tmp_path, [one.model_copy(update=begun) for one in faults()], "20260303-f")
    store(tmp_path, [one.model_copy(update=begun) for one in trials()], "20260303-m")
    text = must(NONE_LOST)
    all_of_faults = ["20260303-m: measurements", f"{BROKEN}: faults", "20260303-f: faults"]
    assert runs_in(decide(tmp_path, text)) == all_of_faults
    named = decide(tmp_path, text, BROKEN)
    assert runs_in(named) == [f"{BROKEN}: faults", "20260303-m: measurements"]
    named = decide(tmp_path, text, MEASURED)
    assert runs_in(named) == [f"{MEASURED}: measurements", *all_of_faults[1:]]
    assert runs_in(decide(tmp_path, FILE)) == ["20260303-m: measurements"]


def test_a_narrow_run_of_faults_adds_to_the_earlier_ones(tmp_path: Path) -> None:
    stored(tmp_path, faults("kafka", n=4))
    text = must(NONE_LOST)
    assert "| Move to Kafka | none lost | not shown |" in decide(tmp_path, text).read_text()
    later = {"started_at": "2026-03-03T00:00:00+00:00"}
    two = [one.model_copy(update=later) for one in faults("kafka", n=2)]
    narrow = store(tmp_path, two, "20260303-f")
    assert "| Move to Kafka | none lost | met |" in decide(tmp_path, text).read_text()
    narrow.unlink()
    newer = [one.model_copy(update={"versions": {"broker": "9.9"}}) for one in two]
    store(tmp_path, newer, "20260303-f")
    assert "| Move to Kafka | none lost | not shown |" in decide(tmp_path, text).read_text()


def test_without_a_run_of_faults_what_it_would_show_is_not_shown(tmp_path: Path) -> None:
    store(tmp_path, trials())
    text = decide(tmp_path, must(NONE_LOST)).read_text()
    assert "| Move to Kafka | none lost | not shown | — | no such row in this run |" in text
    assert "--candidate kafka,rabbitmq-quorum --scenario faults-durable`" in text
    assert "### Faults" not in text


def test_a_run_that_the_decision_asks_nothing_of_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, LOSING)
    with pytest.raises(RecordError, match="is a run of faults, of which the decision asks nothing"):
        decide(tmp_path, FILE, MEASURED, BROKEN)


def test_a_record_does_not_match_when_its_run_of_faults_has_changed(tmp_path: Path) -> None:
    _, broken = stored(tmp_path, LOSING)
    one, results = spike(tmp_path, must(NONE_LOST)), tmp_path / "results"
    path = publish(one, results, TODAY).written[0]
    later = [fault("kafka", at, started_at="2026-03-03T00:00:00+00:00") for at in range(6)]
    store(tmp_path, later, "20260303-f")
    assert check(one, results, TODAY).path == path
    broken.write_bytes(broken.read_bytes().replace(b'"lost":3', b'"lost":0', 1))
    with pytest.raises(GateError, match=f"{BROKEN} has changed since"):
        check(one, results, TODAY)


def test_versions_that_differ_between_the_runs_are_told_apart(tmp_path: Path) -> None:
    measured = [one.model_copy(update={"versions": {"broker": "1.0"}}) for one in trials()]
    store(tmp_path, measured, MEASURED)
    broken = [one.model_copy(update={"versions": {"broker": "2.0"}}) for one in LOSING]
    store(tmp_path, broken, BROKEN)
    text = decide(tmp_path, must(NONE_LOST)).read_text()
    assert f"* rabbitmq-quorum (java), {MEASURED}: broker 1.0." in text
    assert f"* rabbitmq-quorum (java), {BROKEN}: broker 2.0." in text
