"""Costs in a decision record: what is doubtful says so, and what nobody measured has its price."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spikebench.cost import Cost, Priced, Term
from spikebench.decision.assess import Assessment, assess
from spikebench.decision.money import cheapest
from spikebench.decision.proof import cost
from spikebench.measure.outcome import Metric
from spikebench.report.layout import load
from spikebench.report.table import Section
from spikebench.spike import MESSAGES_LAYOUT
from tests.decision.situation import FILE, spike, store, trials

MARK = "a price of us-east-1"

TASKS = "{option: tasks, score: 0.5, why: runs today}"
WITH_TASKS = (
    FILE.replace("criteria:\n", "  - {name: tasks, title: Stay as we are}\ncriteria:\n")
    .replace("scores:\n", f"scores:\n        - {TASKS}\n")
    .replace("worst: 100}\n", f"worst: 100}}\n    judged: {{by: us, scores: [{TASKS}]}}\n")
)
"""The same with an option that no candidate stands for."""


def bills(_: Section) -> list[Priced]:
    known = Term("tasks", 730.0, "hour", 0.5, "a file, 2026-10-01")
    doubtful = Term("between zones", 10.0, "GB", 0.01, "a page, 2026-10-01", mark=MARK)
    unknown = Term("balancer", 730.0, "hour", None, "no price of elb")
    return [
        Priced("tasks", "tasks", "two tasks", {"a month": Cost((known, doubtful), "USD")}),
        Priced("rabbit", "rabbit", "at our load", {"a month": Cost((unknown,), "USD")}),
    ]


LAYOUT = replace(
    load(MESSAGES_LAYOUT),
    money=lambda section: [f"tasks below 10 a second, kafka from 10 ({len(section.rows)} rows)"],
    bills=bills,
)


def assessed(folder: Path, text: str = FILE, note: str = "") -> Assessment:
    price = Metric(value=1.25, unit="USD", better="lower", note=note)
    records = [
        one.model_copy(update={"metrics": {**one.metrics, "cost_per_million": price}})
        if one.candidate == "kafka"
        else one
        for one in trials()
    ]
    one = replace(spike(folder, text), layout="tests.decision.test_money:LAYOUT")
    return assess(one, [store(folder, records)])


def test_a_figure_with_a_doubtful_price_says_so_on_its_line(tmp_path: Path) -> None:
    said = "\n".join(cost(assessed(tmp_path, note=f"{MARK}: 2 shards")))
    assert f"USD a million at list prices, change-data ({MARK}: 2 shards)." in said
    assert MARK not in "\n".join(cost(assessed(tmp_path)))


def test_what_nobody_measured_costs_what_the_offer_of_its_name_does(tmp_path: Path) -> None:
    # 730 × 0.5 + 10 × 0.01 = 365.1
    said = "\n".join(cost(assessed(tmp_path, WITH_TASKS)))
    assert "Stay as we are: 365 USD a month at list prices, not measured, two tasks" in said
    assert f"two tasks ({MARK}: between zones)." in said


def test_an_offer_without_a_price_is_not_priced(tmp_path: Path) -> None:
    said = "\n".join(cost(assessed(tmp_path)))
    assert "Stay on RabbitMQ: not priced, at our load: balancer: no price of elb." in said


def test_from_which_load_on_another_is_the_cheapest_is_in_the_record(tmp_path: Path) -> None:
    *_, said = cheapest(assessed(tmp_path))
    assert said == "* change-data: tasks below 10 a second, kafka from 10 (3 rows)"
    bare = assess(spike(tmp_path), [store(tmp_path, trials(), "20260102-000000")])
    assert list(cheapest(bare))[-1] == "* the spike has no model of cost."
