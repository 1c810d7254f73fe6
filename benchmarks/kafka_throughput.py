"""Kafka's producing side: our generator and ProducerPerformance, the same records and settings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import geometric_mean

from benchmarks.producer_performance import steady
from benchmarks.rates import confirmed_per_s
from benchmarks.ratio import Ratio, Target, alternate, ratio_of
from benchmarks.rig import Rig, candidate, topology_of
from spikebench.load.driver import Wiring

MEASURED_S = 3.0
PROBE = 60_000
WINDOW = 32_768
"""As many unconfirmed as ProducerPerformance's buffer of 32 MB holds: neither has another limit."""

MOST_RECORDS = 1_000_000
NOTE = (
    "records/s from the first send after the warm-up to the last acknowledgement, no consumer, "
    "beside ProducerPerformance: same bodies of 1,024 B, acks=all, linger 1 ms, batch 131,072, 1 "
    "partition, both fresh JVMs with the same flags and warm-up; ours {ours:,.0f}/s, theirs "
    "{theirs:,.0f}/s"
)

KAFKA = candidate("kafka")


def kafka_throughput(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs, in records a second."""
    records = min(MOST_RECORDS, round(capacity(rig) * MEASURED_S))
    with tempfile.TemporaryDirectory(prefix="spikebench-bodies-") as folder:
        bodies = rig.bodies_in(Path(folder))
        pairs = list(
            alternate(rounds, lambda: _ours(rig, records), lambda: _theirs(rig, bodies, records))
        )
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    note = NOTE.format(ours=geometric_mean(ours), theirs=geometric_mean(theirs))
    target = Target("at least", 1.0)
    return [ratio_of("kafka-throughput", [a / b for a, b in pairs], note, target)]


def capacity(rig: Rig) -> float:
    """Records a second of our own generator, warm."""
    with rig.generator(KAFKA, "java", producing(rig)) as generator:
        return [confirmed_per_s(generator.flood(PROBE)) for _ in range(3)][-1]


def producing(rig: Rig, window: int = WINDOW) -> Wiring:
    """A wiring with the settings of every side-by-side run that produces only."""
    return rig.wiring(
        KAFKA,
        subscribers=0,
        confirm_window=window,
        linger_ms=1.0,
        batch_bytes=131_072,
        options={"partitions": "1"},
    )


def _ours(rig: Rig, records: int) -> float:
    with rig.generator(KAFKA, "java", producing(rig)) as generator:
        return confirmed_per_s(generator.flood(2 * records), warm_up=records)


def _theirs(rig: Rig, bodies: Path, records: int) -> float:
    wiring = producing(rig)
    topology = topology_of(KAFKA)(wiring)
    topology.create()
    try:
        return steady(rig, wiring, bodies, warm_up=records, measured=records).per_s
    finally:
        topology.delete()
