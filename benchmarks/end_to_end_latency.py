"""Kafka's own ``EndToEndLatency``: how it is called, and what it says."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig import SIZE_BYTES, Rig
from benchmarks.tool import ARTEFACTS, JavaTool, unexpected
from spikebench.load.driver import Wiring

TOOL = JavaTool(
    "org.apache.kafka.tools.EndToEndLatency",
    (ARTEFACTS / "kafka-tools.lock", ARTEFACTS / "kafka-server.lock"),
)
# as our own client is set, and why: spikes/messaging/servers/kafka_settings.py
SETTINGS = "send.buffer.bytes=-1\nreceive.buffer.bytes=-1\n"

_MEAN = re.compile(r"^Avg latency: ([\d.]+) ms$", re.MULTILINE)
_QUANTILES = re.compile(r"^Percentiles: 50th = (\d+), 99th = (\d+), ", re.MULTILINE)


@dataclass(frozen=True)
class EndToEnd:
    """What it says of all its records, in ms; the quantiles are cut off to whole ones."""

    mean_ms: float
    p50_ms: int
    p99_ms: int


def end_to_end(rig: Rig, wiring: Wiring, records: int) -> EndToEnd:
    """Send ``records``, each when the one before has been acknowledged and received."""
    arguments = ["--bootstrap-server", wiring.connection["bootstrap"], "--topic", wiring.name]
    arguments += ["--num-records", str(records), "--producer-acks", "all"]
    arguments += ["--record-size", str(SIZE_BYTES)]
    with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
        Path(file.name).write_text(SETTINGS)
        return read_end_to_end(TOOL.run(rig, [*arguments, "--command-config", file.name]))


def read_end_to_end(printed: str) -> EndToEnd:
    """Return what it printed at its end; ToolError where that is missing."""
    mean, quantiles = _MEAN.search(printed), _QUANTILES.search(printed)
    if mean is None or quantiles is None:
        raise unexpected("EndToEndLatency", printed)
    return EndToEnd(float(mean[1]), int(quantiles[1]), int(quantiles[2]))
