"""A decision with an answer worked out by hand, and records made to give it.

Delay is scored on a log scale from 1 ms (1) to 100 ms (0), and weighs 2 of 3; effort is judged and
weighs 1 of 3. Kafka takes 10 ms, which scores 0.5, RabbitMQ 10^1.5 ms, which scores 0.25:

    kafka            2/3 × 0.50 + 1/3 × 0.2 = 0.4
    rabbitmq-quorum  2/3 × 0.25 + 1/3 × 0.8 = 0.4333…  comes first
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from spikebench.decision.assess import Assessment, assess
from spikebench.record import Record, RecordFile, run_path
from spikebench.spike import Spike
from tests.report.synthetic import candidates, record

SCENARIO = Path(__file__).parents[2] / "scenarios" / "messaging" / "change-data.yaml"

FILE = """\
decision: broker
title: Which broker
question: Stay or move?
context: There are two.
review: 2027-01-31
drivers:
  - Speed.
options:
  - {name: kafka, title: Move to Kafka, candidate: kafka}
  - {name: rabbit, title: Stay on RabbitMQ, candidate: rabbitmq-quorum}
criteria:
  - name: delay
    weight: 2
    measured: {scenario: change-data, metric: end_to_end_p99, unit: ms, best: 1, worst: 100}
  - name: effort
    weight: 1
    judged:
      by: the authors of this test
      scores:
        - {option: kafka, score: 0.2, why: new to us}
        - {option: rabbit, score: 0.8, why: runs today}
"""

KAFKA_MS = 10.0
RABBIT_MS = 10**1.5

THIRD = """\
  - {name: fifo, title: Move to SQS, candidate: sqs-fifo}
criteria:
"""

THIRD_SCORE = """\
        - {option: rabbit, score: 0.8, why: runs today}
        - {option: fifo, score: 0.9, why: no servers}
"""

WITH_THIRD = FILE.replace("criteria:\n", THIRD).replace(
    "        - {option: rabbit, score: 0.8, why: runs today}\n", THIRD_SCORE
)
"""The same with an emulated option, whose effort is judged 0.9: known is 1/3 × 0.9 = 0.3."""

MUST = """\
must_haves:
  - {name: in time, scenario: change-data, metric: end_to_end_p99, unit: ms, at_most: 20}
criteria:
"""

WITH_MUST = FILE.replace("criteria:\n", MUST)
"""The same with a bound of 20 ms, which RabbitMQ fails."""

EVEN: Mapping[str, Sequence[float]] = {
    "kafka": [KAFKA_MS] * 6,
    "rabbitmq-quorum": [RABBIT_MS] * 6,
    "sqs-fifo": [2.0] * 6,
}
"""Delays in ms, a value a trial, none of which differs from the others of its cell."""


def trials(delays: Mapping[str, Sequence[float]] = EVEN, **changes: object) -> list[Record]:
    """Records of these delays."""
    return [
        record(candidate, block, {"end_to_end_p99": value}, **changes)
        for candidate, values in delays.items()
        for block, value in enumerate(values)
    ]


def spike(folder: Path, text: str = FILE) -> Spike:
    """The spike of these two candidates, with ``text`` as its decision."""
    scenarios = folder / "scenarios"
    scenarios.mkdir(exist_ok=True)
    shutil.copy(SCENARIO, scenarios / SCENARIO.name)
    (scenarios / "decision.yaml").write_text(text)
    return Spike("messaging", "Which?", tuple(candidates()), scenarios)


def store(folder: Path, records: Iterable[Record], run_id: str = "20260101-000000") -> Path:
    """Write a run below ``folder``/results and return its file."""
    path = run_path("messaging", run_id, folder / "results")
    with RecordFile(path) as file:
        for one in records:
            file.append(one.model_copy(update={"run_id": run_id}))
    return path


def assessed(folder: Path, records: Iterable[Record] | None = None, text: str = FILE) -> Assessment:
    """The assessment of a run; of the one worked out by hand where no records are given."""
    path = store(folder, trials() if records is None else records)
    return assess(spike(folder, text), [path])
