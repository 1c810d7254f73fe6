"""Publish latency at a fixed rate below capacity: our generator and PerfTest."""

from __future__ import annotations

from statistics import geometric_mean

from benchmarks.perftest import after, seconds
from benchmarks.rabbitmq_queues import SETTINGS, SingleQueue, over_amqp, wiring
from benchmarks.rates import confirm_quantile_us, received_per_s
from benchmarks.ratio import Ratio, alternate, ratio_of
from benchmarks.rig import Rig

SHARE_OF_CAPACITY = 0.3
WARM_UP_S = 2
MEASURED_S = 2
SPAN_S = WARM_UP_S + MEASURED_S
NOTE = (
    "publish latency {quantile} at {rate:,.0f} msg/s ({share:.0%} of capacity), beside PerfTest: "
    "{settings}; ours {ours:.2f} ms, every message of each second, evenly spaced; theirs "
    "{theirs:.2f} ms, a reservoir of 1,028 samples, timed after its confirm window; methods and "
    "spacing differ, no target"
)

RABBIT = over_amqp("classic")
Latencies = tuple[float, float]
"""p50 and p99 in microseconds."""


def publish_latency(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs for p50 and p99; below 1 is faster."""
    rate = SHARE_OF_CAPACITY * _capacity(rig)
    pairs = list(alternate(rounds, lambda: _ours(rig, rate), lambda: _theirs(rig, rate)))
    return [_row(name, index, pairs, rate) for index, name in enumerate(("p50", "p99"))]


def _row(quantile: str, index: int, pairs: list[tuple[Latencies, ...]], rate: float) -> Ratio:
    ours, theirs = ([pair[side][index] for pair in pairs] for side in (0, 1))
    note = NOTE.format(
        quantile=quantile,
        rate=rate,
        share=SHARE_OF_CAPACITY,
        settings=SETTINGS,
        ours=geometric_mean(ours) / 1e3,
        theirs=geometric_mean(theirs) / 1e3,
    )
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return ratio_of(f"rabbitmq-classic-publish-{quantile}", ratios, note)


def _capacity(rig: Rig) -> float:
    """Messages a second that a flood of ours brings through."""
    with rig.generator(RABBIT, "java", wiring(rig, RABBIT), SingleQueue) as generator:
        seen = generator.flood(100_000 * SPAN_S, SPAN_S)
    return received_per_s(seen, WARM_UP_S, SPAN_S)


def _ours(rig: Rig, rate: float) -> Latencies:
    with rig.generator(RABBIT, "java", wiring(rig, RABBIT), SingleQueue) as generator:
        seen = generator.evenly(rate, SPAN_S)
    p50, p99 = (confirm_quantile_us(seen, q, WARM_UP_S, SPAN_S) for q in (0.5, 0.99))
    return p50, p99


def _theirs(rig: Rig, rate: float) -> Latencies:
    wired = wiring(rig, RABBIT)
    topology = SingleQueue(wired)
    topology.create()
    try:
        lines = after(WARM_UP_S, seconds(rig, wired, SPAN_S, rate))
    finally:
        topology.delete()
    return (
        geometric_mean(line.confirm_p50_us for line in lines),
        geometric_mean(line.confirm_p99_us for line in lines),
    )
