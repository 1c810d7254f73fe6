"""Kafka, one record at a time: our generator at ping-pong, and EndToEndLatency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.end_to_end_latency import EndToEnd, end_to_end
from benchmarks.ratio import Ratio, alternate, middles, ratio_of
from benchmarks.rig import Rig, candidate, through, topology_of
from spikebench.load.driver import Wiring

RECORDS = 5_000
AT_MOST_S = 60.0
NOTE = (
    "{what} of send to acknowledged and received, one record at a time, beside EndToEndLatency: "
    "{records:,} records of 1,024 B, acks=all, linger 0, 1 partition, both fresh JVMs with the "
    "same flags, no warm-up; ours {ours:.3f} ms, its fetch waits at the broker for the record; "
    "theirs {theirs:.3f} ms, it fetches once the record is acknowledged{counted}; methods differ,"
    " no target"
)
WHOLE = ", and cuts each latency off to whole ms, of which the middle is taken on both sides"

PING_PONG = through(candidate("kafka"), "java", "benchmarks.PingPong")


def kafka_end_to_end(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs: the mean, and p50 and p99 as far as whole milliseconds tell."""
    pairs = list(alternate(rounds, lambda: _ours(rig), lambda: _theirs(rig)))
    means = [(ours.mean_ms, theirs.mean_ms) for ours, theirs in pairs]
    p50, p99 = ([(_middle(a, q), _middle(b, q)) for a, b in pairs] for q in ("p50_ms", "p99_ms"))
    return [
        _row("mean", means, ""),
        _row("p50", p50, WHOLE),
        _row("p99", p99, WHOLE),
    ]


def _middle(said: EndToEnd, quantile: str) -> float:
    """The middle of the whole millisecond that a quantile was cut off to."""
    return float(getattr(said, quantile)) + 0.5


def _row(what: str, pairs: Sequence[tuple[float, float]], counted: str) -> Ratio:
    ours, theirs = middles(pairs)
    note = NOTE.format(what=what, records=RECORDS, ours=ours, theirs=theirs, counted=counted)
    return ratio_of(f"kafka-end-to-end-{what}", [a / b for a, b in pairs], note)


def _ours(rig: Rig) -> EndToEnd:
    """What EndToEndLatency would say of ours: it sorts, cuts off and picks as done here."""
    with rig.generator(PING_PONG, "java", _wiring(rig)) as generator:
        seen = generator.flood(RECORDS, AT_MOST_S)
    if not seen.confirmed.all():
        raise RuntimeError(f"{int((~seen.confirmed).sum())} of {RECORDS} records did not return")
    latency_ms = np.sort(seen.confirmed_ns - seen.sent_ns) / 1e6
    p50, p99 = (int(latency_ms[int(RECORDS * q)]) for q in (0.5, 0.99))
    return EndToEnd(float(latency_ms.mean()), p50, p99)


def _theirs(rig: Rig) -> EndToEnd:
    wiring = _wiring(rig)
    topology = topology_of(PING_PONG)(wiring)
    topology.create()
    try:
        return end_to_end(rig, wiring, RECORDS)
    finally:
        topology.delete()


def _wiring(rig: Rig) -> Wiring:
    return rig.wiring(PING_PONG, confirm_window=1, options={"partitions": "1"})
