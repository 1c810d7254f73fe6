"""Kafka's own ``ProducerPerformance``: how it is called, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig import Rig
from benchmarks.tool import ARTEFACTS, JavaTool, unexpected
from spikebench.load.driver import Wiring

TOOL = JavaTool(
    "org.apache.kafka.tools.ProducerPerformance",
    (ARTEFACTS / "kafka-tools.lock", ARTEFACTS / "kafka-server.lock"),
)

WITHOUT_END = 1_000_000_000
"""Records that nobody waits for."""

_STEADY = re.compile(
    r"^\d+ steady state records sent, (?P<rate>[\d.]+) records/sec .*?, (?P<mean>[\d.]+) ms avg "
    r"latency, [\d.]+ ms max latency, (?P<p50>\d+) ms 50th, \d+ ms 95th, (?P<p99>\d+) ms 99th",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Steady:
    """What it says of the records after its warm-up.

    Latencies are differences of a clock of whole milliseconds, so that a mean is right and a
    quantile is a whole number of them.
    """

    per_s: float
    mean_ms: float
    p50_ms: int
    p99_ms: int


def steady(
    rig: Rig,
    wiring: Wiring,
    bodies: Path,
    warm_up: int,
    measured: int,
    rate_per_s: float = -1,
    started: Callable[[int], None] | None = None,
) -> Steady:
    """Send ``warm_up`` records, then ``measured`` more; return what it says of the latter.

    ``bodies`` is a file of one body a line; ``rate_per_s`` -1 is as fast as it can. The rate it
    says runs until the last acknowledgement. ``started`` is told the process.
    """
    arguments = ["--num-records", str(warm_up + measured), "--warmup-records", str(warm_up)]
    arguments += ["--throughput", f"{rate_per_s:g}", *_settings(wiring, bodies)]
    return read_steady(TOOL.run(rig, arguments, started=started))


def endless(
    rig: Rig,
    wiring: Wiring,
    bodies: Path,
    started: Callable[[int], None],
    over: Callable[[], bool],
) -> None:
    """Send as fast as it can until it is ``over``; ``started`` is told the process."""
    arguments = ["--num-records", str(WITHOUT_END), "--throughput", "-1"]
    TOOL.run(rig, [*arguments, *_settings(wiring, bodies)], started=started, ended=over)


def _settings(wiring: Wiring, bodies: Path) -> list[str]:
    arguments = ["--bootstrap-server", wiring.connection["bootstrap"], "--topic", wiring.name]
    arguments += ["--payload-file", str(bodies)]
    arguments += ["--command-property", "acks=all", f"linger.ms={wiring.linger_ms:g}"]
    arguments += [f"batch.size={wiring.batch_bytes}"]
    # as our own client is set, and why: spikes/messaging/servers/kafka_settings.py
    return [*arguments, "send.buffer.bytes=-1", "receive.buffer.bytes=-1"]


def read_steady(printed: str) -> Steady:
    """Return what it printed of its steady state; ToolError where it printed nothing of it."""
    if (found := _STEADY.search(printed)) is None:
        raise unexpected("ProducerPerformance", printed)
    return Steady(float(found["rate"]), float(found["mean"]), int(found["p50"]), int(found["p99"]))
