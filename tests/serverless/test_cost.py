"""Costs against bills worked out by hand, and against AWS's own example."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from spikebench.cost import PriceBook, read_prices
from spikebench.errors import ScenarioError, UsageError
from spikes.serverless.arrivals import cold_share
from spikes.serverless.cost import (
    Measured,
    billed_ms,
    break_even,
    capacity_units,
    cost_per_million,
    fargate_month,
    lambda_month,
    share_of_cold_starts,
)
from spikes.serverless.pattern import Fargate, Pattern, read_pattern

SCENARIOS = Path(__file__).parents[2] / "scenarios"
TODAY = date(2026, 11, 25)
MEASURED = Measured(memory_mb=512, init_ms=(300.4,), first_ms=(20.3,), warm_ms=(1.2,))
TASKS = Fargate(vcpu=0.5, memory_gb=1.0, tasks=2, load_balancer=False)
BALANCED = Fargate(vcpu=0.5, memory_gb=1.0, tasks=2, kb_per_request=10.0)


@pytest.fixture(scope="module")
def london() -> PriceBook:
    return read_prices(SCENARIOS / "prices" / "eu-west-2.yaml", TODAY)


@pytest.fixture(scope="module")
def virginia() -> PriceBook:
    return read_prices(SCENARIOS / "prices" / "us-east-1.yaml", TODAY)


def pattern(**changes: object) -> Pattern:
    values = {"rate_per_s": 1.0, "idle_timeout_s": 300.0, "cold_share": 0.01, "fargate": TASKS}
    return Pattern.model_validate(values | changes)


@pytest.mark.parametrize(
    ("duration_ms", "billed"),
    [
        (0.0, 0),
        (0.01, 1),
        (1.0, 1),
        (1.001, 2),
        ((0.1 + 0.2) * 10, 3),  # 3.0000000000000004 as a float
        (1293.83 + 1049.63, 2344),  # a REPORT line of 2022 in which INIT was billed
    ],
)
def test_a_duration_is_billed_by_the_millisecond_it_began(duration_ms: float, billed: int) -> None:
    assert billed_ms(duration_ms) == billed


def test_a_million_invocations_worked_by_hand(london: PriceBook) -> None:
    # 512 MB are 0.5 GB; 1 % of a million are 10,000 cold and 990,000 warm.
    # requests: 1 million × 0.20                                        = 0.20
    # INIT: 10,000 × 0.3004 s × 0.5 GB       = 1,502 GB-s × 0.0000166667 = 0.0250333834
    # first: 300.4 + 20.3 = 320.7, billed as 321 ms, of which 300.4 were INIT
    #        10,000 × 0.0206 s × 0.5 GB      =   103 GB-s × 0.0000166667 = 0.0017166701
    # warm: 1.2 is billed as 2 ms: 990,000 × 0.002 s × 0.5 GB = 990 GB-s = 0.0165000330
    #                                                                     --------------
    #                                                                       0.2432500865
    cost = cost_per_million(pattern(), MEASURED, london)
    assert [term.quantity for term in cost.terms] == pytest.approx([1, 1502, 103, 990])
    assert cost.total == pytest.approx(0.2432500865, abs=1e-10)
    assert cost.terms[1].what == "INIT of cold starts, 1.000% of invocations"
    assert cost.currency == "USD"


def test_init_is_billed_and_makes_the_difference(london: PriceBook) -> None:
    slow = Measured(memory_mb=512, init_ms=(5300.4,), first_ms=(20.3,), warm_ms=(1.2,))
    totals = [cost_per_million(pattern(), cell, london).total or 0.0 for cell in (MEASURED, slow)]
    # 5 s more in 10,000 of a million starts: 10,000 × 5 s × 0.5 GB = 25,000 GB-s
    assert totals[1] - totals[0] == pytest.approx(25_000 * 0.0000166667)


def test_trials_are_rounded_each_and_then_averaged() -> None:
    # 0.3 and 1.5 ms are billed as 1 and 2: 1.5, where their mean of 0.9 would be billed as 1
    cell = Measured(memory_mb=128, init_ms=(10.0, 20.0), first_ms=(0.5, 1.0), warm_ms=(0.3, 1.5))
    assert cell.warm_billed_ms == 1.5
    assert cell.cold_billed_ms == (11 + 21) / 2


def test_amazons_own_example_of_snapstart(virginia: PriceBook) -> None:
    # AWS Lambda pricing page, "Enriching streaming telemetry": 7.44 million requests a month, 1 GB,
    # 2 s each, 1 % restores: requests $1.49, compute $248.00, restores $10.4, and the cache $4.03
    # for a month of 744 hours; ours has 730: 2,628,000 GB-s × 0.0000015046 = 3.9541.
    cell = Measured(1024, (0.0,), (2000.0,), (2000.0,), snapstart="other")
    bill = lambda_month(pattern().at(7.44e6), cell, virginia)
    amounts = [term.amount or 0.0 for term in bill.terms]
    assert amounts[0] == pytest.approx(1.488)
    assert sum(amounts[1:4]) == pytest.approx(248.00, abs=0.005)
    assert amounts[4] == pytest.approx(3.9541, abs=1e-4)
    assert amounts[4] * 744 / 730 == pytest.approx(4.03, abs=0.005)
    assert amounts[5] == pytest.approx(10.40, abs=0.005)
    assert "the price is undated" in bill.marks[0]
    assert "snapshots kept" in bill.marks[0]


def test_a_snapshot_is_kept_and_restored_by_its_memory(virginia: PriceBook) -> None:
    # 0.5 GB: two versions for 2,628,000 s a month, and 1 % of 2,628,000 requests
    cell = Measured(512, (100.0,), (20.0,), (1.0,), snapstart="other")
    bill = lambda_month(pattern(snapstart_versions=2), cell, virginia)
    assert [term.quantity for term in bill.terms[4:]] == pytest.approx([2_628_000, 13_140])


def test_snapstart_costs_java_nothing_and_others_an_unknown_sum_in_london(
    london: PriceBook,
) -> None:
    java = Measured(512, (100.0,), (20.0,), (1.0,), snapstart="java")
    other = Measured(512, (100.0,), (20.0,), (1.0,), snapstart="other")
    bill = cost_per_million(pattern(), java, london)
    assert [term.amount for term in bill.terms[4:]] == [0, 0]
    assert bill.total is not None
    bill = cost_per_million(pattern(), other, london)
    assert bill.total is None
    assert len(bill.unpriced) == 2


def test_the_free_tier_is_taken_off_where_the_pattern_says_so(london: PriceBook) -> None:
    # 1 GB, 0.1 s, no cold starts, 5 million a month: 500,000 GB-s, of which 400,000 are free, and
    # 4 million requests to pay: 100,000 × 0.0000166667 + 4 × 0.20 = 1.66667 + 0.80
    cell = Measured(1024, (0.0,), (100.0,), (100.0,))
    free = pattern(cold_share=0.0, free_tier=True).at(5e6)
    assert lambda_month(free, cell, london).total == pytest.approx(2.46667)
    assert cost_per_million(free, cell, london).total == pytest.approx(2.46667 / 5)
    paid = pattern(cold_share=0.0).at(5e6)
    assert lambda_month(paid, cell, london).total == pytest.approx(500_000 * 0.0000166667 + 1)


def test_a_large_load_reaches_the_cheaper_step(london: PriceBook) -> None:
    # 10 GB, 1 s, 700 million a month: 7 billion GB-s, the last of them at 0.000015
    cell = Measured(10_240, (0.0,), (1000.0,), (1000.0,))
    bill = lambda_month(pattern(cold_share=0.0).at(7e8), cell, london)
    expected = 140 + 6e9 * 0.0000166667 + 1e9 * 0.000015
    assert bill.total == pytest.approx(expected, rel=1e-9)


def test_arm_has_prices_of_its_own(london: PriceBook) -> None:
    cell = Measured(1024, (0.0,), (100.0,), (100.0,))
    cost = cost_per_million(pattern(architecture="arm", cold_share=0.0), cell, london)
    assert cost.total == pytest.approx(0.20 + 100_000 * 0.0000133334)
    bill = fargate_month(pattern(architecture="arm"), london)
    assert bill.total == pytest.approx(730 * 0.03725 + 1460 * 0.00409)


def test_a_month_of_fargate_worked_by_hand(london: PriceBook) -> None:
    # vCPU: 0.5 × 2 tasks × 730 h =   730 × 0.04656 = 33.98880
    # GB:   1.0 × 2 tasks × 730 h = 1,460 × 0.00511 =  7.46060
    # load balancer:                  730 × 0.02646 = 19.31580
    # its capacity: at 1/s 1 / 25 = 0.04 units by new connections, and 1 × 10 kB × 3,600 = 0.036 GB
    #   an hour, the former being more:  29.2 × 0.0084 = 0.24528
    #                                                   --------
    #                                                   61.01048
    bill = fargate_month(pattern(fargate=BALANCED), london)
    assert bill.total == pytest.approx(61.01048)
    assert fargate_month(pattern(), london).total == pytest.approx(33.98880 + 7.46060)


def test_capacity_units_go_by_what_is_used_most() -> None:
    size = {"vcpu": 0.25, "memory_gb": 0.5}
    kept = Fargate.model_validate(size | {"requests_per_connection": 100, "kb_per_request": 100})
    assert capacity_units(kept, 10.0) == pytest.approx(3.6)  # 10 × 100 kB × 3,600 s = 3.6 GB
    assert capacity_units(Fargate.model_validate(size), 50.0) == pytest.approx(2.0)  # 50 / 25


def test_break_even_worked_by_hand(london: PriceBook) -> None:
    # 1 GB for 100 ms and no cold starts: 0.1 × 0.0000166667 + 0.0000002 = 0.00000186667 each.
    # Two tasks without a load balancer are 41.4494 a month: 41.4494 / 0.00000186667 = 22,205,000.
    cell = Measured(1024, (0.0,), (100.0,), (100.0,))
    found = break_even(pattern(cold_share=0.0), cell, london)
    assert found.invocations_per_month == pytest.approx(41.4494 / 1.86667e-6, rel=1e-4)
    assert found.rate_per_s == pytest.approx(41.4494 / 1.86667e-6 / 2_628_000, rel=1e-4)
    # With the load balancer Fargate too is dearer by each request, by 0.0084 / 25 / 3,600:
    # (41.4494 + 19.3158) / (0.00000186667 - 0.0000000933333) = 34,266,000
    found = break_even(pattern(cold_share=0.0, fargate=BALANCED), cell, london)
    assert found.invocations_per_month == pytest.approx(60.7652 / 1.773337e-6, rel=1e-4)
    assert "if 2 tasks carry that: it was not measured" in found.words


@pytest.mark.parametrize("idle_timeout_s", [1.0, 300.0])
def test_at_the_break_even_both_bills_are_equal_and_open(
    london: PriceBook, idle_timeout_s: float
) -> None:
    cell = Measured(1024, (3000.0,), (400.0,), (50.0,))
    asked = pattern(cold_share=None, idle_timeout_s=idle_timeout_s, fargate=BALANCED)
    found = break_even(asked, cell, london)
    assert found.on_lambda.total == pytest.approx(found.on_fargate.total, rel=1e-3)
    assert found.on_fargate.terms[0].what == "vCPUs of tasks"
    load = found.invocations_per_month or 0.0
    for part, cheaper in ((0.9, True), (1.1, False)):
        there = asked.at(load * part)
        on_lambda = lambda_month(there, cell, london).known
        assert (on_lambda < fargate_month(there, london).known) is cheaper


def test_cold_starts_bring_the_break_even_down(london: PriceBook) -> None:
    cell = Measured(1024, (5000.0,), (100.0,), (100.0,))
    shares = (0.0, 0.1, 1.0)
    loads = [
        break_even(pattern(cold_share=share), cell, london).invocations_per_month or 0.0
        for share in shares
    ]
    assert loads[0] > loads[1] > loads[2] > 0


def test_no_break_even_says_why(london: PriceBook, virginia: PriceBook) -> None:
    # what the load balancer takes for 1 MB each (0.0084 a GB) is more than Lambda's own price
    heavy = Fargate(vcpu=0.25, memory_gb=0.5, tasks=1, kb_per_request=1000.0)
    cell = Measured(128, (100.0,), (5.0,), (1.0,))
    found = break_even(pattern(fargate=heavy), cell, london)
    assert found.invocations_per_month is None
    assert found.rate_per_s is None
    assert found.words.startswith("no break-even: ")
    found = break_even(pattern(), cell, virginia)
    assert found.invocations_per_month is None
    assert "us-east-1 has no price of fargate vCPU x86" in found.words


def test_tasks_that_cannot_carry_the_break_even_are_named(london: PriceBook) -> None:
    cell = Measured(1024, (0.0,), (100.0,), (100.0,))
    few = TASKS.model_copy(update={"rate_per_task_per_s": 2.0})
    said = break_even(pattern(cold_share=0.0, fargate=few), cell, london).words
    assert said.endswith("but 2 tasks carry 4/s only: cost more of them")
    enough = TASKS.model_copy(update={"rate_per_task_per_s": 50.0})
    assert "carry" not in break_even(pattern(cold_share=0.0, fargate=enough), cell, london).words


def test_the_share_of_cold_starts_is_simulated_unless_it_is_stated() -> None:
    assert share_of_cold_starts(pattern(), MEASURED).share == 0.01
    asked = pattern(cold_share=None, rate_per_s=0.01, idle_timeout_s=100.0)
    expected = cold_share(0.01, 100.0, 0.0012, 0.3207, "most-recent", 1)
    assert share_of_cold_starts(asked, MEASURED).share == expected.share
    assert 0.3 < expected.share < 0.45  # about exp(-1)


def test_a_rate_beyond_simulation_is_refused_and_can_be_stated(london: PriceBook) -> None:
    with pytest.raises(UsageError, match="state cold_share"):
        cost_per_million(pattern(cold_share=None, rate_per_s=1e5), MEASURED, london)
    assert cost_per_million(pattern(rate_per_s=1e5), MEASURED, london).total is not None


@pytest.mark.parametrize(
    ("init_ms", "first_ms", "warm_ms", "memory_mb"),
    [
        ((), (), (1.0,), 512),
        ((1.0,), (1.0,), (), 512),
        ((1.0, 2.0), (1.0,), (1.0,), 512),
        ((-1.0,), (1.0,), (1.0,), 512),
        ((float("nan"),), (1.0,), (1.0,), 512),
        ((1.0,), (1.0,), (1.0,), 0),
    ],
)
def test_what_was_not_measured_cannot_be_costed(
    init_ms: tuple[float, ...],
    first_ms: tuple[float, ...],
    warm_ms: tuple[float, ...],
    memory_mb: int,
) -> None:
    with pytest.raises(ValueError, match=r"trials|memory"):
        Measured(memory_mb, init_ms, first_ms, warm_ms)


def test_our_pattern_is_read() -> None:
    read = read_pattern(SCENARIOS / "serverless" / "patterns" / "api.yaml")
    assert (read.rate_per_s, read.idle_timeout_s, read.free_tier) == (1.0, 300.0, False)
    assert (read.fargate.vcpu, read.fargate.tasks) == (0.5, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "rate_per_s: 0\nidle_timeout_s: 1\nfargate: {vcpu: 1, memory_gb: 2}\n",
            "1: rate_per_s: 0 does not fit; it should be greater than 0",
        ),
        (
            "rate_per_s: 1\nfargate:\n  vcpu: 1\n  memory_gb: 2\n",
            "1: idle_timeout_s: missing; add it",
        ),
        (
            "rate_per_s: 1\nidle_timeout_s: 1\nfargate:\n  vcpu: 0.5\n  memory_gb: 8\n",
            "5: fargate.memory_gb: Fargate has no such size; write one of 1, 2, 3, 4",
        ),
        (
            "rate_per_s: 1\nidle_timeout_s: 1\nfargate:\n  vcpu: 3\n  memory_gb: 8\n",
            "4: fargate.vcpu: Fargate has no such size; write one of 0.25, 0.5, 1, 2, 4, 8, 16",
        ),
        (
            "rate_per_s: 1\nidle_timeout_s: 1\nfargate:\n  vcpu: 1\n  memory_gb: 2\n  task: 2\n",
            "6: fargate.task: unknown key; did you mean 'tasks'?",
        ),
    ],
)
def test_a_wrong_pattern_is_refused_by_line_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "pattern.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read_pattern(path)
    assert str(caught.value) == f"{path}:{message}"
