"""CPU of a whole client process at a fixed rate: our generator and the vendor's own tool."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from benchmarks.cpu_clock import process_cpu_s
from benchmarks.kafka_publish import SPACING_S as KAFKA_SPACING_S
from benchmarks.kafka_throughput import KAFKA, producing
from benchmarks.perftest import after, seconds
from benchmarks.producer_performance import steady
from benchmarks.rabbitmq_publish import SPACING_S as RABBIT_SPACING_S
from benchmarks.rabbitmq_queues import SETTINGS, SingleQueue, over_amqp, wiring
from benchmarks.rates import require_held
from benchmarks.ratio import Ratio, alternate, middles, ratio_of
from benchmarks.rig import Generator, Rig, topology_of

RATE_PER_S = 5_000
WARM_UP_S, MEASURED_S = 8, 8
SPAN_S = WARM_UP_S + MEASURED_S
CLOSING_S = 2
"""A tool runs on for as long after what is measured, so that its end is not measured with it."""

STARTED_WITHIN_S = 30.0
HELD_BY_A_TOOL = 0.95
"""Of the rate it is asked for: a throttle that sleeps whole milliseconds falls short by 1 %."""

RABBIT = over_amqp("classic")
NOTE = (
    "CPU of the whole client process, JVM and all, a message at {rate:,} msg/s, the last "
    "{measured} s of {span}, beside {tool}; what falls due in {spacing:.0f} ms sent together on "
    "both sides; ours to the end of its account, {ours:.1f} µs, theirs {theirs:.1f} µs"
)
PERFTEST = f"PerfTest: {SETTINGS}"
PRODUCER = (
    "ProducerPerformance: no consumer, 1,024 B, acks=all, linger 1 ms, batch 131,072, 1 partition, "
    "both fresh JVMs with the same flags"
)

T = TypeVar("T")
Pairs = Sequence[tuple[float, ...]]


def client_cpu(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs, in CPU time a message; below 1, ours takes less."""
    rabbit = list(alternate(rounds, lambda: _our_rabbit(rig), lambda: _perftest(rig)))
    kafka = list(alternate(rounds, lambda: _our_kafka(rig), lambda: _producer_performance(rig)))
    return [
        _row("client-cpu-rabbitmq-classic", rabbit, PERFTEST, RABBIT_SPACING_S),
        _row("client-cpu-kafka", kafka, PRODUCER, KAFKA_SPACING_S),
    ]


def _row(name: str, pairs: Pairs, tool: str, spacing_s: float) -> Ratio:
    ours, theirs = middles(pairs)
    note = NOTE.format(
        rate=RATE_PER_S,
        measured=MEASURED_S,
        span=SPAN_S,
        tool=tool,
        spacing=spacing_s * 1e3,
        ours=ours,
        theirs=theirs,
    )
    return ratio_of(name, [a / b for a, b in pairs], note)


def _our_rabbit(rig: Rig) -> float:
    with rig.generator(RABBIT, "java", wiring(rig, RABBIT), SingleQueue) as generator:
        return _warm(generator, RABBIT_SPACING_S)


def _our_kafka(rig: Rig) -> float:
    with rig.generator(KAFKA, "java", producing(rig)) as generator:
        return _warm(generator, KAFKA_SPACING_S)


def _warm(generator: Generator, every_s: float) -> float:
    """CPU µs a message of a segment, from handing out its schedule to the harvest."""
    generator.in_bursts(RATE_PER_S, WARM_UP_S, every_s)
    before = process_cpu_s(generator.pid)
    seen = generator.in_bursts(RATE_PER_S, MEASURED_S, every_s)
    used_s = process_cpu_s(generator.pid) - before
    require_held(seen, RATE_PER_S)
    return used_s * 1e6 / int(seen.confirmed.sum())


def _perftest(rig: Rig) -> float:
    wired = wiring(rig, RABBIT)
    topology = SingleQueue(wired)
    topology.create()
    try:
        lines, used_s = watched(
            lambda started: seconds(rig, wired, SPAN_S + CLOSING_S, RATE_PER_S, started)
        )
    finally:
        topology.delete()
    per_s = fmean(line.received_per_s for line in after(WARM_UP_S, lines))
    return _us_a_message(used_s, per_s)


def _producer_performance(rig: Rig) -> float:
    wired = producing(rig)
    topology = topology_of(KAFKA)(wired)
    topology.create()
    warm_up, measured = WARM_UP_S * RATE_PER_S, (MEASURED_S + CLOSING_S) * RATE_PER_S
    try:
        with tempfile.TemporaryDirectory(prefix="spikebench-bodies-") as folder:
            bodies = rig.bodies_in(Path(folder))
            said, used_s = watched(
                lambda started: steady(rig, wired, bodies, warm_up, measured, RATE_PER_S, started)
            )
    finally:
        topology.delete()
    return _us_a_message(used_s, said.per_s)


def watched(run: Callable[[Callable[[int], None]], T]) -> tuple[T, float]:
    """What ``run`` returns, and the CPU seconds of the process it tells of once it is started."""
    with ThreadPoolExecutor(1) as pool:
        started: Future[int] = Future()
        used_s = pool.submit(measured_cpu_s, started)
        said = run(started.set_result)
    return said, used_s.result()


def measured_cpu_s(started: Future[int]) -> float:
    """CPU seconds of what is measured, of a process that will be started and tell its number.

    Raises OSError where it ends before that is over, TimeoutError where it is not started.
    """
    pid = started.result(STARTED_WITHIN_S)
    time.sleep(WARM_UP_S)
    before = process_cpu_s(pid)
    time.sleep(MEASURED_S)
    return process_cpu_s(pid) - before


def _us_a_message(cpu_s: float, per_s: float) -> float:
    if per_s < HELD_BY_A_TOOL * RATE_PER_S:
        raise RuntimeError(f"the tool came to {per_s:,.0f} of {RATE_PER_S:,} msg/s")
    return cpu_s / MEASURED_S / per_s * 1e6
