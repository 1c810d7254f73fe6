"""Kafka's producing side: our generator and ProducerPerformance, the same records and settings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from kafka import KafkaConsumer, TopicPartition

from benchmarks.producer_performance import endless
from benchmarks.rates import confirmed_per_s
from benchmarks.ratio import Ratio, Target, middles, ratio_of
from benchmarks.rig import Rig, candidate, topology_of
from benchmarks.turns import EMPTY_S, TURN_S, Client, await_records, by_turns, per_s
from spikebench.load.driver import Wiring
from spikebench.measure.observation import Observation

MOST_ROUNDS = 40
PROBE = 60_000
WINDOW = 32_768
"""As many unconfirmed as ProducerPerformance's buffer of 32 MB holds: neither has another limit."""

STARTED_WITHIN_S = 20.0
MOST_RECORDS = 2_000_000
"""What a generator can be ordered to send at once, within its heap."""

WARMER = 3.0
"""Times the rate of a probe of a young JVM that a warm one may reach."""

NOTE = (
    "records/s that the broker's log has, while a client runs, beside ProducerPerformance: both "
    "alive at once, by turns of {turn:g} s, {turns} each after as many to warm up; no consumer, "
    "same bodies of 1,024 B, acks=all, linger 1 ms, batch 131,072, 1 partition each, both fresh "
    "JVMs with the same flags; ours {ours:,.0f}/s, theirs {theirs:,.0f}/s"
)

KAFKA = candidate("kafka")


def kafka_throughput(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs, in records a second."""
    turns = turns_at(capacity(rig))
    pairs = [_side_by_side(rig, turns) for _ in range(rounds)]
    ours, theirs = middles(pairs)
    note = NOTE.format(
        turn=TURN_S,
        turns=turns,
        ours=ours,
        theirs=theirs,
    )
    target = Target("at least", 1.0)
    return [ratio_of("kafka-throughput", [a / b for a, b in pairs], note, target)]


def turns_at(probed_per_s: float) -> int:
    """How many turns to warm up, and as many to measure, a flood of ours lasts."""
    lasts_s = MOST_RECORDS / (WARMER * probed_per_s)
    return max(1, min(MOST_ROUNDS, int(lasts_s / TURN_S / 2)))


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


def _side_by_side(rig: Rig, turns: int) -> tuple[float, float]:
    """Records a second of ours and of theirs, in fresh processes of both."""
    with _ours(rig, turns) as ours, _theirs(rig) as theirs:
        clients = [ours, theirs]
        await_records(clients, STARTED_WITHIN_S)
        by_turns(clients, turns)
        a, b = by_turns(clients, turns)
    return per_s(a), per_s(b)


@contextmanager
def _ours(rig: Rig, turns: int) -> Iterator[Client]:
    """A flood of our generator that goes on until this ends."""
    wired = producing(rig)
    span_s = STARTED_WITHIN_S + 4 * turns * (TURN_S + 2 * EMPTY_S)
    with (
        rig.generator(KAFKA, "java", wired) as generator,
        ThreadPoolExecutor(1) as pool,
        _log_of(wired) as records,
    ):
        flood = pool.submit(generator.flood, MOST_RECORDS, span_s)
        yield Client(generator.pid, records)
        _require_unended(flood)
        confirmed_per_s(flood.result())


@contextmanager
def _theirs(rig: Rig) -> Iterator[Client]:
    """ProducerPerformance, ended when this ends."""
    wired = producing(rig)
    topology = topology_of(KAFKA)(wired)
    topology.create()
    over = Event()
    started: Future[int] = Future()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="spikebench-bodies-") as folder,
            ThreadPoolExecutor(1) as pool,
            _log_of(wired) as records,
        ):
            bodies = rig.bodies_in(Path(folder))
            tool = pool.submit(endless, rig, wired, bodies, started.set_result, over.is_set)
            try:
                yield Client(started.result(STARTED_WITHIN_S), records)
            finally:
                over.set()
            tool.result()
    finally:
        topology.delete()


@contextmanager
def _log_of(wired: Wiring) -> Iterator[Callable[[], int]]:
    """How many records the broker has of a topic of one partition."""
    consumer = KafkaConsumer(bootstrap_servers=wired.connection["bootstrap"])
    partition = TopicPartition(wired.name, 0)
    try:
        yield lambda: int(consumer.end_offsets([partition])[partition])
    finally:
        consumer.close()


def _require_unended(flood: Future[Observation]) -> None:
    if flood.done():
        raise RuntimeError(
            f"the flood of {MOST_RECORDS:,} records ended before its turns did; raise MOST_RECORDS"
        )
