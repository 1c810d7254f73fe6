"""What a month of messages costs with each candidate, term by term.

Quotas and what is billed: a request to SQS for each 64 KB of a call, an empty receive too, and a
batch of ten as one (Amazon SQS pricing page; Developer Guide, "Amazon SQS batch actions"). SNS:
PublishBatch as one request (Developer Guide, "Amazon SNS message batching"), of 64 KB to a standard
topic; a FIFO topic has prices of what is published and of what is delivered instead (Amazon SNS
pricing page, "FIFO topics"). Each copy that SNS puts into a queue is taken to be a request to SQS.
Kinesis: a unit for each 25 KB of every record,
whatever the batch, and an hour for each shard, of 1,000 records and 1 MiB a second in and 2 MiB out
(Developer Guide, "Quotas and limits"). Brokers: hours of what they run on, disks, traffic between
zones.

Left out: traffic out of the region, logs, metrics, keys, Kafka's and RabbitMQ's monitoring, and
what moving costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

from spikebench.cost import Cost, PriceBook, Term, Usage
from spikes.messaging.pattern import Nodes, Pattern
from spikes.messaging.traffic import MOST_A_CALL, Traffic

MILLION = 1e6
GB = 1e9

SQS_CHUNK = 64 * 1024
KINESIS_UNIT = 25 * 1024
SHARD_RECORDS_PER_S = 1000
SHARD_IN_BYTES_PER_S = 1024 * 1024
SHARD_OUT_BYTES_PER_S = 2 * 1024 * 1024

MOST_ZONES = 3

MQ_BROKERS = 3
"""A cluster of RabbitMQ on Amazon MQ (Developer Guide, "Deployment options for RabbitMQ")."""

Usages = Callable[[Traffic, Pattern], Iterable[Usage]]
Hours = Callable[[Pattern], float]


@dataclass(frozen=True)
class Offer:
    """One way to have what a ``candidate`` does: its monthly usage, and a person's hours with it.

    ``name`` is the candidate's own for what the spike measured.
    """

    name: str
    candidate: str
    usages: Usages
    hours: Hours


def month(offer: Offer, traffic: Traffic, pattern: Pattern, book: PriceBook) -> Cost:
    """Return what a month of ``traffic`` costs, a person's hours with it too."""
    return with_upkeep(bill(offer, traffic, pattern, book), offer, pattern)


def bill(offer: Offer, traffic: Traffic, pattern: Pattern, book: PriceBook) -> Cost:
    """Return what is billed of a month of ``traffic``: no person's hours."""
    return book.cost(offer.usages(traffic, pattern), free_tier=pattern.free_tier)


def with_upkeep(billed: Cost, offer: Offer, pattern: Pattern) -> Cost:
    """Return a month's bill with the hours that a person has with the offer."""
    hours = offer.hours(pattern)
    if not hours:
        return billed
    rate = pattern.upkeep.usd_per_hour
    said = "not priced: the pattern has no upkeep.usd_per_hour"
    source = said if rate is None else "an assumption of the pattern"
    return replace(billed, terms=(*billed.terms, Term("upkeep", hours, "hour", rate, source)))


def per_million(cost_of_month: Cost, traffic: Traffic, pattern: Pattern) -> Cost:
    """Return a month's cost as that of a million messages, in proportion.

    A million messages sent, however many subscribers get them.
    """
    return cost_of_month.times(MILLION / (traffic.rate_per_s * pattern.seconds_per_month))


def sqs(kind: str, traffic: Traffic, pattern: Pattern) -> Iterator[Usage]:
    """A copy sent to each subscriber's queue, received and deleted in batches; vain polls."""
    messages = traffic.rate_per_s * pattern.seconds_per_month
    carried = traffic.per_call(MOST_A_CALL)
    sends = messages / carried * _chunks(carried, traffic) * traffic.subscribers
    yield _requests(f"SendMessageBatch, {_each(carried, traffic.calls.sending)}", kind, sends)
    yield from _consuming(kind, traffic, pattern)


def sns_sqs(traffic: Traffic, pattern: Pattern) -> Iterator[Usage]:
    """A publish for all, a copy into each queue, then as SQS; FIFO where an order is asked for."""
    fifo = traffic.ordering != "none"
    messages = traffic.rate_per_s * pattern.seconds_per_month
    carried = traffic.per_call(MOST_A_CALL)
    chunks = 1 if fifo else _chunks(carried, traffic)
    publishes = messages / carried * chunks / MILLION
    kind, copies = ("fifo" if fifo else "standard"), messages * traffic.subscribers
    what = f"PublishBatch, {_each(carried, traffic.calls.sending)}"
    yield Usage(what, "sns", f"publish {kind}", publishes, "million requests")
    if fifo:
        size = messages * traffic.size_bytes / GB
        yield Usage("payload published", "sns", "payload fifo", size, "GB")
        yield Usage("copies delivered", "sns", "deliveries fifo", copies / MILLION, "million")
        sent = size * traffic.subscribers
        yield Usage("payload delivered", "sns", "payload delivered fifo", sent, "GB")
    yield _requests("copies that SNS sends", kind, copies * _chunks(1, traffic))
    yield from _consuming(kind, traffic, pattern)


def _consuming(kind: str, traffic: Traffic, pattern: Pattern) -> Iterator[Usage]:
    """Receives, deletes and vain polls of all subscribers."""
    messages = traffic.rate_per_s * pattern.seconds_per_month
    got = traffic.per_receive(MOST_A_CALL)
    receives = messages * traffic.subscribers * traffic.deliveries / got
    received = receives * _chunks(got, traffic)
    yield _requests(f"ReceiveMessage, {_each(got, traffic.calls.receiving)}", kind, received)
    yield _requests("DeleteMessageBatch, one a receive", kind, receives)
    every_s, seconds = pattern.polling.every_s, pattern.seconds_per_month
    how = "long" if pattern.polling.wait_s else "short"
    vain = traffic.empty_polls(every_s, seconds)
    what = f"empty receives, {how} polls of {every_s:g} s"
    yield _requests(what, kind, vain if vain >= 1 else 0.0)


def kinesis(traffic: Traffic, pattern: Pattern) -> Iterator[Usage]:
    """Shards all month, and each record's units of 25 KB; batches save nothing."""
    messages = traffic.rate_per_s * pattern.seconds_per_month
    count = shards(traffic)
    yield Usage(f"{count} shards", "kinesis", "shard", count * pattern.hours_per_month, "hour")
    units = messages * ceil(traffic.size_bytes / KINESIS_UNIT) / MILLION
    yield Usage("PUT payload units", "kinesis", "PUT payload unit 25 KB", units, "million units")


def shards(traffic: Traffic) -> int:
    """Return the shards that the traffic needs, and no fewer than the trials had.

    All readers share what a shard gives; a stream that keeps its whole order has one.
    """
    rate, in_bytes = traffic.rate_per_s, traffic.rate_per_s * traffic.size_bytes
    needed = (
        rate / SHARD_RECORDS_PER_S,
        in_bytes / SHARD_IN_BYTES_PER_S,
        in_bytes * traffic.subscribers / SHARD_OUT_BYTES_PER_S,
    )
    return max(1 if traffic.ordering == "queue" else 2, ceil(max(needed)))


def nodes(copies: int, balanced: bool, traffic: Traffic, pattern: Pattern) -> Iterator[Usage]:
    """Brokers of the team's own: hours, disks, traffic between zones, a load balancer.

    ``copies`` is on how many nodes a message is kept, ``balanced`` whether clients may stand behind
    a load balancer.
    """
    had, hours = pattern.nodes, pattern.hours_per_month
    named = f"{had.count} nodes"
    yield from _machines(named, had, hours)
    if had.storage_gb:
        disks = had.count * had.storage_gb
        yield Usage(f"{named}, disks", "ebs", "gp3 storage", disks, "GB-month")
    kept = min(copies, had.count)
    yield from _between_zones(traffic, pattern, had.count, replicas=kept - 1)
    if balanced and had.load_balancer:
        yield Usage("load balancer", "nlb", "load balancer", hours, "hour")
        passed = traffic.rate_per_s * traffic.size_bytes * 3600 * (1 + traffic.subscribers) / GB
        yield Usage("load balancer, capacity", "nlb", "NLCU", passed * hours, "NLCU-hour")


def _machines(named: str, had: Nodes, hours: float) -> Iterator[Usage]:
    """Hours of instances, or of tasks on Fargate by what each has."""
    if had.instance:
        yield Usage(named, "ec2", f"instance {had.instance}", had.count * hours, "hour")
        return
    assert had.vcpu is not None, "a pattern without an instance has tasks"
    assert had.memory_gb is not None, "a pattern without an instance has tasks"
    vcpu, memory = had.count * had.vcpu * hours, had.count * had.memory_gb * hours
    yield Usage(named, "fargate", f"vCPU {had.architecture}", vcpu, "vCPU-hour")
    yield Usage(f"{named}, memory", "fargate", f"GB {had.architecture}", memory, "GB-hour")


def msk(traffic: Traffic, pattern: Pattern) -> Iterator[Usage]:
    """Brokers of Amazon MSK; what they replicate among themselves is not billed (MSK pricing)."""
    had = pattern.managed
    hours = had.brokers * pattern.hours_per_month
    yield Usage(f"{had.brokers} brokers", "msk", f"broker {had.msk}", hours, "hour")
    yield Usage("disks", "msk", "storage", had.brokers * had.storage_gb, "GB-month")
    yield from _between_zones(traffic, pattern, had.brokers, replicas=0)


def amazon_mq(traffic: Traffic, pattern: Pattern) -> Iterator[Usage]:
    """A cluster of RabbitMQ on Amazon MQ, at one price for its brokers; a disk each."""
    had, hours = pattern.managed, pattern.hours_per_month
    yield Usage(f"cluster of {MQ_BROKERS} brokers", "mq", f"cluster {had.mq}", hours, "hour")
    yield Usage("disks", "mq", "storage", MQ_BROKERS * had.storage_gb, "GB-month")
    yield from _between_zones(traffic, pattern, MQ_BROKERS, replicas=0)


def _between_zones(
    traffic: Traffic, pattern: Pattern, brokers: int, replicas: int
) -> Iterator[Usage]:
    """What crosses zones, billed on both sides: clients in any zone, leaders spread over all."""
    zones = min(brokers, MOST_ZONES)
    if zones < 2:
        return
    away = (zones - 1) / zones
    crossings = away + traffic.subscribers * traffic.deliveries * away + replicas
    size = traffic.rate_per_s * pattern.seconds_per_month * traffic.size_bytes / GB
    yield Usage(
        "between zones, in and out", "ec2", "data between zones", 2 * size * crossings, "GB"
    )


def _each(carried: float, factor: float | None) -> str:
    how = "derived" if factor is None else "as counted"
    return f"{carried:.3g} messages a call, {how}"


def _chunks(messages: float, traffic: Traffic) -> int:
    return max(1, ceil(messages * traffic.size_bytes / SQS_CHUNK))


def _requests(what: str, kind: str, count: float) -> Usage:
    return Usage(what, "sqs", f"requests {kind}", count / MILLION, "million requests")


def _node_hours(pattern: Pattern) -> float:
    return pattern.upkeep.nodes_hours


def _managed_hours(pattern: Pattern) -> float:
    return pattern.upkeep.managed_hours


def _service_hours(pattern: Pattern) -> float:
    return pattern.upkeep.service_hours


OFFERS = {
    offer.name: offer
    for offer in (
        Offer("rabbitmq-classic", "rabbitmq-classic", partial(nodes, 1, True), _node_hours),
        Offer("rabbitmq-quorum", "rabbitmq-quorum", partial(nodes, 3, True), _node_hours),
        Offer("rabbitmq-stream", "rabbitmq-stream", partial(nodes, 3, True), _node_hours),
        Offer("rabbitmq on Amazon MQ", "rabbitmq-quorum", amazon_mq, _managed_hours),
        Offer("kafka", "kafka", partial(nodes, 3, False), _node_hours),
        Offer("kafka on MSK", "kafka", msk, _managed_hours),
        Offer("sqs-standard", "sqs-standard", partial(sqs, "standard"), _service_hours),
        Offer("sqs-fifo", "sqs-fifo", partial(sqs, "fifo"), _service_hours),
        Offer("sns-sqs", "sns-sqs", sns_sqs, _service_hours),
        Offer("kinesis", "kinesis", kinesis, _service_hours),
    )
}
"""By name; those that the spike measured have their candidate's."""
