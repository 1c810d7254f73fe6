"""Runs of faults made by hand, and decisions that ask what became of messages in them.

The options are those of ``situation``; where the node that leads is killed, clusters stand in.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from spikebench.decision.assess import Assessment, assess
from spikebench.record import Metric, Record
from spikebench.spike import Spike
from tests.decision import situation
from tests.decision.situation import FILE, SCENARIO, store, trials
from tests.report.synthetic import ledger, record

FAULTS = ("faults-durable", "faults-cluster")

MEASURED, BROKEN = "20260101-000000", "20260103-f"
"""Ids of the run in which nothing breaks, and of the one of faults."""

NOT_RECOVERED = "nothing sent at the end of the trial arrived: it had not recovered"

NONE_LOST = (
    "{name: none lost, scenario: faults-durable, params: {kind: kill-broker}, requires: met}"
)
IN_30_S = (
    "{name: soon again, scenario: faults-durable, params: {kind: pause-broker}, "
    "metric: recovery_s, unit: s, at_most: 30}"
)
LEADER = "{name: leader, scenario: faults-cluster, params: {kind: kill-leader}, requires: met}"

STAND_INS = FILE.replace(
    "candidate: kafka}", "candidate: kafka, stand_ins: {faults-cluster: kafka-3}}"
)

SURVIVES = """\
  - name: survives
    weight: 1
    measured:
      scenario: faults-cluster
      params: {kind: kill-leader}
      metric: lost
      unit: messages
      best: 0
      worst: 100
      scale: linear
      or_judged: true
    judged:
      by: the authors of this test
      scores:
        - {option: kafka, score: 0.7, why: three nodes}
        - {option: rabbit, score: 0.4, why: one node}
"""
WITH_SURVIVES = STAND_INS + SURVIVES
"""Kafka is measured as its cluster, which has a row; RabbitMQ has none, and is judged."""


def must(*asked: str, text: str = FILE) -> str:
    """The decision with these must-haves."""
    lines = "".join(f"  - {one}\n" for one in asked)
    return text.replace("criteria:\n", f"must_haves:\n{lines}criteria:\n", 1)


def fault(
    candidate: str = "kafka",
    block: int = 0,
    kind: str = "kill-broker",
    recovery_s: float | None = 4.0,
    lost: int = 0,
    rejected: int = 0,
    **changes: object,
) -> Record:
    """A trial in which something breaks; of a cluster where the leader is what breaks."""
    late = Metric(
        value=recovery_s, unit="s", better="lower", note=NOT_RECOVERED if recovery_s is None else ""
    )
    metrics = {"recovery_s": late, "longest_gap_s": late}
    if rejected:
        note = "the broker refused it (basic.nack)"
        metrics["rejected"] = Metric(value=rejected, unit="messages", note=note)
    values: dict[str, object] = {
        "scenario": "faults-cluster" if kind.endswith("leader") else "faults-durable",
        "params": {"kind": kind},
        "metrics": metrics,
        "ledger": ledger(lost),
    }
    return record(candidate, block, {}, **{**values, **changes})


def faults(candidate: str = "kafka", n: int = 6, **changes: object) -> list[Record]:
    """As many trials of a fault as a requirement takes to be met, or ``n``."""
    return [fault(candidate, block, **changes) for block in range(n)]  # type: ignore[arg-type]


def spike(folder: Path, text: str) -> Spike:
    """The spike of ``situation`` with scenarios of faults, and a cluster of each option."""
    one = situation.spike(folder, text)
    for name in FAULTS:
        shutil.copy(SCENARIO.with_name(f"{name}.yaml"), one.scenarios)
    clusters = (
        replace(one.candidate(name), name=f"{name}-3", nodes=3)
        for name in ("kafka", "rabbitmq-quorum")
    )
    return replace(one, candidates=(*one.candidates, *clusters))


def stored(folder: Path, broken: Iterable[Record]) -> list[Path]:
    """The run worked out by hand, and a run of faults beside it."""
    return [store(folder, trials(), MEASURED), store(folder, broken, BROKEN)]


def assessed(folder: Path, broken: Iterable[Record], text: str) -> Assessment:
    """The assessment of both runs."""
    return assess(spike(folder, text), stored(folder, broken))
