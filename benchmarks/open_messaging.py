"""Kafka with a producer and a consumer: our generator and OpenMessaging Benchmark."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import geometric_mean

import numpy as np

from benchmarks.kafka_throughput import KAFKA, WINDOW
from benchmarks.open_messaging_benchmark import (
    FLOOD_PER_S,
    HOW_TO_GET,
    VARIABLE,
    WARM_UP_WINDOWS,
    WINDOW_S,
    WINDOWS,
    Said,
    build,
    checkout,
    measure,
    summed_up,
)
from benchmarks.rates import confirm_ms, confirmed_per_s
from benchmarks.ratio import Ratio, Target, alternate, ratio_of
from benchmarks.rig import Rig
from spikebench.load.driver import Wiring
from spikebench.measure.observation import Observation

PREFIX = "open-messaging-kafka"
PREFETCH = 500
RECORDS = 900_000
"""A segment of a flood; a generator's heap has room for a million."""

EVEN_PER_S = 4_000
"""The highest rate at which our loop, too, sends each record when it is due."""

SHARE = 0.3
ENOUGH = 0.99
"""A round counts where both sides reached this share of the rate asked for."""

OVERRUN_S = 5.0

AT_LEAST, WITHIN = Target("at least", 1.0), Target("within", 0.1)
SETTINGS = (
    "beside OpenMessaging Benchmark ({version}): 1,024 B, half random, keyed, acks=all, linger 1 "
    "ms, batch 131,072, 1 topic, 1 partition, 1 producer, 1 consumer in the same process that "
    "commits each poll of up to 500, both fresh JVMs with the same flags and kafka-clients, theirs "
    "with a heap of 1 GiB; windows of 10 s, the first two of six left out"
)
FLOOD = (
    "records/s {what} while the producer sends as fast as it can, {settings}; ours in floods of "
    "{records:,} one after another, while its window is full, every record accounted for; ours "
    "{ours:,.0f}/s, theirs {theirs:,.0f}/s"
)
LATENCY = (
    "publish latency {what} at {rate:,.0f} records/s, {spacing}, {settings}; ours {ours:.3f} ms, "
    "theirs {theirs:.3f} ms"
)
VOID = "; {void} of {rounds} rounds void, one side under 99 % of that rate"
EACH = "each record sent when it is due"
TICKS = (
    "{share:.0%} of what a flood of ours had just published; ours sends what falls due in 1 ms "
    "together, theirs each record when it is due"
)

Pairs = Sequence[tuple[Said, ...]]


@dataclass(frozen=True)
class Beside:
    """The tool that stands beside ours, built, and what both were set to."""

    rig: Rig
    jars: Sequence[Path]
    settings: str

    def theirs(self, rate_per_s: float) -> Said:
        """A minute of the tool."""
        return measure(self.rig, self.jars, wiring(self.rig), rate_per_s)


def open_messaging_throughput(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs: what is published and consumed in a flood.

    No rows where ``SPIKEBENCH_OMB`` names no checkout, which is said; nor has the other.
    """
    return _with_tool(rig, lambda beside: _throughput(beside, rounds))


def open_messaging_latency(rig: Rig, rounds: int) -> list[Ratio]:
    """Ours over theirs: publish latency at a low rate, and at a share of what ours can publish."""
    return _with_tool(rig, lambda beside: _latencies(beside, rounds))


def _with_tool(rig: Rig, rows: Callable[[Beside], Iterator[Ratio]]) -> list[Ratio]:
    folder = checkout()
    if folder is None:
        rig.say(f"not run: {VARIABLE} is not set; to run it, {HOW_TO_GET}")
        return []
    with tempfile.TemporaryDirectory(prefix="spikebench-omb-") as classes:
        jars = build(rig, folder, kafka_client(rig), Path(classes))
        settings = SETTINGS.format(version=version(folder))
        return list(rows(Beside(rig, jars, settings)))


def wiring(rig: Rig) -> Wiring:
    """A wiring with the settings of both."""
    return rig.wiring(
        KAFKA,
        confirm_window=WINDOW,
        linger_ms=1.0,
        batch_bytes=131_072,
        prefetch=PREFETCH,
        ack_batch=1,
        options={"partitions": "1"},
    )


def kafka_client(rig: Rig) -> Path:
    """The jar of the client that our generator uses."""
    jars = rig.runtime(KAFKA, "java").class_path
    return next(jar for jar in jars if jar.name.startswith("kafka-clients-"))


def version(folder: Path) -> str:
    """The commit of a checkout, which an archive does not tell."""
    command = ["git", "-C", str(folder), "rev-parse", "--short=7", "HEAD"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "commit unknown"
    return f"commit {ended.stdout.strip()}" if ended.returncode == 0 else "commit unknown"


def _throughput(beside: Beside, rounds: int) -> Iterator[Ratio]:
    rig = beside.rig
    pairs = list(alternate(rounds, lambda: _flood(rig), lambda: beside.theirs(FLOOD_PER_S)))
    for what in ("published", "consumed"):
        ours, theirs = ([getattr(pair[side], f"{what}_per_s") for pair in pairs] for side in (0, 1))
        note = FLOOD.format(
            what=what,
            settings=beside.settings,
            records=RECORDS,
            ours=geometric_mean(ours),
            theirs=geometric_mean(theirs),
        )
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        yield ratio_of(f"{PREFIX}-{what}", ratios, note, AT_LEAST)


def _latencies(beside: Beside, rounds: int) -> Iterator[Ratio]:
    yield from _latency(beside, rounds, EVEN_PER_S, f"at-{EVEN_PER_S}", EACH)
    rate = SHARE * _flood(beside.rig).published_per_s
    yield from _latency(beside, rounds, rate, f"at-{SHARE * 100:.0f}", TICKS.format(share=SHARE))


def _latency(beside: Beside, rounds: int, rate: float, where: str, spacing: str) -> Iterator[Ratio]:
    asked = alternate(rounds, lambda: _even(beside.rig, rate), lambda: beside.theirs(rate))
    pairs = on_rate(list(asked), rate)
    if not pairs:
        beside.rig.say(
            f"no round had both at {rate:,.0f} records/s, and so no row: is other work on?"
        )
        return
    void = VOID.format(void=rounds - len(pairs), rounds=rounds) if len(pairs) < rounds else ""
    for what in ("p50", "p99"):
        ours, theirs = ([getattr(pair[side], f"{what}_ms") for pair in pairs] for side in (0, 1))
        note = LATENCY.format(
            what=what,
            rate=rate,
            spacing=spacing,
            settings=beside.settings,
            ours=geometric_mean(ours),
            theirs=geometric_mean(theirs),
        )
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        yield ratio_of(f"{PREFIX}-publish-{what}-{where}", ratios, note + void, WITHIN)


def on_rate(pairs: Pairs, rate_per_s: float) -> Pairs:
    """Return the pairs that count: both sides reached the rate asked for."""
    return [p for p in pairs if min(said.published_per_s for said in p) >= ENOUGH * rate_per_s]


def _flood(rig: Rig) -> Said:
    """As long as theirs, and with as long a warm-up; records wait for nothing but the window."""
    began, floods = time.monotonic(), list[Said]()
    with rig.generator(KAFKA, "java", wiring(rig)) as generator:
        while (elapsed_s := time.monotonic() - began) < WINDOW_S * WINDOWS:
            flood = said_of_flood(generator.flood(RECORDS))
            floods += [flood] if elapsed_s >= WINDOW_S * WARM_UP_WINDOWS else []
    return summed_up(floods)


def _even(rig: Rig, rate_per_s: float) -> Said:
    with rig.generator(KAFKA, "java", wiring(rig)) as generator:
        windows = [said(generator.evenly(rate_per_s, WINDOW_S, OVERRUN_S)) for _ in range(WINDOWS)]
    return summed_up(windows[WARM_UP_WINDOWS:])


def said(seen: Observation) -> Said:
    """Return what the tool would say of one window.

    Raises RuntimeError where a record was not confirmed or not received.
    """
    latency_ms = confirm_ms(seen, 0)
    p50, p99 = (float(np.quantile(latency_ms, q)) for q in (0.5, 0.99))
    return Said(confirmed_per_s(seen), consumed_meanwhile_per_s(seen), p50, p99)


def said_of_flood(seen: Observation, window: int = WINDOW) -> Said:
    """Return what the tool would say of a window in the middle of a flood.

    That is the time in which the confirm window is full: from the first send that had to wait for
    it to the last send. Ours fills and drains once a flood, which the tool's one long flood does
    outside of its windows. Raises RuntimeError where a record was not confirmed or not received.
    """
    whole = said(seen)
    from_ns, until_ns = int(seen.sent_ns[window]), int(seen.sent_ns[-1])
    published, consumed = (
        int(((at_ns >= from_ns) & (at_ns < until_ns)).sum()) / ((until_ns - from_ns) / 1e9)
        for at_ns in (seen.confirmed_ns, seen.first_received_ns(0))
    )
    return replace(whole, published_per_s=published, consumed_per_s=consumed)


def consumed_meanwhile_per_s(seen: Observation) -> float:
    """Records a second that were received from the first send to the last confirm."""
    received_ns = seen.first_received_ns(0)
    if missing := int((received_ns == 0).sum()):
        raise RuntimeError(f"{missing} of {len(received_ns)} records were not received")
    first_ns, last_ns = int(seen.sent_ns[0]), int(seen.confirmed_ns.max())
    return int((received_ns <= last_ns).sum()) / ((last_ns - first_ns) / 1e9)
