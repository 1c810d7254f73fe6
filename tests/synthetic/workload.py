"""Scenarios, candidates and schedules of a size that fits a test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.cell import Cell
from spikebench.load.driver import Wiring
from spikebench.load.generator import Cargo
from spikebench.load.payload import Templates, templates
from spikebench.load.schedule import Schedule
from spikebench.scenario.messages import Analysis, Arrivals, MessageScenario, Payload, Timing
from spikebench.target.fleet import Berth
from tests.synthetic.driver import Faults

TAG = 0xABCDEF01
FLAWED = Client("python", "python", "tests.synthetic.driver:FlawedDriver", "none", one_process=True)
SPOOL = Client("spool", "python", "tests.synthetic.spool:SpoolDriver", "none")
MEMORY = Berth("local", "software")


def scenario(**changes: object) -> MessageScenario:
    values: dict[str, object] = {
        "scenario": "steady",
        "title": "Steady",
        "question": "How long does a message take?",
        "experiment": "latency",
        "payload": Payload(size_bytes=128, keys=4, templates=8),
        "arrivals": Arrivals(rate_per_s=200),
        "timing": Timing(warmup_s=0.1, measure_s=0.4, grace_s=0.5),
        "analysis": Analysis(metric="end_to_end_p50", baseline="plain"),
    }
    return MessageScenario.model_validate(values | changes)


def candidate(name: str = "plain", **changes: object) -> Candidate:
    plain = Candidate(name, Capabilities(ordering="queue"), clients=(FLAWED,))
    return replace(plain, **changes)  # type: ignore[arg-type]


def cell(**changes: object) -> Cell:
    plain = Cell("tiny", scenario(), candidate(), FLAWED, MEMORY)
    return replace(plain, **changes)  # type: ignore[arg-type]


def bodies(keys: int = 1) -> Templates:
    return templates(Payload(size_bytes=128, keys=keys, templates=8), seed=1)


def cargo(window: int = 100_000, keys: int = 1) -> Cargo:
    made = bodies(keys)
    return Cargo(TAG, made.bodies, made.keys, window)


def evenly(count: int, rate_per_s: float, keys: int = 1) -> Schedule:
    """Messages a constant time apart, over the keys in turn."""
    number = np.arange(count)
    offsets_ns = (number * (1e9 / rate_per_s)).astype(np.int64)
    return Schedule(offsets_ns, (number % 8).astype(np.int32), (number % keys).astype(np.int32))


def wiring(faults: Faults | None = None, **changes: object) -> Wiring:
    plain = Wiring("sb-test", {}, options=(faults or Faults()).options(), confirm_window=100_000)
    return replace(plain, **changes)  # type: ignore[arg-type]
