"""Drift over blocks: runs of known trends, and how often runs without one seem to have one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kendalltau, linregress

from spikebench.record.trials import Trials
from spikebench.stats import Drift, drift, drifting
from spikebench.stats.drift import p_mann_kendall
from tests.report.synthetic import record

METRIC = "end_to_end_p50"
SPREAD = 0.05
RUNS = 2_000

Rows = Mapping[str, Sequence[float | None]]


def cells(rows: Rows, metric: str = METRIC) -> list[Trials]:
    """A cell a row, a block a value; a block without one is left out."""
    return [
        Trials(
            tuple(
                record("kafka", block, {metric: value}, client=name)
                for block, value in enumerate(values)
                if value is not None
            )
        )
        for name, values in rows.items()
    ]


def run(
    generator: np.random.Generator,
    blocks: int = 6,
    per_block: float = 0.0,
    spread: float = SPREAD,
    shared: float = 0.0,
    count: int = 4,
) -> dict[str, list[float]]:
    """Cells of different speeds; ``shared`` is the spread that all cells of a block have alike."""
    block = np.exp(generator.normal(0, shared, blocks)) * (1 + per_block) ** np.arange(blocks)
    noise = np.exp(generator.normal(0, spread, (count, blocks)))
    return {
        f"client-{n}": (speed * noise[n] * block).tolist()
        for n, speed in enumerate(np.geomspace(2, 200, count))
    }


def found(rows: Rows, metric: str = METRIC) -> Drift:
    one = drift(cells(rows, metric), metric)
    assert one is not None
    return one


def test_a_known_trend_is_found_and_its_interval_holds_it() -> None:
    one = found(run(np.random.default_rng(1), blocks=10, per_block=0.02))
    assert (one.cells, one.blocks, one.shown, one.worse) == (4, 10, True, True)
    assert one.low is not None
    assert one.high is not None
    assert one.low < 0.02 < one.high


def test_a_trend_without_noise_is_told_exactly() -> None:
    one = found(run(np.random.default_rng(1), per_block=0.03, spread=0.0))
    assert (one.per_block, one.low, one.high) == pytest.approx((0.03, 0.03, 0.03))
    assert one.p == pytest.approx(2 / math.factorial(6))


def test_nothing_that_changes_is_no_drift() -> None:
    one = found({"java": [5.0] * 6, "pika": [0.1 + 0.2] * 6})
    assert (one.per_block, one.p, one.shown) == (0.0, 1.0, False)


@pytest.mark.parametrize(("metric", "worse"), [(METRIC, True), ("throughput", False)])
def test_which_way_is_worse_is_the_metrics(metric: str, worse: bool) -> None:
    rows = run(np.random.default_rng(1), per_block=0.03, spread=0.001)
    assert found(rows, metric).worse is worse


def test_one_cell_gets_the_line_of_scipy() -> None:
    values = [3.0, 3.4, 3.1, 3.6, 3.3, 3.9]
    one, line = found({"java": values}), linregress(range(6), np.log(values))
    assert one.per_block == pytest.approx(math.expm1(line.slope))
    by_rank = kendalltau(range(6), values, method="exact").pvalue
    assert one.p == pytest.approx(max(line.pvalue, by_rank))


def test_mann_kendall_is_exact() -> None:
    """Against all 120 orders of five values, and against scipy for ten."""
    orders = [np.array(order, dtype=float) for order in permutations(range(5))]
    for order in orders[::17]:
        tau = abs(kendalltau(range(5), order).statistic) - 1e-9
        as_far = sum(abs(kendalltau(range(5), other).statistic) >= tau for other in orders)
        assert p_mann_kendall(order) == pytest.approx(as_far / len(orders))
    ten = np.random.default_rng(2).normal(size=10)
    exact = kendalltau(range(10), ten, method="exact").pvalue
    assert p_mann_kendall(ten) == pytest.approx(exact)


def test_a_cell_that_misses_blocks_does_not_tilt_the_others() -> None:
    """The slow cell has only early blocks: its absence is no machine that sped up."""
    steady = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    one = found({"java": steady, "pika": [90.0, 90.0, 90.0, None, None, None]})
    assert one.per_block == pytest.approx(0.0, abs=1e-9)


def test_blocks_that_no_cell_ties_together_show_nothing() -> None:
    early, late = [2.0, 2.1, 2.2, None, None, None], [None, None, None, 9.0, 9.1, 9.2]
    one = found({"java": early, "pika": late})
    assert (one.per_block, one.p, one.shown) == (None, None, False)


def test_fewer_than_five_blocks_show_nothing() -> None:
    one = found(run(np.random.default_rng(1), blocks=4, per_block=0.5, spread=0.001))
    assert (one.blocks, one.p, one.shown) == (4, None, False)


def test_without_logs_there_is_nothing_to_test() -> None:
    assert drift([], METRIC) is None
    assert drift(cells({"java": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}), METRIC) is None
    assert drift(cells({"java": [5.0] * 6}), "end_to_end_p99") is None


def test_a_value_that_trials_repeat_has_no_trend() -> None:
    assert drift(cells({"java": [3.0] * 6}, "headroom"), "headroom") is None


@pytest.mark.parametrize(("blocks", "shared"), [(6, 0.0), (6, 0.10), (10, 0.0), (10, 0.10)])
def test_runs_without_drift_show_one_at_most_once_in_twenty(blocks: int, shared: float) -> None:
    """Also where the machine is uneven from block to block, for all cells of a block alike."""
    generator = np.random.default_rng(20261125)
    quiet = [run(generator, blocks=blocks, shared=shared) for _ in range(RUNS // 4)]
    assert sum(found(rows).shown for rows in quiet) / len(quiet) <= 0.05


def test_the_interval_holds_the_truth_19_times_in_20() -> None:
    generator = np.random.default_rng(4)
    seen = [found(run(generator, blocks=10, per_block=0.01, shared=0.05)) for _ in range(RUNS // 4)]
    held = [(one.low or 0) <= 0.01 <= (one.high or 0) for one in seen]
    assert 0.93 <= float(np.mean(held)) <= 0.97


def own_trend(generator: np.random.Generator, per_block: float) -> dict[str, list[float]]:
    rows = run(generator, blocks=10)
    first = [value * (1 + per_block) ** block for block, value in enumerate(rows["client-0"])]
    return {**rows, "client-0": first}


def test_a_cell_that_drifts_by_itself_is_named_and_no_other() -> None:
    made = cells(own_trend(np.random.default_rng(5), 0.06))
    alone = drifting(made, METRIC)
    assert list(alone) == [id(made[0])]
    assert alone[id(made[0])].worse
    assert alone[id(made[0])].per_block == pytest.approx(0.06, abs=0.02)


def test_a_drift_of_all_is_put_down_to_none() -> None:
    made = cells(run(np.random.default_rng(6), blocks=10, per_block=0.06))
    shared = drift(made, METRIC)
    assert shared is not None
    assert shared.shown
    assert drifting(made, METRIC) == {}


def test_cells_that_do_not_drift_are_named_in_at_most_one_run_in_twenty() -> None:
    generator = np.random.default_rng(7)
    quiet = [cells(run(generator, blocks=10, shared=0.05)) for _ in range(RUNS // 10)]
    assert sum(bool(drifting(made, METRIC)) for made in quiet) / len(quiet) <= 0.05


def test_a_single_cell_is_compared_with_no_other() -> None:
    (only,) = cells({"java": [2.0, 2.2, 2.4, 2.7, 2.9, 3.2]})
    assert list(drifting([only], METRIC)) == [id(only)]
