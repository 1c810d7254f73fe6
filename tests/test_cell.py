from collections import Counter

from spikebench.cell import Cell, order_of_block
from spikebench.scenario.messages import Timing
from tests.synthetic.workload import candidate, cell, scenario

CELLS = [
    cell(candidate=candidate(name), params={"rate_per_s": rate})
    for name in ("a", "b", "c")
    for rate in (100.0, "30 %")
]


def test_a_key_reads_as_what_the_cell_is() -> None:
    assert cell(params={"rate_per_s": "30 %"}).key == "steady-plain-python-local-rate_per_s=30%"
    assert cell(arm="A/A").key == "steady-plain-python-local-A/A"


def test_keys_differ_where_cells_do() -> None:
    arms = [cell(arm=arm) for arm in ("", "A/A", "search")]
    assert len({one.key for one in [*CELLS, *arms]}) == 9


def test_every_block_has_every_cell_once() -> None:
    for block in range(5):
        keys = Counter(one.key for one in order_of_block(CELLS, run_seed=7, block=block))
        assert keys == Counter(one.key for one in CELLS)


def test_the_order_follows_from_seed_and_block_and_not_from_how_cells_were_listed() -> None:
    def order(seed: int, block: int, cells: list[Cell] = CELLS) -> list[str]:
        return [one.key for one in order_of_block(cells, seed, block)]

    assert order(7, 0) == order(7, 0, CELLS[::-1])
    assert len({tuple(order(7, block)) for block in range(20)}) > 10
    assert len({tuple(order(seed, 0)) for seed in range(20)}) > 10


def test_no_cell_is_always_first() -> None:
    firsts = Counter(order_of_block(CELLS, 3, block)[0].key for block in range(300))
    assert len(firsts) == len(CELLS)
    assert max(firsts.values()) < 100


def test_a_trials_seed_is_its_own_and_the_same_each_time() -> None:
    seeds = {
        one.seed(run_seed, block) for one in CELLS for run_seed in (1, 2) for block in range(9)
    }
    assert len(seeds) == len(CELLS) * 2 * 9
    assert CELLS[0].seed(1, 0) == cell(candidate=candidate("a"), params={"rate_per_s": 100.0}).seed(
        1, 0
    )
    assert cell(arm="A/A").seed(1, 0) != cell().seed(1, 0)


def test_workloads_are_equal_only_where_everything_is() -> None:
    assert cell().workload == cell(candidate=candidate("other"), arm="A/A").workload
    longer = scenario(timing=Timing(warmup_s=0.1, measure_s=0.5, grace_s=0.5))
    assert cell(scenario=longer).workload != cell().workload


def test_time_is_estimated_of_cells_that_are_measured() -> None:
    timing = Timing(warmup_s=1, measure_s=4)
    steady = cell(scenario=scenario(timing=timing))
    searching = cell(scenario=scenario(timing=timing, experiment="capacity"))
    assert 5 < steady.seconds < searching.seconds
    assert cell(withheld="not here").seconds == 0
