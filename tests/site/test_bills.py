"""Costs on a page: each figure opens into its terms, and says what is doubtful before it does."""

from __future__ import annotations

from dataclasses import replace

from spikebench.cost import Cost, Priced, Term
from spikebench.report.layout import load
from spikebench.report.table import Section, tabulate
from spikebench.site.section import Shown, show
from spikebench.spike import MESSAGES_LAYOUT
from tests.report.synthetic import candidates, run, scenario


def bills(_: Section) -> list[Priced]:
    sure = Term("hours", 730.0, "hour", 0.5, "a file, 2026-10-01")
    doubtful = Term("shards", 10.0, "hour", 0.01, "a page, 2026-10-01", mark="a price of us-east-1")
    unknown = Term("balancer", 730.0, "hour", None, "no price of elb")
    return [
        Priced("kafka", "kafka", "at our load", {"a month": Cost((sure,), "USD")}),
        Priced("kinesis", "kinesis", "at our load", {"a month": Cost((doubtful,), "USD")}),
        Priced("rabbit", "rabbit", "at another", {"a month": Cost((sure, unknown), "USD")}),
    ]


def shown() -> Shown:
    layout = replace(load(MESSAGES_LAYOUT), bills=bills)
    table = tabulate(list(run()), {"change-data": scenario()}, candidates(), layout)
    return show(table.sections[0], layout, lambda _: ("", ""))


def test_a_figure_opens_into_its_terms() -> None:
    (_, total, lines), *_ = shown().bills[0].costs
    assert total == "365 USD"
    assert lines[0] == "hours: 730 hour × 0.5 = 365.0000 USD (a file, 2026-10-01)"


def test_a_doubtful_price_is_said_beside_the_figure_and_what_has_none_is_not_priced() -> None:
    totals = [bill.costs[0][1] for bill in shown().bills]
    assert totals[1:] == ["0.100 USD (a price of us-east-1: shards)", "not priced"]


def test_whose_usage_it_is_stands_above_the_first_of_those_it_is_of() -> None:
    assert [bill.about for bill in shown().bills] == ["at our load", "", "at another"]
