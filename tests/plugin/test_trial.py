from typing import Any

import pytest
from _pytest.outcomes import Failed, Skipped

from spikebench.measure.outcome import Metric, Status
from spikebench.plugin.trial import Trial, clock, headline_s
from spikebench.record import Record
from tests.synthetic.workload import cell


class Benchmark:
    """Times a call with the trial's own clock, as pytest-benchmark does."""

    def __init__(self) -> None:
        self.extra_info: dict[str, Any] = {}
        self.seconds: list[float] = []

    def pedantic(self, target: Any, *, rounds: int) -> Any:
        for _ in range(rounds):
            before = clock()
            target()
            self.seconds.append(clock() - before)


def record(status: Status, metric: Metric | None = None, reason: str = "") -> Record:
    given = cell()
    return Record(
        run_id="20260101-000000-00000001",
        spike="tiny",
        scenario="steady",
        candidate="plain",
        client="python",
        target="local",
        fidelity="software",
        params={},
        cell=given.key,
        block=1,
        trial=7,
        seed=1,
        started_at="2026-01-01T00:00:00+00:00",
        duration_s=1.0,
        status=status,
        reason=reason,
        metrics={"end_to_end_p50": metric} if metric else {},
    )


def trial_of(made: Record, benchmark: Benchmark) -> Trial:
    return Trial(cell(), 1, lambda _cell, _block: made, lambda: benchmark)


@pytest.mark.parametrize(
    ("metric", "seconds"),
    [
        (Metric(value=12.5, unit="ms", better="lower"), 0.0125),
        (Metric(value=2.0, unit="s", better="lower"), 2.0),
        (Metric(value=4000.0, unit="msg/s", better="higher"), 0.00025),
        (Metric(value=0.0, unit="msg/s", better="higher"), None),
        (Metric(value=None, unit="ms", better="lower"), None),
        (None, None),
    ],
)
def test_a_headline_is_seconds_and_smaller_is_better(
    metric: Metric | None, seconds: float | None
) -> None:
    assert headline_s(metric) == seconds


def test_a_valid_trial_moves_the_clock_by_its_headline() -> None:
    benchmark = Benchmark()
    made = record("valid", Metric(value=8.0, unit="ms", better="lower"))
    assert trial_of(made, benchmark).measure() is made
    assert benchmark.seconds == [pytest.approx(0.008)]
    assert benchmark.extra_info == {"cell": made.cell, "run_id": made.run_id, "trial": 7}


def test_a_withheld_headline_is_not_told_as_none() -> None:
    benchmark = Benchmark()
    trial_of(record("valid", Metric(value=None, unit="ms")), benchmark).measure()
    assert benchmark.seconds == []


@pytest.mark.parametrize("status", ["void", "unavailable"])
def test_a_trial_that_may_not_count_is_skipped_with_its_reason(status: Status) -> None:
    benchmark = Benchmark()
    made = record(status, Metric(value=8.0, unit="ms"), reason="backlog grew")
    with pytest.raises(Skipped, match=f"{status}: backlog grew"):
        trial_of(made, benchmark).measure()
    assert benchmark.seconds == []


def test_a_trial_that_broke_fails_with_its_reason() -> None:
    benchmark = Benchmark()
    with pytest.raises(Failed, match="steady-plain-python-local: connection lost"):
        trial_of(record("failed", reason="connection lost"), benchmark).measure()
    assert benchmark.seconds == []
