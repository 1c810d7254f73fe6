"""OpenMessaging Benchmark: where it is, how it is called, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, geometric_mean
from typing import Any

from kafka import KafkaAdminClient

from benchmarks.rig import SIZE_BYTES, Rig
from benchmarks.tool import ARTEFACTS, JavaTool, ToolError, unexpected
from spikebench.load.driver import Wiring
from spikebench.load.jvm import RELEASE
from spikebench.target import ecj
from spikebench.target.maven import class_path

VARIABLE = "SPIKEBENCH_OMB"
COMMIT = "8559989"
"""The commit whose source was read for what is said here of its method."""

HOW_TO_GET = (
    "clone https://github.com/openmessaging/benchmark, check out "
    f"{COMMIT}, and set {VARIABLE} to that folder"
)
LIBRARIES = ARTEFACTS / "open-messaging.lock"
"""What the compiled parts need, Lombok first; the Kafka client is ours."""

MODULES = ("driver-api", "driver-kafka", "benchmark-framework")
REMOTE = "BenchmarkWorker.java"
"""The remote worker's own program, which alone needs libraries more."""

MAIN = "io.openmessaging.benchmark.Benchmark"
WINDOW_S = 10
"""It reports every ten seconds, and measures whole minutes."""

WINDOWS, WARM_UP_WINDOWS = 6, 2
FLOOD_PER_S = 10_000_000
"""What its own ``max-rate`` workloads ask for: more than any client sends."""

HEAP = ("-Xms1g", "-Xmx1g")
"""Its histograms of five digits alone take more than our generator's heap; its own is 4 GB."""

_RESULT, _LOG = "result.json", "benchmark-worker.log"
_GAVE_UP = "Failed to run the workload"
_TOPICS = "test-topic-"


@dataclass(frozen=True)
class Said:
    """What it says of a window, or of several.

    ``p50_ms`` and ``p99_ms`` are of publish latency, from a histogram of microseconds.
    """

    published_per_s: float
    consumed_per_s: float
    p50_ms: float
    p99_ms: float


def summed_up(windows: Sequence[Said]) -> Said:
    """Return the means of the rates, and the geometric means of the quantiles."""
    return Said(
        published_per_s=fmean(each.published_per_s for each in windows),
        consumed_per_s=fmean(each.consumed_per_s for each in windows),
        p50_ms=geometric_mean(each.p50_ms for each in windows),
        p99_ms=geometric_mean(each.p99_ms for each in windows),
    )


def checkout() -> Path | None:
    """Return the checkout that the environment names; None where it names none.

    Raises ToolError where it is no checkout.
    """
    named = os.environ.get(VARIABLE, "")
    if not named:
        return None
    folder = Path(named)
    if missing := [module for module in MODULES if not (folder / module / "src").is_dir()]:
        raise ToolError(f"{VARIABLE}={folder}: has no {missing[0]}; {HOW_TO_GET}")
    return folder


def build(rig: Rig, folder: Path, client: Path, classes: Path) -> tuple[Path, ...]:
    """Compile the local worker and its Kafka driver, unchanged; return the class path.

    Its own build makes every driver first, and cannot: that of BookKeeper needs a parent that is
    not on Maven Central (org.apache.bookkeeper:shaded-parent:4.14.4). ``client`` is the jar of the
    Kafka client, ``classes`` an empty folder. Raises ToolError with the compiler's words.
    """
    jars = [client, *class_path(LIBRARIES, rig.cache, rig.say)]
    lombok, own = jars[1], class_path(ecj.LOCK, rig.cache, rig.say)
    compiler = [str(rig.java_home / "bin" / "java"), f"-javaagent:{lombok}=ECJ"]
    compiler += ["-cp", _joined([*own, lombok]), "org.eclipse.jdt.internal.compiler.batch.Main"]
    options = ["--release", str(RELEASE), "-nowarn", "-proc:none", "-encoding", "UTF-8"]
    command = [*compiler, *options, "-cp", _joined(jars), "-d", str(classes), *_sources(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        words = "\n".join((ended.stderr or ended.stdout).strip().splitlines()[-8:])
        raise ToolError(f"{VARIABLE}={folder}: does not compile; is it {COMMIT}?\n{words}")
    return (classes, folder / "benchmark-framework" / "src" / "main" / "resources", *jars)


def _sources(folder: Path) -> list[str]:
    found = [path for module in MODULES for path in _java_files(folder / module)]
    return [str(path) for path in found if path.name != REMOTE]


def _java_files(module: Path) -> list[Path]:
    return sorted((module / "src" / "main" / "java").rglob("*.java"))


def _joined(paths: Sequence[Path]) -> str:
    return os.pathsep.join(map(str, paths))


def measure(rig: Rig, jars: Sequence[Path], wiring: Wiring, rate_per_s: float) -> Said:
    """Run one producer and one consumer in one process for a minute, on a topic it makes itself.

    ``jars`` is what ``build`` returned; ``FLOOD_PER_S`` is as fast as it can. Raises ToolError
    where it failed, or a record was refused.
    """
    tool = JavaTool(MAIN, class_path=jars, options=HEAP)
    with tempfile.TemporaryDirectory(prefix="spikebench-omb-") as name:
        place = Path(name)
        (place / "driver.yaml").write_text(json.dumps(driver(wiring)))
        (place / "workload.yaml").write_text(json.dumps(workload(rate_per_s)))
        arguments = ["--drivers", "driver.yaml", "--output", _RESULT, "workload.yaml"]
        try:
            printed = tool.run(rig, arguments, folder=place, ended=lambda: _has_ended(place))
        finally:
            _delete_topics(wiring.connection["bootstrap"])
        return read_result(_read(place / _RESULT), printed)


def driver(wiring: Wiring) -> Mapping[str, Any]:
    """Its Kafka driver with the settings of our own client (JSON is YAML)."""
    common = {
        "bootstrap.servers": wiring.connection["bootstrap"],
        # as our own client is set, and why: spikes/messaging/servers/kafka_settings.py
        "send.buffer.bytes": -1,
        "receive.buffer.bytes": -1,
        "metric.reporters": "",
        "enable.metrics.push": "false",
    }
    producer = {"acks": "all", "linger.ms": f"{wiring.linger_ms:g}"}
    producer["batch.size"] = str(wiring.batch_bytes)
    consumer = {"auto.offset.reset": "earliest", "enable.auto.commit": "false"}
    consumer["max.poll.records"] = str(wiring.prefetch)
    return {
        "name": "Kafka",
        "driverClass": "io.openmessaging.benchmark.driver.kafka.KafkaBenchmarkDriver",
        "replicationFactor": 1,
        "topicConfig": "",
        "commonConfig": _properties(common),
        "producerConfig": _properties(producer),
        "consumerConfig": _properties(consumer),
    }


def workload(rate_per_s: float) -> Mapping[str, Any]:
    """One topic of one partition, bodies of half random bytes and keys, as ours are."""
    return {
        "name": "beside spikebench",
        "topics": 1,
        "partitionsPerTopic": 1,
        "keyDistributor": "KEY_ROUND_ROBIN",
        "messageSize": SIZE_BYTES,
        "useRandomizedPayloads": True,
        "randomBytesRatio": 0.5,
        "randomizedPayloadPoolSize": 256,
        "subscriptionsPerTopic": 1,
        "consumerPerSubscription": 1,
        "producersPerTopic": 1,
        "producerRate": round(rate_per_s),
        "consumerBacklogSizeGB": 0,
        "warmupDurationMinutes": 0,
        "testDurationMinutes": 1,
    }


def read_result(result: Mapping[str, Any] | None, printed: str) -> Said:
    """Return what its result says of the windows after the warm-up.

    Raises ToolError with the end of what it ``printed`` where there is none, or where it is not
    that of a whole minute, or where it could not send.
    """
    try:
        if result is None:
            raise KeyError(_RESULT)
        failed = sum(result["publishErrorRate"])
        windows = [Said(*map(float, each)) for each in zip(*_columns(result), strict=True)]
        if len(windows) < WINDOWS:
            raise ValueError(f"{len(windows)} windows are no minute")
        kept = summed_up(windows[WARM_UP_WINDOWS:WINDOWS])
    except (KeyError, TypeError, ValueError) as error:
        raise unexpected("OpenMessaging Benchmark", printed) from error
    if failed:
        raise unexpected("OpenMessaging Benchmark, which could not send all,", printed)
    return kept


def _columns(result: Mapping[str, Any]) -> list[Sequence[float]]:
    names = ("publishRate", "consumeRate", "publishLatency50pct", "publishLatency99pct")
    return [result[name] for name in names]


def _properties(settings: Mapping[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _has_ended(place: Path) -> bool:
    """Whether it has said its last: it leaves a thread behind that keeps its process alive."""
    if _read(place / _RESULT) is not None:
        return True
    with suppress(OSError):
        return _GAVE_UP in (place / _LOG).read_text(errors="replace")
    return False


def _read(path: Path) -> Mapping[str, Any] | None:
    """Its result, once it is whole."""
    with suppress(OSError, ValueError):
        result = json.loads(path.read_text())
        return result if isinstance(result, dict) else None
    return None


def _delete_topics(bootstrap: str) -> None:
    """Delete what it leaves on the broker: gigabytes a run."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        left = [topic for topic in admin.list_topics() if topic.startswith(_TOPICS)]
        if left:
            admin.delete_topics(left)
    finally:
        admin.close()
