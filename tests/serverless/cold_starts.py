"""Synthetic records of cold starts: shaped like a run, made of a seed, and evidence of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.record import Metric, Record
from spikebench.report.layout import as_recorded, untold
from spikes.serverless import layout as serverless
from spikes.serverless.scenario import Analysis, ColdStart, Requires

STARTS: Mapping[tuple[str, str], tuple[float, float, float]] = {
    ("java-17", "baseline"): (45.0, 110.0, 35.0),
    ("java-17", "c1"): (44.0, 100.0, 28.0),
    ("java-17", "appcds"): (40.0, 60.0, 25.0),
    ("java-21", "baseline"): (40.0, 100.0, 30.0),
    ("java-21", "c1"): (40.0, 90.0, 24.0),
    ("java-21", "appcds"): (36.0, 50.0, 20.0),
    ("java-21", "snapshot"): (30.0, 12.0, 8.0),
    ("python", "baseline"): (18.0, 40.0, 2.0),
    ("rust", "baseline"): (1.5, 2.0, 0.5),
}
"""Milliseconds of each phase at 1,769 MB."""

CLIENTS = {"java-17": "java", "java-21": "java", "python": "awslambdaric", "rust": "lambda_runtime"}
LAYOUT = replace(serverless.LAYOUT, complete=as_recorded, tell=untold)
"""The spike's own, with nothing beside the records: no prices, no published figures."""

MACHINE = {"cpu": "Synthetic", "cores": 2, "fingerprint": "0f0f0f0f0f0f"}
SOURCE = (
    "Cold starts of AWS Lambda as published by maxday/lambda-perf (daily files 2026-07-23 to "
    "2026-08-22; us-east-1; hello-world handlers)."
)


def scenario(**changes: object) -> ColdStart:
    values: dict[str, object] = {
        "scenario": "hello",
        "title": "A handler that answers a constant",
        "question": "What does the runtime alone cost?",
        "handler": "hello",
        "requires": Requires(cold_start_ms=150),
        "analysis": Analysis(baseline="java-21", baseline_params={"lever": "baseline"}),
    }
    return ColdStart.model_validate(values | changes)


def candidates() -> list[Candidate]:
    return [
        Candidate(name, Capabilities(ordering="none"), (Client(client, "java", "x.Y", "x"),))
        for name, client in CLIENTS.items()
    ]


def record(
    candidate: str = "java-21",
    lever: str = "baseline",
    block: int = 0,
    values: Mapping[str, float | None] | None = None,
    **changes: object,
) -> Record:
    """One valid trial; its metrics are ``values``, else the phases of ``STARTS`` without noise."""
    had = phases(candidate, lever, 1769, 1.0) if values is None else values
    base: dict[str, object] = {
        "schema": 1,
        "run_id": "20260101-000000",
        "spike": "serverless",
        "scenario": "hello",
        "candidate": candidate,
        "client": CLIENTS.get(candidate, "java"),
        "target": "local",
        "fidelity": "software",
        "params": {"lever": lever},
        "block": block,
        "trial": block,
        "seed": 1,
        "started_at": "2026-01-01T00:00:00+00:00",
        "duration_s": 1.0,
        "status": "valid",
        "metrics": {name: metric(name, value) for name, value in had.items()},
        "environment": MACHINE,
        "workload": f"workload-{lever}",
        "versions": {"runtime": f"{candidate} 1.0"},
    }
    whole = base | changes
    parts = ("scenario", "candidate", "client", "target", "fidelity", "params", "arm")
    cell = "-".join(str(whole[name]) for name in parts if name in whole)
    return Record.model_validate({"cell": cell} | whole)


def metric(name: str, value: float | None) -> Metric:
    units = {"peak_memory": "MB", "package_size": "MB", "cpu_cold": "s", "classes_loaded": "count"}
    counted = name == "invokes_until_warm"
    unit = "count" if counted else units.get(name, "ms")
    return Metric(value=value, unit=unit, better="lower", note="" if value else "not seen")


def phases(candidate: str, lever: str, memory_mb: float, noise: float) -> dict[str, float | None]:
    slower = noise * max(1.0, 1769 / memory_mb)
    up, init, first = (part * slower for part in STARTS[candidate, lever])
    return {
        "runtime_up": up,
        "init": init,
        "first_invoke": first,
        "cold_start": up + init + first,
        "warm_p50": first / 20,
        "warm_p99": first / 4,
        "invokes_until_warm": 12.0,
        "peak_memory": 80.0,
        "cpu_cold": (up + init + first) / 1000,
        "package_size": 1.2,
    }


def run(
    blocks: int = 6,
    sizes: Sequence[int] = (),
    page_caches: Sequence[str] = (),
    spread: float = 0.02,
    scale: float = 1.0,
    **changes: object,
) -> Iterator[Record]:
    """A whole run; ``sizes`` and ``page_caches`` are swept where they are given."""
    rng = np.random.default_rng(7)
    for block in range(blocks):
        for memory_mb in sizes or (1769,):
            for page_cache in page_caches or ("warm",):
                for candidate, lever in STARTS:
                    slow = scale * (2.5 if page_cache == "dropped" else 1.0)
                    noise = slow * float(np.exp(rng.normal(0, spread)))
                    params: dict[str, str | int] = {"lever": lever}
                    params |= {"memory_mb": memory_mb} if sizes else {}
                    params |= {"page_cache": page_cache} if page_caches else {}
                    values = phases(candidate, lever, memory_mb, noise)
                    yield record(candidate, lever, block, values, **{"params": params} | changes)


def published(candidate: str = "java-21", memory_mb: int = 1024, ms: float = 420.0) -> Record:
    """What somebody else measured: one value, no machine of ours, its source among versions."""
    return record(
        candidate,
        "baseline",
        0,
        {"init": ms * 0.9, "first_invoke": ms * 0.1, "cold_start": ms},
        target="published",
        client="published",
        fidelity="published",
        params={"lever": "baseline", "memory_mb": memory_mb},
        environment={},
        versions={"source": SOURCE},
        workload="",
    )
