"""Kafka's publish latency at a fixed rate below capacity: our generator and ProducerPerformance."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean

from benchmarks.kafka_throughput import KAFKA, capacity, producing
from benchmarks.producer_performance import steady
from benchmarks.rates import confirm_ms, picked, whole_ms
from benchmarks.ratio import Ratio, Target, alternate, ratio_of, withheld
from benchmarks.rig import Rig, topology_of

SHARES = (0.3, 0.6)
WARM_UP_S, MEASURED_S = 4, 4
OVERRUN_S = 5.0
"""ProducerPerformance has no end but its last record."""

SPACING_S = 0.003
"""ProducerPerformance's throttle waits for 2 ms and some, which Java rounds up to 3."""

WITHIN = Target("within", 0.1)
NOTE = (
    "publish latency {what} at {rate:,.0f} records/s ({share:.0%} of capacity), beside "
    "ProducerPerformance: 1,024 B, acks=all, linger 1 ms, batch 131,072, 1 partition, what falls "
    "due in 3 ms sent together, both fresh JVMs with the same flags and warm-up; ours {ours:.2f} "
    "ms, theirs {theirs:.2f} ms; {counted}"
)
MEAN = "theirs is a mean of differences of a clock of whole ms, which leaves a mean as it is"
WHOLE = (
    "both are differences of a clock of whole ms, for theirs has no other "
    "(ours to the microsecond: {exact:.3f} ms)"
)
UNCOUNTABLE = (
    "at {rate:,.0f} records/s ({share:.0%} of capacity) the {what} is below 1 ms: a clock of whole "
    "ms, which is all that ProducerPerformance has, saw 0 in {zeros} of {all} rounds, and 0 has no "
    "ratio; ours to the microsecond: {exact:.3f} ms"
)


@dataclass(frozen=True)
class Said:
    """Latencies of one trial in ms, by a clock of whole ms, and to the microsecond where ours."""

    mean: float
    p50: float
    p99: float
    exact_p50: float = 0.0
    exact_p99: float = 0.0


Pairs = Sequence[tuple[Said, ...]]


def kafka_publish_latency(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs for mean, p50 and p99 at each share of capacity; below 1 is faster."""
    full = capacity(rig)
    return [row for share in SHARES for row in _at_share(rig, rounds, share, full * share)]


def _at_share(rig: Rig, rounds: int, share: float, rate: float) -> list[Ratio]:
    with tempfile.TemporaryDirectory(prefix="spikebench-bodies-") as folder:
        bodies = rig.bodies_in(Path(folder))
        pairs = list(
            alternate(rounds, lambda: _ours(rig, rate), lambda: _theirs(rig, bodies, rate))
        )
    return [row_of(what, pairs, share, rate) for what in ("mean", "p50", "p99")]


def countable(pairs: Pairs, what: str) -> bool:
    """Whether a clock of whole milliseconds saw anything: zero has no ratio."""
    return all(getattr(said, what) > 0 for pair in pairs for said in pair)


def row_of(what: str, pairs: Pairs, share: float, rate: float) -> Ratio:
    """The ratio of one figure, or a row that says why there is none."""
    name = f"kafka-publish-{what}-at-{share * 100:.0f}"
    if not countable(pairs, what):
        return withheld(name, _uncountable(what, pairs, share, rate))
    ours, theirs = ([getattr(pair[side], what) for pair in pairs] for side in (0, 1))
    note = NOTE.format(
        what=what,
        rate=rate,
        share=share,
        ours=geometric_mean(ours),
        theirs=geometric_mean(theirs),
        counted=MEAN if what == "mean" else WHOLE.format(exact=_exact(what, pairs)),
    )
    return ratio_of(name, [a / b for a, b in zip(ours, theirs, strict=True)], note, WITHIN)


def _uncountable(what: str, pairs: Pairs, share: float, rate: float) -> str:
    zeros = sum(not countable([pair], what) for pair in pairs)
    exact = _exact(what, pairs)
    return UNCOUNTABLE.format(
        what=what, rate=rate, share=share, zeros=zeros, all=len(pairs), exact=exact
    )


def _exact(what: str, pairs: Pairs) -> float:
    return geometric_mean(getattr(ours, f"exact_{what}") for ours, _ in pairs)


def _ours(rig: Rig, rate: float) -> Said:
    with rig.generator(KAFKA, "java", producing(rig)) as generator:
        seen = generator.in_bursts(rate, WARM_UP_S + MEASURED_S, SPACING_S, OVERRUN_S)
    warm_up = round(rate * WARM_UP_S)
    exact = confirm_ms(seen, warm_up)
    p50, p99 = (picked(whole_ms(seen, warm_up), q) for q in (0.5, 0.99))
    return Said(float(exact.mean()), p50, p99, picked(exact, 0.5), picked(exact, 0.99))


def _theirs(rig: Rig, bodies: Path, rate: float) -> Said:
    wiring = producing(rig)
    topology = topology_of(KAFKA)(wiring)
    topology.create()
    warm_up, measured = round(rate * WARM_UP_S), round(rate * MEASURED_S)
    try:
        said = steady(rig, wiring, bodies, warm_up, measured, rate)
    finally:
        topology.delete()
    return Said(said.mean_ms, said.p50_ms, said.p99_ms)
