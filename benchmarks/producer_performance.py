"""Kafka's own ``ProducerPerformance``: how it is called, and what it says."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.rig import Rig
from benchmarks.tool import ARTEFACTS, JavaTool, unexpected
from spikebench.load.driver import Wiring

TOOL = JavaTool(
    "org.apache.kafka.tools.ProducerPerformance",
    (ARTEFACTS / "kafka-tools.lock", ARTEFACTS / "kafka-server.lock"),
)

_STEADY = re.compile(r"^\d+ steady state records sent, ([\d.]+) records/sec", re.MULTILINE)


def steady_rate(rig: Rig, wiring: Wiring, bodies: Path, warm_up: int, measured: int) -> float:
    """Send ``warm_up`` records, then ``measured`` more; return the latter's records a second.

    ``bodies`` is a file of one body a line. The rate runs until the last acknowledgement.
    """
    arguments = ["--bootstrap-server", wiring.connection["bootstrap"], "--topic", wiring.name]
    arguments += ["--num-records", str(warm_up + measured), "--warmup-records", str(warm_up)]
    arguments += ["--throughput", "-1", "--payload-file", str(bodies), "--command-property"]
    arguments += ["acks=all", f"linger.ms={wiring.linger_ms:g}", f"batch.size={wiring.batch_bytes}"]
    # as our own client is set, and why: spikes/messaging/servers/kafka_settings.py
    arguments += ["send.buffer.bytes=-1", "receive.buffer.bytes=-1"]
    return read_steady_rate(TOOL.run(rig, arguments))


def read_steady_rate(printed: str) -> float:
    """Return records a second after the warm-up; ToolError where it printed none."""
    if (found := _STEADY.search(printed)) is None:
        raise unexpected("ProducerPerformance", printed)
    return float(found[1])
