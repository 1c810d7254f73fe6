"""What was declared before the run is compared, and nothing else."""

from __future__ import annotations

from spikebench.record.trials import by_cell
from spikebench.report.declared import against_itself, declared
from tests.report.synthetic import SPEED, record, run, scenario

SCENARIOS = {"change-data": scenario()}


def test_every_candidate_meets_the_baseline_once() -> None:
    found = declared(by_cell(run()), SCENARIOS)
    assert {one.b.candidate for one in found} == {"rabbitmq-quorum"}
    assert {one.a.candidate for one in found} == set(SPEED) - {"rabbitmq-quorum", "null"}
    assert len(found) == 7


def test_verdicts_are_those_built_into_the_run() -> None:
    found = {one.a.candidate: one.comparison for one in declared(by_cell(run()), SCENARIOS)}
    assert found["kafka"].verdict == "A"
    assert found["rabbitmq-classic"].verdict == "A"
    assert found["sqs-fifo"].verdict == "not shown"


def test_all_of_them_share_one_adjustment() -> None:
    alone = declared(
        by_cell(r for r in run() if r.candidate in ("kafka", "rabbitmq-quorum")), SCENARIOS
    )
    together = {one.a.candidate: one for one in declared(by_cell(run()), SCENARIOS)}
    lone = alone[0].comparison.p_different
    shared = together["kafka"].comparison.p_different
    assert lone is not None
    assert shared is not None
    assert shared > lone


def test_clients_meet_their_like() -> None:
    trials = [
        record(candidate, block, client=client)
        for block in range(6)
        for candidate, client in (
            ("kafka", "java"),
            ("kafka", "kafka-python"),
            ("rabbitmq-quorum", "java"),
            ("rabbitmq-quorum", "pika"),
        )
    ]
    found = {one.a.client: one.b.client for one in declared(by_cell(trials), SCENARIOS)}
    assert found == {"java": "java", "kafka-python": "pika"}


def test_the_baseline_on_the_same_target_comes_first() -> None:
    trials = [
        record(candidate, block, client=client, target=target)
        for block in range(6)
        for candidate, client, target in (
            ("kafka", "java", "docker"),
            ("rabbitmq-quorum", "java", "local"),
            ("rabbitmq-quorum", "pika", "docker"),
        )
    ]
    (one,) = declared(by_cell(trials), SCENARIOS)
    assert (one.b.client, one.b.target) == ("pika", "docker")
    away = [trial for trial in trials if trial.client == "java"]
    (alone,) = declared(by_cell(away), SCENARIOS)
    assert alone.comparison.verdict == "not shown"


def test_parameters_are_not_mixed() -> None:
    trials = [
        record(candidate, block, params={"competing": competing})
        for block in range(6)
        for candidate in ("kafka", "rabbitmq-quorum")
        for competing in (1, 2)
    ]
    found = declared(by_cell(trials), SCENARIOS)
    assert len(found) == 2
    assert all(one.a.params == one.b.params for one in found)


def test_the_second_arm_is_compared_with_the_first_and_stands_apart() -> None:
    cells = by_cell(run())
    (itself,) = against_itself(cells, SCENARIOS)
    assert (itself.a.candidate, itself.a.first.arm, itself.b.first.arm) == (
        "rabbitmq-quorum",
        "A/A",
        "",
    )
    assert itself.comparison.verdict == "equivalent"
