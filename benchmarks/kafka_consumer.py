"""Kafka's consuming side: ours and ConsumerPerformance, one after the other on the same topic."""

from __future__ import annotations

from itertools import count
from statistics import geometric_mean

from benchmarks.consumer import check_account, consume
from benchmarks.consumer_performance import consume_rate
from benchmarks.ratio import Ratio, Target, alternate, ratio_of
from benchmarks.rig import Rig, candidate
from spikebench.load.driver import Wiring

RECORDS, WARM_UP = 2_000_000, 1_200_000
FILL_S = 60.0
PREFETCH = 500
NOTE = (
    "records/s after the first {warm_up:,}, beside ConsumerPerformance: the same topic of "
    "{records:,} records of 1,024 B, 1 partition, a new group each time, max.poll.records 500, "
    "fetches of 1 MiB, checksums left unchecked, both fresh JVMs with the same flags; every record "
    "of ours accounted for; ours {ours:,.0f}/s, theirs {theirs:,.0f}/s"
)

KAFKA = candidate("kafka")


def kafka_consumer_throughput(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs, in records a second."""
    wiring, readers = consuming(rig, PREFETCH, RECORDS), count()

    with rig.generator(KAFKA, "java", wiring) as generator:
        filled = generator.flood(RECORDS, FILL_S)

        def ours() -> float:
            got = consume(rig, KAFKA, "java", wiring, next(readers), RECORDS)
            check_account(filled, got)
            return got.per_s(WARM_UP)

        def theirs() -> float:
            group = f"{wiring.name}.theirs.{next(readers)}"
            return consume_rate(rig, wiring, group, WARM_UP, RECORDS)

        pairs = list(alternate(rounds, ours, theirs))
    note = NOTE.format(
        warm_up=WARM_UP,
        records=RECORDS,
        ours=geometric_mean(ours for ours, _ in pairs),
        theirs=geometric_mean(theirs for _, theirs in pairs),
    )
    ratios = [a / b for a, b in pairs]
    return [ratio_of("kafka-consumer-throughput", ratios, note, Target("at least", 1.0))]


def consuming(rig: Rig, prefetch: int, records: int) -> Wiring:
    """A wiring to fill a topic with ``records``, and to read it with a group a time."""
    return rig.wiring(
        KAFKA,
        subscribers=0,
        confirm_window=32_768,
        linger_ms=1.0,
        prefetch=prefetch,
        ack_batch=2 * records,  # the tools commit every 5 s, which is once at the most
        options={"partitions": "1", "check_crcs": "false"},  # as ConsumerPerformance has them
    )
