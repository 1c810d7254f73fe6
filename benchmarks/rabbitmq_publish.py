"""RabbitMQ's publish latency at a fixed rate below capacity: our generator and PerfTest."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean

from benchmarks.perftest import after, seconds
from benchmarks.rabbitmq_queues import SETTINGS, SingleQueue, over_amqp, wiring
from benchmarks.rates import confirm_quantile_us, received_per_s
from benchmarks.ratio import Ratio, Target, alternate, middles, ratio_of
from benchmarks.rig import Rig

SHARES = (0.3, 0.6)
WARM_UP_S = 2
MEASURED_S = 4
SPAN_S = WARM_UP_S + MEASURED_S
SPACING_S = 0.001
"""PerfTest's rate limiter sleeps no shorter on Java 17, and then sends what has come due."""

WITHIN = Target("within", 0.1)
NOTE = (
    "publish latency {quantile} at {rate:,.0f} msg/s ({share:.0%} of capacity), beside PerfTest: "
    "{settings}; what falls due in 1 ms sent together, clock started after the confirm window on "
    "both sides; ours {ours:.2f} ms, of every message; theirs {theirs:.2f} ms, of up to 1,028 "
    "samples a second"
)

RABBIT = over_amqp("classic")
Latencies = tuple[float, float]
"""p50 and p99 in microseconds."""


def rabbitmq_publish_latency(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs for p50 and p99 at each share of capacity; below 1 is faster."""
    full = _capacity(rig)
    return [row for share in SHARES for row in _at_share(rig, rounds, share, full * share)]


def _at_share(rig: Rig, rounds: int, share: float, rate: float) -> list[Ratio]:
    pairs = list(alternate(rounds, lambda: _ours(rig, rate), lambda: _theirs(rig, rate)))
    named = enumerate(("p50", "p99"))
    return [_row(name, [(a[i], b[i]) for a, b in pairs], share, rate) for i, name in named]


def _row(quantile: str, pairs: Sequence[tuple[float, float]], share: float, rate: float) -> Ratio:
    ours, theirs = middles(pairs)
    note = NOTE.format(
        quantile=quantile,
        rate=rate,
        share=share,
        settings=SETTINGS,
        ours=ours / 1e3,
        theirs=theirs / 1e3,
    )
    name = f"rabbitmq-classic-publish-{quantile}-at-{share * 100:.0f}"
    return ratio_of(name, [a / b for a, b in pairs], note, WITHIN)


def _capacity(rig: Rig) -> float:
    """Messages a second that a flood of ours brings through."""
    with rig.generator(RABBIT, "java", wiring(rig, RABBIT), SingleQueue) as generator:
        seen = generator.flood(100_000 * SPAN_S, SPAN_S)
    return received_per_s(seen, WARM_UP_S, SPAN_S)


def _ours(rig: Rig, rate: float) -> Latencies:
    with rig.generator(RABBIT, "java", wiring(rig, RABBIT), SingleQueue) as generator:
        seen = generator.in_bursts(rate, SPAN_S, SPACING_S)
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
