"""What a spike's test function is given: one trial of one cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from spikebench.cell import Cell
from spikebench.record import Metric, Record


class Benchmark(Protocol):
    """The part of pytest-benchmark's fixture that is used."""

    extra_info: dict[str, Any]

    def pedantic(self, target: Callable[[], Any], *, rounds: int) -> Any: ...


class HeadlineClock:
    """A timer that only a trial moves: by its headline metric, in seconds.

    Given to pytest-benchmark in place of a real clock, so that its tables, JSON and ``compare``
    hold what the trial measured instead of how long the trial took.
    """

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._now_s += seconds


clock = HeadlineClock()
clock.__name__ = clock.__qualname__ = "headline"  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Trial:
    """One trial: ``measure`` runs the scenario's experiment on the cell and records it.

    ``benchmark`` makes pytest-benchmark's fixture, which must not be there for a trial without a
    figure: it would be stored without data, and break the file that it is stored in.
    """

    cell: Cell
    block: int
    run: Callable[[Cell, int], Record]
    benchmark: Callable[[], Benchmark]

    def measure(self) -> Record:
        """Measure and return the record.

        A trial that is void or can't be had here is skipped with its reason, one that broke fails;
        each is in the record file by then.
        """
        record = self.run(self.cell, self.block)
        if record.status == "failed":
            pytest.fail(f"{record.cell}: {record.reason}", pytrace=False)
        if record.status != "valid":
            pytest.skip(f"{record.status}: {record.reason}")
        seconds = headline_s(record.metrics.get(self.cell.scenario.analysis.metric))
        if seconds is not None:
            self._tell_benchmark(record, seconds)
        return record

    def _tell_benchmark(self, record: Record, seconds: float) -> None:
        benchmark = self.benchmark()
        benchmark.extra_info.update(cell=record.cell, run_id=record.run_id, trial=record.trial)
        benchmark.pedantic(lambda: clock.advance(seconds), rounds=1)


def headline_s(metric: Metric | None) -> float | None:
    """Return a metric as seconds, smaller being better: a rate as the time a message takes.

    None where it was withheld, or is a rate of 0.
    """
    if metric is None or metric.value is None:
        return None
    if metric.better == "higher":
        return 1 / metric.value if metric.value else None
    return metric.value / 1e3 if metric.unit == "ms" else metric.value
