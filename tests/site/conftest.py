"""Sites to look at: of synthetic runs with hostile words in them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from spikebench.candidate import Candidate
from spikebench.discovery import find_spikes
from spikebench.record import Metric, Record, RecordFile, run_path
from spikebench.site import build
from spikebench.spike import Spike
from tests.report.broken import broken, of_old
from tests.report.synthetic import MACHINE, candidates, run

ROOT = Path(__file__).parents[2]

OLD_FAULTS, FAULTS, BEGUN = "20251231-f", "20260103-f", "2026-01-03T00:00:00+00:00"

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>\'"&{{ 7 * 7 }}'

DECISION = """\
---
status: proposed
date: 2026-11-25
spike: synthetic
decision-makers: [the team, "<script>alert(2)</script>"]
---
# Which broker, <i>then</i>?

## Context

[Table](../synthetic/table.md#change-data), [evidence](../synthetic/runs/20260102-b.jsonl),
[the other](0002-other.md#why), [figures](../synthetic/extra.csv), [gone](../gone.md),
[web](https://example.org/), [bad](javascript:alert(1)).

![kept](../synthetic/extra.svg) ![not loaded](https://example.org/x.png)

<b onclick="alert(3)">raw</b>

| option | ms |
|---|---|
| a | 1 |
"""


OTHER = """\
---
status: "superseded by [1](0001-broker.md)"
---
# Other

## Why

So.
"""


@pytest.fixture(scope="session")
def spike(tmp_path_factory: pytest.TempPathFactory) -> Spike:
    """A spike of messages with the scenarios that synthetic trials are of."""
    folder = tmp_path_factory.mktemp("scenarios")
    for name in ("change-data", "faults-durable"):
        shutil.copy(ROOT / "scenarios" / "messaging" / f"{name}.yaml", folder)
    named: Sequence[Candidate] = candidates()
    return Spike("synthetic", f"Which? {HOSTILE}", tuple(named), folder)


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, of different machines; the second has hostile words; two of faults; decisions."""
    folder = tmp_path_factory.mktemp("results")
    first = run(run_id="20260101-a", started_at="2026-01-01T00:00:00+00:00")
    other = {**MACHINE, "cpu": HOSTILE, "fingerprint": "eeee"}
    later = run(run_id="20260102-b", started_at="2026-01-02T00:00:00+00:00", environment=other)
    _record(folder, "20260101-a", [_of_synthetic(one) for one in first])
    _record(folder, "20260102-b", [*map(_of_synthetic, later), *_hostile(next(run()))])
    for run_id, trials in of_faults().items():
        _record(folder, run_id, [_of_synthetic(one) for one in trials])
    (folder / "decisions").mkdir()
    (folder / "decisions" / "0001-broker.md").write_text(DECISION, encoding="utf-8")
    (folder / "decisions" / "0002-other.md").write_text(OTHER)
    (folder / "synthetic" / "extra.csv").write_text("a,b\n")
    (folder / "synthetic" / "extra.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
    )
    return folder


@pytest.fixture(scope="session")
def site(spike: Spike, results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the synthetic runs."""
    out = tmp_path_factory.mktemp("site") / "deep" / "site"
    return build([spike], results, ROOT / "docs", out).parent


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this project's own results."""
    out = tmp_path_factory.mktemp("committed") / "site"
    return build(find_spikes(ROOT), ROOT / "results", ROOT / "docs", out).parent


def of_faults() -> dict[str, list[Record]]:
    """An early run of faults whose records have no series, and one with them, of two trials."""
    early = [of_old(broken(run_id=OLD_FAULTS, started_at="2025-12-31T00:00:00+00:00", lost=[7]))]
    names = (("kafka", "kill-broker"), ("kafka", "pause-broker"), ("sqs-fifo", "pause-broker"))
    later = [
        broken(name, kind, block, away_s=2.0 + block, run_id=FAULTS, started_at=BEGUN)
        for name, kind in names
        for block in range(2)
    ]
    return {OLD_FAULTS: early, FAULTS: later}


def _of_synthetic(record: Record) -> Record:
    return record.model_copy(update={"spike": "synthetic"})


def _hostile(pattern: Record) -> list[Record]:
    """A candidate, a client and reasons that would be markup if they were let; no p99.

    One reason quotes a log that would colour a terminal.
    """
    withheld = Metric(value=None, unit="ms", better="lower", note=f"\x1b[31m{HOSTILE}\x1b[0m")
    changes = {
        "spike": "synthetic",
        "run_id": "20260102-b",
        "candidate": HOSTILE,
        "client": HOSTILE,
        "cell": HOSTILE,
        "versions": {"broker": HOSTILE},
        "environment": {},
        "metrics": {**pattern.metrics, "end_to_end_p99": withheld},
    }
    return [
        pattern.model_copy(update={**changes, "block": 0}),
        pattern.model_copy(update={**changes, "block": 1, "status": "void", "reason": HOSTILE}),
    ]


def _record(results: Path, run_id: str, records: Sequence[Record]) -> None:
    with RecordFile(run_path("synthetic", run_id, results)) as file:
        for record in records:
            file.append(record)
