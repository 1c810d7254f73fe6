"""Must-haves: who is out, by which row, and that an emulator's timing puts nobody out or in."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.decision.evidence import EMULATED_COUNT
from spikebench.decision.must_have import together
from tests.decision.situation import (
    FILE,
    MUST,
    WITH_MUST,
    WITH_THIRD,
    assessed,
    trials,
)
from tests.report.synthetic import ledger, record

REQUIRED = """\
must_haves:
  - {name: all of it, scenario: change-data, requires: met}
criteria:
"""


def test_who_fails_by_measurement_is_out_with_the_row_that_shows_it(tmp_path: Path) -> None:
    """RabbitMQ scores higher, and is out with 31.6 ms where 20 are allowed."""
    found = assessed(tmp_path, text=WITH_MUST)
    (held,) = found.held["rabbit"]
    assert held.outcome == "not met"
    assert held.row is not None
    assert held.row.cell.candidate == "rabbitmq-quorum"
    assert "31.6" in held.reason
    assert [one.option.name for one in found.standings] == ["kafka"]
    assert [option.name for option in found.decision.options if found.is_out(option)] == ["rabbit"]


@pytest.mark.parametrize(
    ("values", "outcome"),
    [([15.0] * 6, "met"), ([12, 40, 15, 30, 18, 25], "not shown"), ([15.0] * 5, "not shown")],
)
def test_a_bound_is_held_by_where_the_interval_lies(
    tmp_path: Path, values: list[float], outcome: str
) -> None:
    delays = {"kafka": values, "rabbitmq-quorum": [19.0] * 6}
    found = assessed(tmp_path, trials(delays), WITH_MUST)
    assert found.held["kafka"][0].outcome == outcome
    assert not found.is_out(found.decision.options[0])


@pytest.mark.parametrize("delay_ms", [2.0, 2000.0])
def test_an_emulators_timing_is_not_shown(tmp_path: Path, delay_ms: float) -> None:
    text = WITH_THIRD.replace("criteria:\n", MUST)
    found = assessed(tmp_path, trials({"sqs-fifo": [delay_ms] * 6}), text)
    (held,) = found.held["fifo"]
    assert (held.outcome, together(found.held["fifo"])) == ("not shown", "not shown")
    assert "emulator" in held.reason
    assert "fifo" in [one.option.name for one in found.standings]


def test_a_scenarios_own_requirement_is_held_as_the_table_holds_it(tmp_path: Path) -> None:
    """SQS standard promises no order per key, which change-data requires."""
    text = FILE.replace("criteria:\n", REQUIRED).replace("rabbitmq-quorum", "sqs-standard")
    found = assessed(tmp_path, [record("sqs-standard", n) for n in range(6)], text)
    (held,) = found.held["rabbit"]
    assert held.outcome == "not met"
    assert "promises order for nothing" in held.reason


def test_what_no_row_speaks_of_is_not_shown(tmp_path: Path) -> None:
    found = assessed(tmp_path, trials({"kafka": [10.0] * 6}), WITH_MUST)
    (held,) = found.held["rabbit"]
    assert (held.outcome, held.row) == ("not shown", None)


def test_void_trials_leave_a_bound_not_shown(tmp_path: Path) -> None:
    records = [*trials(), record("kafka", 6, {}, status="void", reason="backlog grew")]
    found = assessed(tmp_path, records, WITH_MUST)
    assert found.held["kafka"][0].outcome == "not shown"


def test_a_scenario_that_requires_nothing_shows_nothing(tmp_path: Path) -> None:
    found = assessed(tmp_path, text=FILE)
    assert found.held == {"kafka": (), "rabbit": ()}


@pytest.mark.parametrize("service_first", [True, False])
def test_the_services_own_row_stands_where_there_is_one(
    tmp_path: Path, service_first: bool
) -> None:
    emulated = trials({"sqs-fifo": [2.0] * 6})
    real = trials({"sqs-fifo": [50.0] * 6}, fidelity="service", target="sandbox")
    records = real + emulated if service_first else emulated + real
    found = assessed(tmp_path, records, WITH_THIRD.replace("criteria:\n", MUST))
    (held,) = found.held["fifo"]
    assert held.outcome == "not met"
    assert held.row is not None
    assert held.row.cell.fidelity == "service"


@pytest.mark.parametrize(("lost", "outcome"), [(0, "not shown"), (2, "not met")])
def test_what_an_emulator_counted_counts_against_an_option_and_not_for_it(
    tmp_path: Path, lost: int, outcome: str
) -> None:
    must = (
        "must_haves:\n  - {name: a, scenario: change-data, metric: lost, at_most: 0}\ncriteria:\n"
    )
    records = [record("sqs-fifo", n, ledger=ledger(lost)) for n in range(6)]
    found = assessed(tmp_path, records, WITH_THIRD.replace("criteria:\n", must))
    (held,) = found.held["fifo"]
    assert held.outcome == outcome
    assert (EMULATED_COUNT in held.reason) is (lost == 0)
