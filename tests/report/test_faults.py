"""The table of faults: what was injected into synthetic records is what it says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from spikebench.measure.outcome import Event
from spikebench.record import Ledger, Metric, Record
from spikebench.report import terminal, text, write
from spikebench.report.faults import faults, losses, to_markdown
from spikebench.scenario.messages import Fault
from tests.report.synthetic import candidates, record, scenario

SCENARIOS = {
    "change-data": scenario(),
    "faults": scenario("faults", experiment="fault", fault=Fault(at_s=1)),
}


def trial(
    candidate: str,
    kind: str = "kill-broker",
    block: int = 0,
    lost: int = 0,
    recovery_s: float | None = 2.0,
    restarts: int = 0,
    rejected: int = 0,
) -> Record:
    metrics = {
        "recovery_s": Metric(value=recovery_s, unit="s", note="had not recovered"),
        "longest_gap_s": Metric(value=1.5, unit="s"),
        "undelivered": Metric(value=lost + 2, unit="messages"),
    }
    if rejected:
        metrics["rejected"] = Metric(value=rejected, unit="messages", note="basic.nack")
    if restarts:
        metrics["restarts"] = Metric(value=restarts, unit="restarts")
    ledger = Ledger(
        sent=1000, confirmed=990, expected=990, delivered=990 - lost, lost=lost, duplicated=3,
        reordered=0,
    )  # fmt: skip
    made = record(candidate, block, params={"kind": kind})
    return made.model_copy(
        update={
            "scenario": "faults",
            "cell": f"faults-{candidate}-{kind}",
            "metrics": metrics,
            "ledger": ledger,
        }
    )


def table(*records: Record) -> str:
    return to_markdown(faults(records, SCENARIOS, candidates()), SCENARIOS)


def row(text: str, candidate: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if f"| {candidate}" in line]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_counts_are_sums_and_times_the_longest() -> None:
    told = table(trial("kafka", recovery_s=2.0), trial("kafka", block=1, recovery_s=5.0))
    assert row(told, "kafka")[5:] == [
        *("2", "2,000", "1,980", "1,980", "0", "4", "6", "0", "5.00", "1.50")
    ]


def of_run(run: str, trial: Record, **other: object) -> Record:
    return trial.model_copy(update={"run_id": run, **other})


def test_trials_of_several_runs_are_put_together() -> None:
    told = table(of_run("one", trial("kafka", lost=1)), of_run("two", trial("kafka", lost=2)))
    assert "Run one, two." in told
    assert "- kafka lost 3 of 1,980 confirmed messages: faults, kill-broker" in told
    assert row(told, "kafka")[5:7] == ["2", "2,000"]


@pytest.mark.parametrize(
    "other",
    [
        {"workload": "another"},
        {"environment": {"fingerprint": "another"}},
        {"versions": {"broker": "another"}},
    ],
)
def test_what_another_workload_machine_or_version_had_stands_apart(
    other: dict[str, object],
) -> None:
    found = faults(
        [of_run("one", trial("kafka")), of_run("two", trial("kafka"), **other)],
        SCENARIOS,
        candidates(),
    )
    assert [fault.cell.run_ids for fault in found["faults"]] == [("one",), ("two",)]


def test_trials_of_before_there_were_events_give_way_to_those_that_have_them() -> None:
    """They counted the start of a new consumer as time to recover."""
    event = Event(what="kill-consumer", began_s=1.0, ended_s=1.1)
    before = of_run("one", trial("kafka", recovery_s=9.0))
    after = of_run("two", trial("kafka", recovery_s=2.0), events=[event])
    told = table(before, after)
    assert row(told, "kafka")[5] == "1"
    assert row(told, "kafka")[-2] == "2.00"


def test_a_fault_that_could_not_be_put_in_gives_way_to_a_run_where_it_could() -> None:
    without = of_run("two", trial("kafka"), status="unavailable", reason="not here", ledger=None)
    for records in (
        [of_run("one", trial("kafka")), without],
        [without, of_run("one", trial("kafka"))],
    ):
        told = table(*records)
        assert row(told, "kafka")[5] == "1"
        assert "not here" not in told


def test_a_confirmed_message_that_was_lost_is_told_first() -> None:
    told = table(trial("kafka"), trial("rabbitmq-classic", lost=7))
    line = "- rabbitmq-classic lost 7 of 990 confirmed messages: faults, kill-broker"
    assert line in told
    assert told.index(line) < told.index("## faults")
    assert "no broker lost" in table(trial("kafka"))


def test_an_emulators_loss_is_told_as_such() -> None:
    found = faults([trial("sqs-fifo", lost=1)], SCENARIOS, candidates())
    assert losses(found) == [
        "sqs-fifo lost 1 of 990 confirmed messages: faults, kill-broker, an emulator"
    ]


def test_one_trial_that_had_not_recovered_leaves_no_time_to_recover() -> None:
    told = table(trial("kafka"), trial("kafka", block=1, recovery_s=None))
    assert row(told, "kafka")[-2] == "—"
    assert "it had not recovered when the trial ended" in told


def test_a_broker_that_was_started_by_hand_says_so() -> None:
    assert "did not come back by itself" in table(trial("kafka", restarts=1))


def test_a_trial_that_broke_off_keeps_its_row_and_reason() -> None:
    broken = trial("kafka").model_copy(
        update={"status": "failed", "reason": "it never came back", "metrics": {}, "ledger": None}
    )
    told = table(broken)
    assert row(told, "kafka")[5:8] == ["0", "—", "—"]
    assert "it never came back" in told


def test_what_could_not_be_put_in_is_one_line_a_reason() -> None:
    def never(candidate: str, kind: str, reason: str) -> Record:
        left: dict[str, object] = {"status": "unavailable", "reason": reason, "metrics": {}}
        return trial(candidate, kind).model_copy(update=left)

    told = table(
        trial("kafka"),
        *(never(c, "kill-broker", "in memory") for c in ("sqs-fifo", "kinesis")),
        *(never("null", kind, "nothing") for kind in ("kill-broker", "pause-broker")),
    )
    assert "not run: sqs-fifo, kinesis: kill-broker: in memory  " in told
    assert "not run: null: kill-broker, pause-broker: nothing" in told
    assert sum("| kill-broker" in line for line in told.splitlines()) == 1


def test_rows_stand_by_fault_and_then_by_candidate() -> None:
    records = [trial(c, k) for k in ("pause-broker", "kill-broker") for c in ("kafka", "null")]
    found = faults(records, SCENARIOS, candidates())["faults"]
    assert [(f.kind, f.cell.candidate) for f in found] == [
        *(("kill-broker", "kafka"), ("kill-broker", "null")),
        *(("pause-broker", "kafka"), ("pause-broker", "null")),
    ]


def test_a_run_of_faults_writes_its_own_files_and_leaves_the_table(tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text("as it was")
    written = write("messaging", [trial("kafka", lost=2)], SCENARIOS, tmp_path, candidates())
    assert [path.name for path in written] == ["faults.md", "faults.csv"]
    assert (tmp_path / "table.md").read_text() == "as it was"
    (line,) = csv.DictReader(io.StringIO((tmp_path / "faults.csv").read_text()))
    assert (line["fault"], line["lost"], line["undelivered"]) == ("kill-broker", "2", "4")


@pytest.mark.parametrize(("kind", "starts"), [("md", "# Faults"), ("csv", "spike,scenario,fault")])
def test_as_text_it_is_the_same(kind: str, starts: str) -> None:
    assert text([trial("kafka")], SCENARIOS, kind, candidates()).startswith(starts)


def test_a_terminal_shows_it_within_100_columns() -> None:
    console = Console(file=io.StringIO(), width=200)
    kinds = ("kill-broker-holding", "cut-connection")
    records = [trial(c, k, lost=900) for k in kinds for c in ("rabbitmq-classic", "kafka")]
    terminal(records, SCENARIOS, console, candidates())
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "kill-broker-holding" in shown
    assert "confirmed and lost: kafka lost 900 of 990" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_what_was_rejected_is_said_with_its_reason() -> None:
    told = table(trial("kafka", rejected=1500), trial("kafka", block=1, rejected=20))
    assert "1,520 messages rejected, and not sent again: basic.nack" in told
    assert "rejected" not in table(trial("kafka"))
