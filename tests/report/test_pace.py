"""What is said of a machine's pace, from trials whose pace is known."""

from __future__ import annotations

from collections.abc import Sequence

from spikebench.measure.pace import PACE
from spikebench.record import Metric, Record
from spikebench.record.trials import Trials, by_cell
from spikebench.report.pace import apart, uneven
from spikebench.report.table import tabulate
from tests.report.synthetic import record, scenario


def trials(paces: Sequence[float], run_id: str = "one") -> list[Record]:
    return [
        record("kafka", block, {"end_to_end_p50": 2.0}, run_id=run_id).model_copy(
            update={"metrics": {PACE: Metric(value=pace, unit="ms", n=4)}}
        )
        for block, pace in enumerate(paces)
    ]


def cells(paces: Sequence[float], run_id: str = "one") -> list[Trials]:
    return by_cell(trials(paces, run_id))


EVEN = [3.0 + 0.01 * n for n in range(20)]
UNEVEN = [3.0] * 10 + [4.5] * 10


def test_a_machine_whose_pace_held_is_not_mentioned() -> None:
    assert list(uneven(cells(EVEN))) == []


def test_a_machine_whose_pace_varied_is_told_with_both_ends() -> None:
    (said,) = uneven(cells(UNEVEN))
    assert "pace varied by 1.50×" in said
    assert "3.0 ms of CPU in the fastest tenth of 20 trials, 4.5 ms in the slowest" in said


def test_one_slow_trial_of_many_is_no_uneven_machine() -> None:
    assert list(uneven(cells([*EVEN, 9.0]))) == []


def test_few_trials_say_nothing_and_neither_do_those_without_a_pace() -> None:
    assert list(uneven(cells([3.0, 9.0, 3.0]))) == []
    assert list(uneven(by_cell([record("kafka", 0, {"end_to_end_p50": 2.0})]))) == []


def test_the_table_warns_of_it() -> None:
    told = tabulate(trials(UNEVEN), {"change-data": scenario()}).warnings
    assert any("pace varied by 1.50×" in warning for warning in told)


def test_two_runs_of_different_pace_are_told_apart_though_the_machine_is_one() -> None:
    slower = [1.5 * pace for pace in EVEN]
    (said,) = apart({"one": cells(EVEN), "two": cells(slower, "two")})
    assert "differs by 1.50× between the runs" in said
    assert "one 3.1 ms; two 4.6 ms of CPU" in said


def test_two_runs_of_about_the_same_pace_are_not() -> None:
    alike = [1.05 * pace for pace in EVEN]
    assert list(apart({"one": cells(EVEN), "two": cells(alike, "two")})) == []
    assert list(apart({"one": cells(EVEN), "old": by_cell([record("kafka", 0, {})])})) == []
