"""RabbitMQ's three kinds of queue: our generator and PerfTest, the same queue and settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

from benchmarks.perftest import after, seconds
from benchmarks.rabbitmq_queues import SETTINGS, SingleQueue, over_amqp, wiring
from benchmarks.rates import received_per_s
from benchmarks.ratio import Ratio, Target, alternate, middles, ratio_of
from benchmarks.rig import Rig, candidate
from spikebench.candidate import Candidate
from spikebench.load.driver import Topology, Wiring

WARM_UP_S = 2
MEASURED_S = 3
MOST_PER_S = 250_000
AT_LEAST = Target("at least", 1.0)

NOTE = "msg/s received, beside PerfTest: {settings}; ours {ours:,.0f}/s, theirs {theirs:,.0f}/s"
NATIVE = (
    "1,024 B, window 100, 1 producer, 1 consumer; our stream client on a stream of its own, "
    "PerfTest over AMQP: different protocols, no target"
)


def queue_throughput(kind: str, rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over PerfTest's messages a second, both over AMQP."""
    rabbit = over_amqp(kind)
    ours, theirs = partial(_ours, rig, rabbit, SingleQueue), partial(_theirs, rig, rabbit)
    pairs = list(alternate(rounds, ours, theirs))
    return [_row(f"rabbitmq-{kind}-throughput", pairs, SETTINGS, AT_LEAST)]


def stream_throughput(rig: Rig, rounds: int) -> list[Ratio]:
    """As the other kinds, with another row for the client that the harness drives streams by."""
    stream = over_amqp("stream")
    amqp, theirs = partial(_ours, rig, stream, SingleQueue), partial(_theirs, rig, stream)
    native = partial(_ours, rig, candidate("rabbitmq-stream"), None)
    found = list(alternate(rounds, amqp, theirs, native))
    plain, other = [(a, b) for a, b, _ in found], [(c, b) for _, b, c in found]
    return [
        _row("rabbitmq-stream-throughput", plain, SETTINGS, AT_LEAST),
        _row("rabbitmq-stream-native-throughput", other, NATIVE, None),
    ]


def _ours(rig: Rig, rabbit: Candidate, topology: Callable[[Wiring], Topology] | None) -> float:
    span_s = WARM_UP_S + MEASURED_S
    with rig.generator(rabbit, "java", wiring(rig, rabbit), topology) as generator:
        seen = generator.flood(MOST_PER_S * span_s, span_s)
    if seen.sent.all():
        raise RuntimeError(f"over {MOST_PER_S} msg/s: the flood ended early; raise MOST_PER_S")
    return received_per_s(seen, WARM_UP_S, span_s)


def _theirs(rig: Rig, rabbit: Candidate) -> float:
    wired = wiring(rig, rabbit)
    topology = SingleQueue(wired)
    topology.create()
    try:
        lines = seconds(rig, wired, WARM_UP_S + MEASURED_S)
    finally:
        topology.delete()
    return fmean(line.received_per_s for line in after(WARM_UP_S, lines))


def _row(
    name: str, pairs: Sequence[tuple[float, ...]], settings: str, target: Target | None
) -> Ratio:
    ours, theirs = middles(pairs)
    note = NOTE.format(settings=settings, ours=ours, theirs=theirs)
    return ratio_of(name, [a / b for a, b in pairs], note, target)
