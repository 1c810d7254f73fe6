"""Trials are gathered into cells, and only those that count are counted."""

from __future__ import annotations

from spikebench.record.trials import by_cell
from tests.report.synthetic import ledger, record, run


def test_a_run_has_a_cell_for_each_candidate_and_one_for_the_second_arm() -> None:
    cells = by_cell(run(blocks=3))
    assert len(cells) == 10
    assert all(len(cell.records) == 3 for cell in cells)
    assert [cell.candidate for cell in cells if cell.first.arm] == ["rabbitmq-quorum"]


def test_a_search_for_capacity_is_no_cell() -> None:
    assert by_cell([record("kafka", -1, arm="search")]) == []


def test_void_and_failed_trials_are_counted_with_their_reasons() -> None:
    trials = [
        record("kafka", 0),
        record("kafka", 1, status="void", reason="late"),
        record("kafka", 2, status="void", reason="late"),
        record("kafka", 3, status="failed", reason="connection lost"),
    ]
    (cell,) = by_cell(trials)
    assert (len(cell.valid), cell.void) == (1, 3)
    assert cell.reasons == {"late": 2, "connection lost": 1}


def test_what_was_lost_in_valid_and_in_void_trials_is_kept_apart() -> None:
    (cell,) = by_cell(
        [
            record("kafka", 0, ledger=ledger(lost=1)),
            record("kafka", 1, ledger=ledger(lost=2)),
            record("kafka", 2, ledger=ledger(lost=40), status="void", reason="late"),
            record("kafka", 3, ledger=ledger(lost=500), status="failed", reason="consumer broke"),
        ]
    )
    assert (cell.total("lost"), cell.total("lost", voided=True)) == (3, 40)


def test_what_a_trials_ledger_and_resources_hold_are_metrics_too() -> None:
    trials = [
        record("kafka", n, ledger=ledger(lost=n, failed=2), resources={"peak_rss": 5_000_000 + n})
        for n in range(2)
    ]
    (cell,) = by_cell(trials)
    assert (cell.values("lost"), cell.values("refused")) == ([0, 1], [2, 2])
    assert cell.values("broker_peak_memory") == [5.000001]
    assert cell.metrics["lost"].unit == "messages"
    assert "startup" not in cell.metrics


def test_a_trials_own_metric_is_not_counted_twice() -> None:
    (cell,) = by_cell([record("kafka", 0, {"lost": 7.0})])
    assert cell.values("lost") == [7.0]


def test_a_withheld_figure_does_not_hide_that_of_another_trial() -> None:
    (cell,) = by_cell([record("kafka", n, {"headroom": v}) for n, v in enumerate((3.0, None))])
    assert (cell.values("headroom"), cell.metrics["headroom"].value) == ([3.0], 3.0)


def test_nothing_counted_is_not_nothing_lost() -> None:
    (cell,) = by_cell([record("kafka", 0, ledger=None)])
    assert cell.total("lost") is None


def test_a_cell_that_could_be_had_on_resuming_replaces_its_empty_row() -> None:
    missing = record("kafka", 0, {}, target="docker", status="unavailable", reason="no engine")
    (cell,) = by_cell([missing, record("kafka", 0)])
    assert cell.first.target == "local"
    (alone,) = by_cell([missing])
    assert (alone.void, alone.reasons) == (0, {"no engine": 1})
