"""Runs of ten thousand trials, shaped like full runs: made of a seed, and evidence of nothing.

They have the scenarios, candidates, clients and swept values of the messaging spike, the metrics
of a real trial, and what makes real records slow to judge: rates that are the same in most trials,
CPU seconds in ticks of the kernel's clock, and one trial in thirty that is void.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from spikebench.candidate import Candidate, Fidelity
from spikebench.measure.environment import environment
from spikebench.measure.outcome import Better
from spikebench.record import Ledger, Metric, Record, Resources
from spikebench.record.model import SCHEMA
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.read import read_scenarios
from spikebench.scenario.variant import Variant, variants
from spikes.messaging.spike import SPIKE

CELLS, BLOCKS = 250, 40
SEED = 23
SPREAD = 0.05
"""Standard deviation of the logs of a cell's values from trial to trial."""

VOID_EVERY = 30
TICK_S = 0.01
MESSAGES = 400.0
LATENCIES = {"lateness": 0.1, "publish": 0.5, "service": 0.9, "end_to_end": 1.0}
"""The share of the end-to-end latency that each latency is."""

QUANTILES = {"p50": 1.0, "p95": 1.9, "p99": 3.1, "p999": 5.0}
"""How far above its median each quantile of a latency lies."""


@dataclass(frozen=True)
class Shape:
    """A cell of a generated run: who is measured under what, and its typical latency in ms."""

    variant: Variant[MessageScenario]
    candidate: Candidate
    client: str
    latency_ms: float
    arm: str = ""

    @property
    def scenario(self) -> MessageScenario:
        """The workload."""
        return self.variant.scenario

    @property
    def fidelity(self) -> Fidelity:
        """What the cell would prove, had it been measured."""
        return "emulator" if _is_emulated(self.candidate) else "software"

    @property
    def key(self) -> str:
        """The cell as one string."""
        swept = [f"{name}={value}" for name, value in self.variant.params.items()]
        parts = [self.scenario.scenario, self.candidate.name, self.client, "local", *swept]
        return "-".join(part.replace(" ", "") for part in [*parts, *filter(None, [self.arm])])


def generate(path: Path, cells: int = CELLS, blocks: int = BLOCKS, seed: int = SEED) -> int:
    """Write ``cells`` × ``blocks`` trials to ``path``, block by block; return their number."""
    rng = np.random.default_rng(seed)
    shapes = list(islice(_shapes(rng), cells))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for trial in range(len(shapes) * blocks):
            shape = shapes[trial % len(shapes)]
            record = _record(shape, path.stem, trial // len(shapes), trial, rng)
            file.write(record.model_dump_json(by_alias=True) + "\n")
    return len(shapes) * blocks


def _shapes(rng: np.random.Generator) -> Iterator[Shape]:
    """The cells of a full run of the spike; of an emulator those that it is measured in.

    Faults are a table of their own.
    """
    read = read_scenarios(SPIKE.scenarios, MessageScenario).values()
    scenarios = [scenario for scenario in read if scenario.experiment != "fault"]
    swept = [variant for scenario in scenarios for variant in variants(scenario, full=True)]
    yield Shape(swept[0], SPIKE.candidate(swept[0].scenario.analysis.baseline), "java", 3, "A/A")
    for variant in swept:
        for candidate in SPIKE.candidates:
            if variant.scenario.experiment == "capacity" and _is_emulated(candidate):
                continue
            for client in candidate.client_names:
                yield Shape(variant, candidate, client, float(rng.uniform(2, 6)))


def _is_emulated(candidate: Candidate) -> bool:
    return candidate.software is not None and candidate.software.fidelity["local"] == "emulator"


def _record(shape: Shape, run_id: str, block: int, trial: int, rng: np.random.Generator) -> Record:
    void = trial % VOID_EVERY == VOID_EVERY - 1
    metrics = _metrics(shape, rng)
    return Record(
        schema=SCHEMA,
        run_id=run_id,
        spike=SPIKE.name,
        scenario=shape.scenario.scenario,
        candidate=shape.candidate.name,
        client=shape.client,
        target="local",
        fidelity=shape.fidelity,
        params=dict(shape.variant.params),
        cell=shape.key,
        workload="0f0f0f0f0f0f",
        arm="A/A" if shape.arm else "",
        block=block,
        trial=trial,
        seed=SEED,
        started_at="2026-01-01T00:00:00+00:00",
        duration_s=4.0,
        status="void" if void else "valid",
        reason="the generator was late: p99 3.0 ms of 5.5 ms end to end" if void else "",
        limit="target",
        metrics=metrics,
        quantiles=_quantiles(metrics),
        ledger=_ledger(rng),
        resources=_resources(shape, block),
        versions={"harness": "0.1.0", "broker": "generated 1.0", "client": "generated 1.0"},
        environment=environment(),
    )


def _metrics(shape: Shape, rng: np.random.Generator) -> dict[str, Metric]:
    spread = np.exp(rng.normal(0, SPREAD, 24)).tolist()
    metrics = {
        f"{name}_{quantile}": _metric(shape.latency_ms * share * above * spread.pop(), "ms")
        for name, share in LATENCIES.items()
        for quantile, above in QUANTILES.items()
    }
    rate = MESSAGES if rng.random() < 0.8 else MESSAGES * (1 - 0.01 * spread.pop())
    metrics["throughput"] = _metric(rate, "msg/s", "higher")
    metrics["throughput_bytes"] = _metric(rate * 1024 / 1e6, "MB/s", "higher")
    for side, cpu_s in (("broker", 0.16), ("client", 0.08)):
        ticks = round(cpu_s * shape.latency_ms * spread.pop() / TICK_S)
        metrics[f"{side}_cpu_per_million"] = _metric(ticks * TICK_S / MESSAGES * 1e6, "s")
    return metrics | _of_its_experiment(shape, spread.pop())


def _of_its_experiment(shape: Shape, spread: float) -> dict[str, Metric]:
    if shape.scenario.experiment == "backlog":
        return {"drain_s": _metric(shape.latency_ms / 4 * spread, "s")}
    capacity = 40_000 / shape.latency_ms
    if shape.scenario.experiment == "capacity":
        return {"capacity": _metric(capacity * spread, "msg/s", "higher")}
    note = "from one search for capacity"
    held = Metric(value=capacity / MESSAGES, unit="ratio", better="higher", n=1, note=note)
    failed = Metric(value=capacity * 1.1 / MESSAGES, unit="ratio", n=1, note=note)
    return {"headroom": held, "headroom_failed": failed}


def _metric(value: float, unit: str, better: Better = "lower") -> Metric:
    return Metric(value=value, unit=unit, better=better, n=int(MESSAGES))


def _quantiles(metrics: dict[str, Metric]) -> dict[str, dict[str, float | None]]:
    levels = dict(zip(QUANTILES, ("0.5", "0.95", "0.99", "0.999"), strict=True))
    return {
        name: {
            level: (metrics[f"{name}_{quantile}"].value or 0.0) * 1e6
            for quantile, level in levels.items()
        }
        for name in LATENCIES
    }


def _ledger(rng: np.random.Generator) -> Ledger:
    sent = int(MESSAGES)
    return Ledger(
        sent=sent,
        confirmed=sent,
        expected=sent,
        delivered=sent,
        lost=0,
        duplicated=0,
        reordered=int(rng.poisson(3)) if rng.random() < 0.1 else 0,
    )


def _resources(shape: Shape, block: int) -> Resources:
    if shape.candidate.software is None:
        return Resources()
    return Resources(
        candidate_cpu_s=0.55,
        client_cpu_s=0.57,
        peak_rss=430_350_336 + block,
        client_peak_rss=387_260_416 + block,
        startup_s=3.7,
    )
