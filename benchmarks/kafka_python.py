"""The client kafka-python: driven by our Python loop, and by kafka-python's own benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from benchmarks.consumer import check_account, consume
from benchmarks.kafka_consumer import PREFETCH, consuming
from benchmarks.kafka_python_benchmark import consume_rate, produce_rate
from benchmarks.kafka_throughput import KAFKA, producing
from benchmarks.rates import confirmed_per_s
from benchmarks.ratio import Ratio, Target, alternate, middles, ratio_of
from benchmarks.rig import Rig, topology_of

CLIENT = "kafka-python"
PRODUCED, CONSUMED = 40_000, 80_000
AT_LEAST = Target("at least", 1.0)
PRODUCER = (
    "records/s from the first send to the last acknowledgement, {records:,} records of 1,024 B, "
    "beside kafka.benchmarks.producer_performance: acks=all, idempotent, linger 1 ms, batch "
    "131,072, 1 partition, fresh processes; ours makes, stamps, keys and accounts for each "
    "record, theirs sends one and the same, longer by a key; neither has a window that holds it "
    "back; ours {ours:,.0f}/s, theirs {theirs:,.0f}/s"
)
CONSUMER = (
    "records/s over {records:,} records of 1,024 B, beside kafka.benchmarks.consumer_performance:"
    " the same topic, 1 partition, a new group each time, max_poll_records 500, fresh processes; "
    "ours by poll(), every record accounted for, from having the partition on; theirs by "
    "iterating, from joining the group on; ours {ours:,.0f}/s, theirs {theirs:,.0f}/s"
)

Pairs = Sequence[tuple[float, ...]]


def kafka_python(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs in records a second, producing and consuming."""
    produced = list(alternate(rounds, lambda: _our_producer(rig), lambda: _their_producer(rig)))
    return [
        _row("kafka-python-producer-throughput", produced, PRODUCER, PRODUCED),
        _row("kafka-python-consumer-throughput", _consumed(rig, rounds), CONSUMER, CONSUMED),
    ]


def _row(name: str, pairs: Pairs, note: str, records: int) -> Ratio:
    ours, theirs = middles(pairs)
    told = note.format(records=records, ours=ours, theirs=theirs)
    return ratio_of(name, [a / b for a, b in pairs], told, AT_LEAST)


def _our_producer(rig: Rig) -> float:
    with rig.generator(KAFKA, CLIENT, producing(rig, PRODUCED)) as generator:
        return confirmed_per_s(generator.flood(PRODUCED))


def _their_producer(rig: Rig) -> float:
    wiring = producing(rig, PRODUCED)
    topology = topology_of(KAFKA)(wiring)
    topology.create()
    try:
        return produce_rate(rig, wiring, PRODUCED)
    finally:
        topology.delete()


def _consumed(rig: Rig, rounds: int) -> Pairs:
    wiring, readers = consuming(rig, PREFETCH, CONSUMED), count()
    with rig.generator(KAFKA, "java", wiring) as generator:
        filled = generator.flood(CONSUMED)

        def ours() -> float:
            got = consume(rig, KAFKA, CLIENT, wiring, next(readers), CONSUMED)
            check_account(filled, got)
            return got.per_s()

        def theirs() -> float:
            return consume_rate(rig, wiring, f"{wiring.name}.theirs.{next(readers)}", CONSUMED)

        return list(alternate(rounds, ours, theirs))
