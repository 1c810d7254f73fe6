"""Costs of messages, worked by hand at prices of round numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import exp
from pathlib import Path
from typing import Any

import pytest

from spikebench.cost import Cost, PriceBook, read_prices
from spikebench.errors import ScenarioError
from spikebench.record import Ledger, Record
from spikebench.scenario.messages import Arrivals
from spikes.messaging.cost import OFFERS, month, per_million, shards
from spikes.messaging.cost import bill as billed
from spikes.messaging.pattern import (
    Managed,
    Nodes,
    Pattern,
    Polling,
    Upkeep,
    read_pattern,
)
from spikes.messaging.traffic import Calls, Traffic
from tests.report.synthetic import record

TODAY = date(2026, 11, 25)
TEAM = Path(__file__).parents[2] / "scenarios" / "messaging" / "patterns" / "team.yaml"

PRICES = {
    ("sqs", "requests standard", "million requests"): 0.40,
    ("sqs", "requests fifo", "million requests"): 0.50,
    ("sns", "publish standard", "million requests"): 0.60,
    ("sns", "publish fifo", "million requests"): 0.30,
    ("sns", "payload fifo", "GB"): 0.02,
    ("sns", "deliveries fifo", "million"): 0.01,
    ("sns", "payload delivered fifo", "GB"): 0.001,
    ("kinesis", "shard", "hour"): 0.02,
    ("kinesis", "PUT payload unit 25 KB", "million units"): 0.01,
    ("fargate", "vCPU x86", "vCPU-hour"): 0.05,
    ("fargate", "GB x86", "GB-hour"): 0.005,
    ("ec2", "instance big", "hour"): 0.1,
    ("ebs", "gp3 storage", "GB-month"): 0.1,
    ("ec2", "data between zones", "GB"): 0.01,
    ("nlb", "load balancer", "hour"): 0.02,
    ("nlb", "NLCU", "NLCU-hour"): 0.006,
    ("msk", "broker kafka.big", "hour"): 0.25,
    ("msk", "storage", "GB-month"): 0.1,
    ("mq", "cluster mq.big", "hour"): 0.8,
    ("mq", "storage", "GB-month"): 0.1,
}

PATTERN = Pattern(
    rate_per_s=100,
    size_bytes=1000,
    hours_per_month=100,
    scenario="change-data",
    polling=Polling(wait_s=20, pause_s=1),
    nodes=Nodes(count=3, vcpu=2, memory_gb=8, storage_gb=50, load_balancer=True),
    managed=Managed(brokers=3, msk="kafka.big", mq="mq.big", storage_gb=50),
    upkeep=Upkeep(nodes_hours=4, managed_hours=2, service_hours=0.5, usd_per_hour=50),
)
"""36 million messages a month: 100 a second for 360,000 seconds."""

TRAFFIC = Traffic(
    rate_per_s=100,
    size_bytes=1000,
    arrivals=Arrivals(kind="bursts", rate_per_s=100, burst_min=10, burst_max=10),
    subscribers=2,
    batch_messages=10,
    ordering="key",
)
"""Bursts of ten, so that a call carries ten; two applications."""


@pytest.fixture
def prices(tmp_path: Path) -> PriceBook:
    lines = ["region: test", "currency: USD", "prices:"]
    for (service, dimension, unit), price in PRICES.items():
        lines += [
            f"  - {{service: {service}, dimension: {dimension}, unit: {unit}, price: {price},",
            "     as_of: 2026-10, source: a file}",
        ]
    path = tmp_path / "test.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_prices(path, TODAY)


def bill(
    name: str,
    book: PriceBook,
    traffic: Traffic = TRAFFIC,
    pattern: Pattern = PATTERN,
    *,
    upkeep: bool = False,
) -> Cost:
    return (month if upkeep else billed)(OFFERS[name], traffic, pattern, book)


def amounts(cost: Cost) -> list[float | None]:
    return [None if term.amount is None else round(term.amount, 6) for term in cost.terms]


def test_sqs_is_billed_for_each_call_to_each_queue(prices: PriceBook) -> None:
    # 36 million ÷ 10 × 2 queues = 7.2 million calls each to send, receive and delete, at 0.40
    cost = bill("sqs-standard", prices)
    assert amounts(cost) == [2.88, 2.88, 2.88, 0.0]
    assert cost.total == pytest.approx(8.64)
    assert bill("sqs-fifo", prices).total == pytest.approx(8.64 * 0.5 / 0.4)


def test_without_batches_every_message_is_three_calls_to_each_queue(prices: PriceBook) -> None:
    # 36 million × 2 × 3 = 216 million calls: ten times as much
    cost = bill("sqs-standard", prices, replace(TRAFFIC, batch_messages=1))
    assert cost.total == pytest.approx(86.4)


def test_a_call_above_64_kb_is_as_many_requests_as_it_has_of_them(prices: PriceBook) -> None:
    # ten of 10,000 bytes are 100,000: two requests to send and to receive, one to delete
    cost = bill("sqs-standard", prices, replace(TRAFFIC, size_bytes=10_000))
    assert amounts(cost) == [5.76, 5.76, 2.88, 0.0]


@pytest.mark.parametrize("name", ["sqs-standard", "sqs-fifo"])
def test_half_the_batch_is_twice_the_calls_and_twice_the_money(
    name: str, prices: PriceBook
) -> None:
    # bursts of ten: in calls of ten one a burst, in calls of five two
    whole, half = bill(name, prices), bill(name, prices, replace(TRAFFIC, batch_messages=5))
    assert whole.total is not None
    assert half.total == pytest.approx(2 * whole.total)
    # 36 million ÷ 5 × 2 queues × 3 calls = 43.2 million
    assert half.total == pytest.approx(
        43.2 * PRICES["sqs", f"requests {name[4:]}", "million requests"]
    )


def test_calls_that_are_half_full_cost_twice_as_much_as_counted(prices: PriceBook) -> None:
    # trials counted five messages a call where ten are derived, in sending and in receiving
    counted = replace(TRAFFIC, calls=Calls(sending=0.5, receiving=0.5))
    cost = bill("sqs-standard", prices, counted)
    assert amounts(cost) == [5.76, 5.76, 5.76, 0.0]
    assert cost.terms[0].what == "SendMessageBatch, 5 messages a call, as counted"
    assert bill("sqs-standard", prices).terms[0].what.endswith("10 messages a call, derived")


def test_no_call_carries_more_than_the_service_takes_whatever_was_counted() -> None:
    counted = replace(TRAFFIC, calls=Calls(sending=3.0, receiving=0.01))
    assert counted.per_call(10) == 10
    assert counted.per_receive(10) == 1


def trial(sent: int, *, fidelity: str = "emulator", **calls: float) -> Record:
    """A valid trial at 100 a second, of two subscribers that got everything."""
    metrics = {"throughput": 100.0, **{f"calls_{name}": count for name, count in calls.items()}}
    account = Ledger(
        sent=sent,
        confirmed=sent,
        expected=2 * sent,
        delivered=2 * sent,
        lost=0,
        duplicated=0,
        reordered=0,
    )
    return record("sqs-standard", 0, metrics, fidelity=fidelity, ledger=account)


def test_calls_are_what_trials_counted_over_what_is_derived_at_their_rate() -> None:
    # 1,000 messages to two queues: 200 calls of ten are derived; 250 and then 390 were counted
    trials = [trial(1000, send_message_batch=250), trial(1000, send_message_batch=390)]
    counted = TRAFFIC.set_right_by(trials, 10)
    assert counted.calls.sending == pytest.approx(400 / 640)
    assert counted.per_call(10) == pytest.approx(10 * 400 / 640)
    # SNS is sent one copy for all: 100 calls are derived
    published = TRAFFIC.set_right_by([trial(1000, publish_batch=125)], 10)
    assert published.per_call(10) == pytest.approx(8)
    assert TRAFFIC.set_right_by([trial(1000)], 10) == TRAFFIC


def test_receiving_calls_count_where_the_service_answered_them() -> None:
    calls: dict[str, Any] = {
        "send_message_batch": 200,
        "receive_message": 400,
        "receive_message_empty": 99,
    }
    # 2,000 copies in receives of ten are 200; 400 were counted, the vain ones left out
    assert TRAFFIC.set_right_by([trial(1000, fidelity="service", **calls)], 10).per_receive(10) == 5
    of_emulator = TRAFFIC.set_right_by([trial(1000, **calls)], 10)
    assert of_emulator.calls.receiving is None
    assert of_emulator.per_receive(10) == 10


def test_duplicates_are_received_and_deleted_anew(prices: PriceBook) -> None:
    cost = bill("sqs-standard", prices, replace(TRAFFIC, deliveries=1.5))
    assert amounts(cost) == [2.88, 4.32, 4.32, 0.0]


def test_idle_queues_cost_one_empty_receive_a_long_poll(prices: PriceBook) -> None:
    # next to nothing comes: 360,000 s ÷ 20 s × 2 queues = 36,000 polls, 0.0144 USD;
    # at short polls a second apart twenty times as many
    idle = TRAFFIC.at(1e-9)
    assert bill("sqs-standard", prices, idle).total == pytest.approx(0.0144, rel=1e-4)
    short = PATTERN.model_copy(update={"polling": Polling(wait_s=0, pause_s=1)})
    cost = bill("sqs-standard", prices, idle, short)
    assert cost.total == pytest.approx(0.288, rel=1e-4)
    assert "short polls of 1 s" in cost.terms[-1].what


def test_empty_polls_follow_the_gaps_between_bursts() -> None:
    # a burst of ten each 20 s on average at half a message a second: λW = 1; a gap has on average
    # e^-1 ÷ (1 - e^-1) = 0.582 vain polls, and there are 0.05 gaps a second for two subscribers
    expected = 0.05 * exp(-1) / (1 - exp(-1)) * 1000 * 2
    assert TRAFFIC.at(0.5).empty_polls(20, 1000) == pytest.approx(expected)


def test_competing_consumers_each_poll_in_vain() -> None:
    alone = TRAFFIC.at(1e-9).empty_polls(20, 1000)
    assert alone == pytest.approx(100)  # 1,000 s ÷ 20 s × two subscribers
    assert replace(TRAFFIC.at(1e-9), competing=3).empty_polls(20, 1000) == pytest.approx(300)


def test_sns_publishes_once_and_sends_a_copy_to_each_queue(prices: PriceBook) -> None:
    # 3.6 million publishes at 0.60; 72 million copies, 7.2 million receives and deletes at 0.40
    cost = bill("sns-sqs", prices, replace(TRAFFIC, ordering="none"))
    assert amounts(cost) == [2.16, 28.8, 2.88, 2.88, 0.0]


def test_a_fifo_topic_has_prices_of_payload_and_deliveries(prices: PriceBook) -> None:
    # 3.6 million publishes at 0.30; 36 GB at 0.02; 72 million copies at 0.01; 72 GB at 0.001;
    # then 72 million copies to SQS, 7.2 million receives and deletes at 0.50
    cost = bill("sns-sqs", prices)
    assert amounts(cost) == [1.08, 0.72, 0.72, 0.072, 36.0, 3.6, 3.6, 0.0]
    assert cost.total == pytest.approx(45.792)


def test_a_large_publish_is_requests_of_64_kb_on_a_standard_topic_and_one_on_a_fifo_topic(
    prices: PriceBook,
) -> None:
    # ten of 10,000 bytes are 100,000: two requests, or one and its bytes
    large = replace(TRAFFIC, size_bytes=10_000)
    assert amounts(bill("sns-sqs", prices, replace(large, ordering="none")))[0] == 4.32
    assert amounts(bill("sns-sqs", prices, large))[:2] == [1.08, 7.2]


def test_kinesis_bills_shards_and_every_record_whatever_the_batch(prices: PriceBook) -> None:
    # 2 shards × 100 hours × 0.02; 36 million records of one unit × 0.01
    assert amounts(bill("kinesis", prices)) == [4.0, 0.36]
    alone = replace(TRAFFIC, batch_messages=1)
    assert bill("kinesis", prices, alone).total == pytest.approx(4.36)
    # 30,000 bytes are two units; 100 × 30,000 × 2 subscribers = 6 MB/s, of 2 MiB: 3 shards
    large = replace(TRAFFIC, size_bytes=30_000)
    assert amounts(bill("kinesis", prices, large)) == [6.0, 0.72]


@pytest.mark.parametrize(
    ("rate_per_s", "size_bytes", "subscribers", "count"),
    [
        (100, 100, 1, 2),  # as many as the trials have
        (2500, 100, 1, 3),  # 1,000 records a second
        (3000, 1024, 1, 3),  # 2.93 MiB/s of 1 MiB: 3
        (1000, 1024, 9, 5),  # 0.98 MiB/s to nine is 8.8 MiB/s of 2 MiB: 5
    ],
)
def test_shards_are_those_that_records_bytes_and_readers_need(
    rate_per_s: float, size_bytes: float, subscribers: int, count: int
) -> None:
    had = replace(TRAFFIC, size_bytes=size_bytes, subscribers=subscribers)
    assert shards(had.at(rate_per_s)) == count


def test_three_nodes_are_hours_disks_and_traffic_between_zones(prices: PriceBook) -> None:
    # 3 × 2 vCPU × 100 h × 0.05 = 30; 3 × 8 GB × 100 h × 0.005 = 12; 150 GB × 0.1 = 15.
    # 36 GB: 2/3 come from another zone, 2 × 2/3 go to one, 2 replicas: 4 crossings, both sides
    cost = bill("kafka", prices)
    assert amounts(cost) == [30.0, 12.0, 15.0, round(36 * 4 * 2 * 0.01, 6)]
    assert cost.total == pytest.approx(59.88)


def test_three_nodes_on_ec2_are_hours_of_instances(prices: PriceBook) -> None:
    # 3 × 100 h × 0.1 = 30, then as on Fargate
    pattern = PATTERN.model_copy(update={"nodes": Nodes(count=3, instance="big", storage_gb=50)})
    cost = bill("kafka", prices, pattern=pattern)
    assert amounts(cost) == [30.0, 15.0, 2.88]
    assert cost.terms[0].unit == "hour"


def test_nodes_without_a_price_have_no_total_and_say_what_to_do(prices: PriceBook) -> None:
    pattern = PATTERN.model_copy(update={"nodes": Nodes(count=3, instance="odd", storage_gb=50)})
    cost = bill("kafka", prices, pattern=pattern)
    assert cost.total is None
    assert cost.unpriced == (
        "3 nodes: not priced: test has no price of ec2 instance odd (add it, or run `spikebench "
        "prices refresh`)",
    )


def test_rabbitmq_stands_behind_a_load_balancer(prices: PriceBook) -> None:
    # 100 h × 0.02 = 2; 100 × 1,000 × 3,600 bytes an hour = 0.36 GB, once in and twice out
    quorum = bill("rabbitmq-quorum", prices)
    assert amounts(quorum)[-2:] == [2.0, round(0.36 * 3 * 100 * 0.006, 6)]
    # a classic queue is on one node: no replicas
    classic = bill("rabbitmq-classic", prices)
    assert amounts(classic)[3] == pytest.approx(36 * 2 * 2 * 0.01)


def test_managed_brokers_do_not_pay_for_replicas(prices: PriceBook) -> None:
    # 3 × 100 h × 0.25 = 75; 150 GB × 0.1 = 15; 36 GB × 2 crossings × both sides × 0.01
    assert amounts(bill("kafka on MSK", prices)) == [75.0, 15.0, 1.44]


def test_a_cluster_of_amazon_mq_has_one_price_and_three_disks(prices: PriceBook) -> None:
    # 100 h × 0.8; 3 × 50 GB × 0.1; 36 GB × 2 crossings × both sides × 0.01
    assert amounts(bill("rabbitmq on Amazon MQ", prices)) == [80.0, 15.0, 1.44]


def test_a_broker_without_a_price_has_no_total(prices: PriceBook) -> None:
    managed = PATTERN.managed.model_copy(update={"mq": "mq.odd"})
    cost = bill(
        "rabbitmq on Amazon MQ", prices, pattern=PATTERN.model_copy(update={"managed": managed})
    )
    assert cost.total is None
    assert cost.known == pytest.approx(16.44)


def test_upkeep_is_hours_at_the_patterns_rate(prices: PriceBook) -> None:
    alone, cared_for = bill("kafka", prices), bill("kafka", prices, upkeep=True)
    assert alone.total is not None
    assert cared_for.total == pytest.approx(alone.total + 4 * 50)
    assert cared_for.terms[-1].source == "an assumption of the pattern"


def test_upkeep_without_a_rate_is_not_priced(prices: PriceBook) -> None:
    upkeep = PATTERN.upkeep.model_copy(update={"usd_per_hour": None})
    cost = bill("kafka", prices, pattern=PATTERN.model_copy(update={"upkeep": upkeep}), upkeep=True)
    assert cost.total is None
    assert cost.unpriced == ("upkeep: not priced: the pattern has no upkeep.usd_per_hour",)


def test_a_million_messages_cost_their_part_of_the_month(prices: PriceBook) -> None:
    cost = bill("sqs-standard", prices)
    assert per_million(cost, TRAFFIC, PATTERN).total == pytest.approx(8.64 / 36)


def test_bursts_fill_batch_after_batch() -> None:
    # 1 to 50 messages, ten a call: 1,275 messages in 10 × (1 + 2 + 3 + 4 + 5) = 150 calls
    arrivals = Arrivals(kind="bursts", rate_per_s=200, burst_min=1, burst_max=50)
    assert replace(TRAFFIC, arrivals=arrivals).per_call(10) == pytest.approx(8.5)


def test_a_batch_gathers_what_comes_while_it_lingers() -> None:
    # one that opens it, and of a Poisson number with mean 1 at most one: 1 + (1 - e^-1)
    arrivals = Arrivals(kind="poisson", rate_per_s=1000)
    had = replace(TRAFFIC, arrivals=arrivals, linger_s=0.001, batch_messages=2, rate_per_s=1000)
    assert had.per_call(10) == pytest.approx(2 - exp(-1))
    assert replace(had, linger_s=0.0).per_call(10) == 1
    assert replace(had, batch_messages=100).at(1e7).per_call(10) == pytest.approx(10)


def test_a_batch_holds_no_more_bytes_than_it_may() -> None:
    assert replace(TRAFFIC, batch_bytes=3500).per_call(10) == pytest.approx(10 / 4)


def test_a_receive_returns_no_more_than_may_be_held() -> None:
    assert replace(TRAFFIC, prefetch=4).per_receive(10) == 4


def test_the_teams_pattern_is_read() -> None:
    assert read_pattern(TEAM).rate_per_s == 200


@pytest.mark.parametrize(
    "nodes",
    ["", "instance: t3a.large, vcpu: 2, memory_gb: 8", "vcpu: 2", "instance: t3a.large, vcpu: 2"],
)
def test_nodes_run_on_instances_or_as_tasks(tmp_path: Path, nodes: str) -> None:
    text = TEAM.read_text(encoding="utf-8")
    path = tmp_path / "team.yaml"
    path.write_text(
        text.replace("  instance: t3a.large ", f"  {nodes.replace(', ', chr(10) + '  ')} ")
    )
    with pytest.raises(
        ScenarioError, match=r"nodes\.instance: write instance, a type of EC2, or vcpu"
    ):
        read_pattern(path)


def test_a_key_nobody_knows_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("rate_per_s: 1\nrate: 2\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"odd\.yaml:2: rate"):
        read_pattern(path)
