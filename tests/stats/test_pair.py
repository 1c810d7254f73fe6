"""Two cells are compared only where their numbers can bear it."""

from __future__ import annotations

from spikebench.record import Record
from spikebench.record.trials import Trials
from spikebench.stats import compare_cells
from tests.report.synthetic import MACHINE, ledger, record

FAST = (3.0, 3.1, 2.9, 3.05, 2.95, 3.02)
SLOW = (6.0, 6.2, 5.9, 6.1, 5.8, 6.05)
METRIC = "end_to_end_p50"


def cell(candidate: str, values: tuple[float, ...], **changes: object) -> Trials:
    return Trials(
        tuple(
            record(candidate, block, {METRIC: value}, **changes)
            for block, value in enumerate(values)
        )
    )


def test_two_cells_of_one_run() -> None:
    found = compare_cells(cell("kafka", FAST), cell("rabbitmq-quorum", SLOW), METRIC, 0.1)
    assert (found.verdict, found.n_a, found.n_b) == ("A", 6, 6)


def test_no_verdict_across_fidelities() -> None:
    found = compare_cells(cell("kafka", FAST), cell("sqs-fifo", SLOW), METRIC, 0.1)
    assert found.verdict == "not shown"
    assert found.reason == "no verdict across fidelities: software and emulator"
    assert found.ratio is None


def test_no_verdict_on_timings_of_emulators() -> None:
    found = compare_cells(cell("sqs-standard", FAST), cell("sqs-fifo", SLOW), METRIC, 0.1)
    assert found.verdict == "not shown"
    assert "emulator" in found.reason


def test_what_emulators_lose_may_be_compared() -> None:
    whole = cell("sqs-standard", FAST)
    losing = Trials(
        tuple(record("sqs-fifo", n, ledger=ledger(lost=3 + n)) for n in range(6)),
    )
    assert compare_cells(whole, losing, "lost", 0.1).verdict == "A"


def test_void_trials_are_no_evidence() -> None:
    void = cell("kafka", FAST, status="void", reason="late")
    found = compare_cells(void, cell("rabbitmq-quorum", SLOW), METRIC, 0.1)
    assert (found.verdict, found.reason) == ("not shown", f"kafka has no {METRIC}")


def test_a_withheld_percentile_is_not_compared() -> None:
    few = Trials(tuple(record("kafka", n, {"end_to_end_p999": None}) for n in range(6)))
    assert compare_cells(few, few, "end_to_end_p999", 0.1).verdict == "not shown"


def test_different_machines_are_named_and_keep_a_verdict_from_being_drawn() -> None:
    other = {**MACHINE, "cores": 8, "fingerprint": "eeee"}
    found = compare_cells(cell("kafka", FAST), cell("kafka", SLOW, environment=other), METRIC, 0.1)
    assert (found.verdict, found.reason) == ("unresolved", "the machines differ: cores 2 and 8")
    assert found.ratio is not None
    assert found.p_different is None


def test_a_new_kernel_is_the_same_machine() -> None:
    newer = {**MACHINE, "kernel": "9.9"}
    found = compare_cells(cell("kafka", FAST), cell("kafka", SLOW, environment=newer), METRIC, 0.1)
    assert found.verdict == "A"


def test_what_is_measured_once_is_no_evidence_six_times() -> None:
    def started(candidate: str, startup_s: float) -> Trials:
        resources = {"startup_s": startup_s, "peak_rss": 100}
        return Trials(tuple(record(candidate, n, resources=resources) for n in range(6)))

    kafka, rabbit = started("kafka", 4.0), started("rabbitmq-quorum", 7.0)
    assert kafka.values("startup") == [4.0]
    assert compare_cells(kafka, rabbit, "startup", 0.1).verdict == "unresolved"


def test_a_peak_is_the_highest_seen() -> None:
    def trial(block: int, peak: int) -> Record:
        return record("kafka", block, resources={"peak_rss": peak})

    grown = Trials((trial(0, 100_000_000), trial(1, 250_000_000), trial(2, 250_000_000)))
    assert grown.values("broker_peak_memory") == [250.0]
