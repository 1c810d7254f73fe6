"""RabbitMQ's own PerfTest: how it is called, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from benchmarks.rig import SIZE_BYTES, Rig
from benchmarks.tool import ARTEFACTS, JavaTool, unexpected
from spikebench.load.driver import Wiring
from spikebench.target.software import Connection

TOOL = JavaTool("com.rabbitmq.perf.PerfTest", (ARTEFACTS / "vendor-tools.lock",))

_INTERVAL = re.compile(
    r"time (?P<time>[\d.]+) s, sent: \d+ msg/s,.* received: (?P<received>\d+) msg/s,"
    r".* confirm latency: \d+/(?P<p50>\d+)/\d+/\d+/(?P<p99>\d+) µs"
)


@dataclass(frozen=True)
class Second:
    """One line of PerfTest, about one second; ``at_s`` is when it ended, from the start.

    The confirm latencies are in microseconds, from a reservoir of 1,028 samples.
    """

    at_s: float
    received_per_s: float
    confirm_p50_us: float
    confirm_p99_us: float


def seconds(
    rig: Rig,
    wiring: Wiring,
    duration_s: int,
    rate_per_s: float | None = None,
    started: Callable[[int], None] | None = None,
) -> list[Second]:
    """Run one producer and one consumer on the queue ``<name>.0`` and return each second.

    ``rate_per_s`` None is as fast as the confirm window lets it; ``started`` is told the process.
    """
    queue = f"{wiring.name}.0"
    arguments = ["--predeclared", "--exchange", "", "--routing-key", queue, "--queue", queue]
    arguments += ["--producers", "1", "--consumers", "1", "--size", str(SIZE_BYTES)]
    arguments += ["--flag", "persistent", "--confirm", str(wiring.confirm_window)]
    arguments += ["--qos", str(wiring.prefetch), "--time", str(duration_s), "--interval", "1"]
    if rate_per_s is not None:
        arguments += ["--rate", str(round(rate_per_s))]
    environ = {"URI": _uri(wiring.connection)}
    return read_seconds(TOOL.run(rig, arguments, environ, started=started))


def read_seconds(printed: str) -> list[Second]:
    """Return every second that was printed; ToolError where there is none."""
    found = [_second(match) for match in _INTERVAL.finditer(printed)]
    if not found:
        raise unexpected("PerfTest", printed)
    return found


def after(warm_up_s: float, lines: Sequence[Second]) -> list[Second]:
    """Return the seconds that began once the warm-up was over; ToolError where none did."""
    # A line comes about 1 s after the one before it, give or take some milliseconds.
    kept = [line for line in lines if line.at_s > warm_up_s + 0.5]
    if not kept:
        raise unexpected("PerfTest", f"{len(lines)} seconds, none after a warm-up of {warm_up_s} s")
    return kept


def _second(match: re.Match[str]) -> Second:
    time, *others = match.group("time", "received", "p50", "p99")
    return Second(float(time), *map(float, others))


def _uri(connection: Connection) -> str:
    user, password = quote(connection["user"], safe=""), quote(connection["password"], safe="")
    vhost = quote(connection.get("vhost", "/"), safe="")
    return f"amqp://{user}:{password}@{connection['host']}:{connection['port']}/{vhost}"
