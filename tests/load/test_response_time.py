"""Response time does not hide waiting: what a stall of 1 s in 10 s does to 1,000 messages a second.

In a stall 1,000 of 10,000 messages come due and wait for its end, 0 to 1 s, evenly. The slowest 1 %
are 100 messages, a tenth of those: p99 is 0.9 s. One in 10,000 is slow from its actual send on.
"""

from __future__ import annotations

import pytest

from spikebench.load.crew import Crew
from spikebench.load.judge import judged
from spikebench.load.schedule import Schedule, schedule
from spikebench.measure.latency import latency_metrics, spreads
from spikebench.measure.outcome import Outcome
from spikebench.scenario.messages import Arrivals
from tests.load.test_session import LIMITS, session
from tests.synthetic.driver import Faults
from tests.synthetic.queue import QueueSession, bench
from tests.synthetic.stalling import LATENCY_S, RATE_PER_S, Blame, response_s, trial
from tests.synthetic.workload import bodies

KINDS = {
    "uniform": Arrivals(rate_per_s=RATE_PER_S),
    "poisson": Arrivals(kind="poisson", rate_per_s=RATE_PER_S),
}
LENGTH_S = 100.0


def drawn(kind: str, length_s: float = LENGTH_S) -> Schedule:
    return schedule(KINDS[kind], RATE_PER_S, length_s, 1, bodies())


def outcome(kind: str, blame: Blame) -> Outcome:
    return judged(bench(QueueSession(1)), trial(drawn(kind), blame), LENGTH_S)


def ms(found: Outcome, metric: str) -> float:
    value = found.metrics[metric].value
    assert value is not None
    return value


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("blame", ["client", "broker"])
def test_a_stall_is_in_response_time_as_arithmetic_has_it_and_not_in_service_time(
    kind: str, blame: Blame
) -> None:
    found = outcome(kind, blame)
    assert response_s(0.99) == pytest.approx(0.9)
    assert ms(found, "end_to_end_p99") == pytest.approx(1e3 * response_s(0.99), rel=0.01)
    assert ms(found, "end_to_end_p95") == pytest.approx(1e3 * response_s(0.95), rel=0.03)
    assert ms(found, "end_to_end_p50") < 2
    assert ms(found, "service_p99") == pytest.approx(1e3 * LATENCY_S, rel=0.05)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("blame", ["client", "broker"])
def test_a_stall_of_the_candidate_is_no_lateness_of_the_generator_and_the_trial_counts(
    kind: str, blame: Blame
) -> None:
    found = outcome(kind, blame)
    assert (found.status, found.reason, found.limit) == ("valid", "", "target")
    assert ms(found, "lateness_p99") < 0.1


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_same_stall_in_the_generator_voids_the_trial(kind: str) -> None:
    found = outcome(kind, "generator")
    assert ms(found, "end_to_end_p99") == pytest.approx(1e3 * response_s(0.99), rel=0.01)
    assert found.status == "void"
    assert found.reason.startswith("the generator was late: p99 ")
    assert found.limit == "client"


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_driver_that_stalls_is_seen_so_by_the_real_loop(crew: Crew, kind: str) -> None:
    """Ten real seconds. A busy machine can only make it later: bounds are from below."""
    faults = Faults(stall_s=1.0, stall_every=10_000, stall_at=5_000)
    with session(crew, faults) as opened:
        seen = opened.run(drawn(kind, 10.0), 10.0, LIMITS)
    found = {name: metric.value or 0.0 for name, metric in latency_metrics(spreads(seen)).items()}
    assert found["end_to_end_p99"] >= 1e3 * (response_s(0.99) - 0.02)
    assert found["service_p99"] < found["end_to_end_p99"] / 2
    assert seen.held_until_ns[5_001] >= seen.sent_ns[5_000] + 1_000_000_000
