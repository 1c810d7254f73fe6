"""kafka-python's own benchmark (``kafka.benchmarks``): how it is called, and what it says."""

from __future__ import annotations

import re
from statistics import fmean

from benchmarks.rig import SIZE_BYTES, Rig
from benchmarks.tool import PythonTool, unexpected
from spikebench.load.driver import Wiring

PRODUCER = PythonTool("kafka.benchmarks.producer_performance")
CONSUMER = PythonTool("kafka.benchmarks.consumer_performance")

_NEVER = "3600"
"""Seconds between its reports of metrics: it would report from a thread of its own."""

_TOOK = re.compile(r"^Execution time: ([\d.]+) secs$", re.MULTILINE)
_PRODUCED = re.compile(r"^(\d+) suceeded, (\d+) failed$", re.MULTILINE)
_CONSUMED = re.compile(r"^Consumed (\d+) records$", re.MULTILINE)


def produce_rate(rig: Rig, wiring: Wiring, records: int) -> float:
    """Send ``records`` of zero bytes; return records a second, the producer's close included.

    It sends no keys: each body is longer by as much as ours have on average, for the client, in
    Python, takes its time for each byte's part in the checksum.
    """
    size = SIZE_BYTES + round(fmean(map(len, rig.bodies.keys)))
    arguments = [*_common(wiring, records), "--record-size", str(size), "--producer-config"]
    arguments += ["acks=all", "enable_idempotence=True", f"linger_ms={wiring.linger_ms:.0f}"]
    arguments += [f"batch_size={wiring.batch_bytes}", "allow_auto_create_topics=False"]
    return read_produced(PRODUCER.run(rig, arguments))


def consume_rate(rig: Rig, wiring: Wiring, group: str, records: int) -> float:
    """Consume ``records`` of the topic; return records a second, joining the group included."""
    arguments = [*_common(wiring, records), "--consumer-config", f"group_id={group}"]
    arguments += [f"max_poll_records={wiring.prefetch}", "allow_auto_create_topics=False"]
    return read_consumed(CONSUMER.run(rig, arguments), records)


def read_produced(printed: str) -> float:
    """Return records a second; ToolError where one failed or it printed no result."""
    took, told = _TOOK.search(printed), _PRODUCED.search(printed)
    if took is None or told is None or int(told[2]):
        raise unexpected(PRODUCER.module, printed)
    return int(told[1]) / float(took[1])


def read_consumed(printed: str, records: int) -> float:
    """Return records a second; ToolError where it got too few or printed no result."""
    took, told = _TOOK.search(printed), _CONSUMED.search(printed)
    if took is None or told is None or int(told[1]) < records:
        raise unexpected(CONSUMER.module, printed)
    return int(told[1]) / float(took[1])


def _common(wiring: Wiring, records: int) -> list[str]:
    to = ["--bootstrap-servers", wiring.connection["bootstrap"], "--topic", wiring.name]
    return [*to, "--num-records", str(records), "--stats-interval", _NEVER]
