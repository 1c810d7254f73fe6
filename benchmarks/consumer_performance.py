"""Kafka's own ``ConsumerPerformance``: how it is called, and what it says."""

from __future__ import annotations

import re
from datetime import datetime

from benchmarks.rig import Rig
from benchmarks.tool import ARTEFACTS, JavaTool, unexpected
from spikebench.load.driver import Wiring

TOOL = JavaTool(
    "org.apache.kafka.tools.ConsumerPerformance",
    (ARTEFACTS / "kafka-tools.lock", ARTEFACTS / "kafka-server.lock"),
)
REPORT_EVERY_MS = 50

_SO_FAR = re.compile(
    # time, threadId, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, ...
    r"^(?P<time>\d+-\d+-\d+ \d+:\d+:\d+:\d+), \d+, [\d.]+, [\d.]+, (?P<count>\d+), ",
    re.MULTILINE,
)
_TIME = "%Y-%m-%d %H:%M:%S:%f"
_GAVE_UP = "WARNING: Exiting before consuming"


def consume_rate(rig: Rig, wiring: Wiring, group: str, warm_up: int, records: int) -> float:
    """Consume ``records`` of the topic; return records a second after the first ``warm_up``."""
    arguments = ["--bootstrap-server", wiring.connection["bootstrap"], "--topic", wiring.name]
    arguments += ["--group", group, "--num-records", str(records), "--hide-header"]
    arguments += ["--show-detailed-stats", "--reporting-interval", str(REPORT_EVERY_MS)]
    # as our own client is set: the system's buffers, and as many records a poll
    arguments += ["--socket-buffer-size", "-1", "--command-property"]
    arguments += ["send.buffer.bytes=-1", f"max.poll.records={wiring.prefetch}"]
    return read_rate(TOOL.run(rig, arguments), warm_up)


def read_rate(printed: str, warm_up: int) -> float:
    """Return records a second between the first report after the warm-up and the last one.

    ToolError where there are no two such reports, or it gave up before the end.
    """
    found = [(_time_s(each["time"]), int(each["count"])) for each in _SO_FAR.finditer(printed)]
    warm = [(at_s, count) for at_s, count in found if count >= warm_up]
    if _GAVE_UP in printed or len(warm) < 2:
        raise unexpected("ConsumerPerformance", printed)
    (began_s, before), (ended_s, after) = warm[0], warm[-1]
    return (after - before) / (ended_s - began_s)


def _time_s(text: str) -> float:
    return datetime.strptime(text, _TIME).timestamp()
