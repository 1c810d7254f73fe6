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
    found = compare_cells(whole, losing, "lost", 0.1)
    assert (found.verdict, found.p_different) == ("A", None)
    assert found.reason == "counted 0 against 33, which needs no test"


def test_only_counts_are_declared_to_be_without_noise() -> None:
    """CPU seconds are not: the kernel counts them in ticks, and neighbours make them dearer."""
    metrics = {METRIC: 5.0, "throughput": 200.0, "broker_cpu_per_million": 40.0}
    resources = {"candidate_cpu_s": 0.5, "peak_rss": 100, "startup_s": 3.0}
    had = Trials((record("kafka", 0, metrics, resources=resources),)).metrics
    exact = {name for name, metric in had.items() if metric.noise_free}
    assert exact == {"lost", "duplicated", "reordered", "refused"}


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


def test_no_verdict_across_targets_of_one_run() -> None:
    remote = cell("rabbitmq-quorum", SLOW, target="endpoint")
    found = compare_cells(cell("kafka", FAST), remote, METRIC, 0.1)
    assert (found.verdict, found.ratio) == ("not shown", None)
    assert found.reason == "no verdict across targets of one run: local and endpoint"


def test_two_cells_on_another_target_are_compared() -> None:
    a, b = (cell(n, v, target="docker") for n, v in (("kafka", FAST), ("rabbitmq-quorum", SLOW)))
    assert compare_cells(a, b, METRIC, 0.1).verdict == "A"


def test_the_targets_of_two_runs_are_named_and_keep_a_verdict_from_being_drawn() -> None:
    boxed = cell("kafka", SLOW, target="docker", run_id="20260102-000000")
    found = compare_cells(cell("kafka", FAST), boxed, METRIC, 0.1)
    assert (found.verdict, found.reason) == (
        "unresolved",
        "the targets differ: local and docker",
    )
    assert found.ratio is not None


def mixed(name: str, value: object, status: str = "valid") -> Trials:
    """Six trials of one cell, the last of which differs."""
    *same, _ = cell("kafka", FAST).records
    changes = {name: value, "status": status}
    return Trials((*same, record("kafka", 5, {METRIC: FAST[5]}, **changes)))


def test_one_trial_on_another_machine_is_enough() -> None:
    other = {**MACHINE, "cores": 8, "fingerprint": "eeee"}
    moved, slow = mixed("environment", other), cell("rabbitmq-quorum", SLOW)
    for pair in ((moved, slow), (slow, moved)):
        found = compare_cells(*pair, METRIC, 0.1)
        assert found.verdict == "unresolved"
        assert found.reason.startswith("the machines differ: cores ")


def test_a_void_trial_on_another_machine_bears_on_nothing() -> None:
    other = {**MACHINE, "cores": 8, "fingerprint": "eeee"}
    moved = mixed("environment", other, status="void")
    six = Trials((*moved.records, record("kafka", 6, {METRIC: 3.0})))
    assert compare_cells(six, cell("rabbitmq-quorum", SLOW), METRIC, 0.1).verdict == "A"


def test_machines_told_apart_by_their_fingerprint_alone() -> None:
    other = {**MACHINE, "fingerprint": "eeee"}
    found = compare_cells(cell("kafka", FAST), cell("kafka", SLOW, environment=other), METRIC, 0.1)
    assert found.reason == "the machines differ: fingerprint 0f0f0f0f0f0f and eeee"


def test_different_workloads_keep_a_verdict_from_being_drawn() -> None:
    a, b = cell("kafka", FAST, workload="aaaa"), cell("rabbitmq-quorum", SLOW, workload="bbbb")
    found = compare_cells(a, b, METRIC, 0.1)
    assert (found.verdict, found.reason) == ("unresolved", "the workloads differ: aaaa and bbbb")
    slow = cell("rabbitmq-quorum", SLOW)
    changed = Trials(
        (*cell("kafka", FAST[:5], workload="aaaa").records, mixed("workload", "bbbb").records[-1])
    )
    assert compare_cells(changed, slow, METRIC, 0.1).verdict == "unresolved"


def test_an_unknown_workload_is_no_difference() -> None:
    known = cell("kafka", FAST, workload="aaaa")
    assert compare_cells(known, cell("rabbitmq-quorum", SLOW), METRIC, 0.1).verdict == "A"
