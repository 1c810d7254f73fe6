"""Synthetic trial records: shaped like a real run, made of a seed, and evidence of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from spikebench.candidate import Candidate, Capabilities, Client, Fidelity
from spikebench.record import Ledger, Metric, Record, Resources
from spikebench.scenario.messages import (
    Analysis,
    Arrivals,
    MessageScenario,
    Promise,
    Requires,
    Timing,
)

SPEED: Mapping[str, tuple[float, Fidelity]] = {
    "rabbitmq-classic": (4.0, "software"),
    "rabbitmq-quorum": (6.0, "software"),
    "rabbitmq-stream": (5.0, "software"),
    "kafka": (3.0, "software"),
    "sqs-standard": (40.0, "emulator"),
    "sqs-fifo": (45.0, "emulator"),
    "sns-sqs": (60.0, "emulator"),
    "kinesis": (200.0, "emulator"),
    "null": (0.02, "software"),
}
"""Typical end-to-end latency of a synthetic candidate in ms, and its fidelity."""

MACHINE = {"cpu": "Synthetic", "cores": 2, "fingerprint": "0f0f0f0f0f0f"}


def scenario(name: str = "change-data", **changes: object) -> MessageScenario:
    values: dict[str, object] = {
        "scenario": name,
        "title": "Row changes",
        "question": "Which one?",
        "experiment": "latency",
        "promise": Promise(ordering="key"),
        "arrivals": Arrivals(rate_per_s=200),
        "timing": Timing(measure_s=2),
        "requires": Requires(
            rate_per_s=200, end_to_end_p99_ms=100, lost=0, ordering="key", headroom=3
        ),
        "analysis": Analysis(metric="end_to_end_p50", delta=0.2, baseline="rabbitmq-quorum"),
    }
    return MessageScenario.model_validate(values | changes)


def candidates() -> list[Candidate]:
    return [
        Candidate(
            name=name,
            capabilities=Capabilities(ordering="none" if name == "sqs-standard" else "key"),
            clients=(Client("java", "java", "x.Y", "x"),),
        )
        for name in SPEED
    ]


def record(
    candidate: str = "kafka",
    block: int = 0,
    values: Mapping[str, float | None] | None = None,
    **changes: object,
) -> Record:
    """One valid trial whose metrics are ``values`` (end_to_end_p50 of 5 ms when not given)."""
    given = {"end_to_end_p50": 5.0} if values is None else values
    base: dict[str, object] = {
        "schema": 1,
        "run_id": "20260101-000000",
        "spike": "messaging",
        "scenario": "change-data",
        "candidate": candidate,
        "client": "java",
        "target": "local",
        "fidelity": SPEED.get(candidate, (1.0, "software"))[1],
        "params": {},
        "block": block,
        "trial": block,
        "seed": 1,
        "started_at": "2026-01-01T00:00:00+00:00",
        "duration_s": 3.0,
        "status": "valid",
        "limit": "target",
        "metrics": {name: metric(name, value) for name, value in given.items()},
        "ledger": ledger(),
        "environment": MACHINE,
    }
    whole = base | changes
    parts = [
        whole[name]
        for name in ("scenario", "candidate", "client", "target", "params", "arm")
        if name in whole
    ]
    return Record.model_validate({"cell": "-".join(map(str, parts))} | whole)


def metric(name: str, value: float | None) -> Metric:
    if name in ("throughput", "capacity"):
        return Metric(value=value, unit="msg/s", better="higher")
    if name == "headroom":
        return Metric(value=value, unit="ratio", better="higher", n=1, note="from one search")
    if name == "headroom_failed":
        return Metric(value=value, unit="ratio", n=1)
    if name == "throughput_bytes":
        return Metric(value=value, unit="MB/s", better="higher")
    unit = "s" if name.endswith(("_s", "million")) else "ms"
    return Metric(value=value, unit=unit, better="lower", note="" if value else "100 samples")


def ledger(lost: int = 0, duplicated: int = 0, reordered: int = 0, failed: int = 0) -> Ledger:
    return Ledger(
        sent=440 + failed,
        confirmed=440,
        failed=failed,
        expected=1320,
        delivered=1320 - lost,
        lost=lost,
        duplicated=duplicated,
        reordered=reordered,
    )


def run(blocks: int = 6, spread: float = 0.04, **changes: object) -> Iterator[Record]:
    """A whole run: every candidate in every block, the baseline once more as the A/A arm."""
    rng = np.random.default_rng(7)
    for block in range(blocks):
        for name in SPEED:
            yield record(name, block, typical(name, rng, spread), **_resources(name), **changes)
        arm = typical("rabbitmq-quorum", rng, spread)
        yield record("rabbitmq-quorum", block, arm, arm="A/A", **changes)


def typical(name: str, rng: np.random.Generator, spread: float) -> dict[str, float | None]:
    latency = SPEED[name][0]
    values = {
        "throughput": 200.0,
        "throughput_bytes": 0.2,
        "headroom": 100.0 / latency**0.5,
        "publish_p50": latency * 0.4,
        "publish_p95": latency * 0.9,
        "publish_p99": latency * 1.4,
        "end_to_end_p50": latency,
        "end_to_end_p95": latency * 2.4,
        "end_to_end_p99": latency * 4,
        "lateness_p99": 0.2,
        "broker_cpu_per_million": 40.0 + latency,
        "client_cpu_per_million": 9.0,
    }
    noisy = {
        n: v if v is None else v * float(np.exp(rng.normal(0, spread))) for n, v in values.items()
    }
    steady = {
        "throughput": 199.6,
        "headroom": values["headroom"],
        "publish_p999": None,
        "end_to_end_p999": None,
    }
    return {**noisy, **steady}


def _resources(name: str) -> dict[str, object]:
    if name == "null":
        return {}
    return {
        "resources": Resources(
            candidate_cpu_s=0.1, client_cpu_s=0.02, peak_rss=210_000_000, startup_s=6.5
        ),
        "versions": {"broker": f"{name} 1.0", "harness": "0.1.0"},
    }
