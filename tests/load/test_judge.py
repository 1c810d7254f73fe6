from dataclasses import asdict, replace

import numpy as np
import pytest

from spikebench.load.judge import judged
from spikebench.measure.observation import Usage
from spikebench.measure.outcome import Metric
from spikebench.scenario.messages import Promise
from tests.synthetic.queue import QueueSession, bench
from tests.synthetic.segment import delivery, segment
from tests.synthetic.workload import scenario

BENCH = bench(QueueSession(1))
USED = Usage(
    server_cpu_s=0.5,
    client_cpu_s=0.25,
    span_s=1.0,
    server_peak_rss=50_000_000,
    client_peak_rss=9_000_000,
)


def test_a_good_segment_is_valid_and_its_target_was_the_limit() -> None:
    outcome = judged(BENCH, segment(1000, latency_s=0.005, usage=USED), 1.0)
    assert (outcome.status, outcome.reason, outcome.limit) == ("valid", "", "target")
    assert outcome.metrics["service_p99"].value == pytest.approx(5.0)
    assert outcome.quantiles["service"]["0.99"] == pytest.approx(5e6)
    assert outcome.quantiles["service"]["0.999"] is None


def test_cpu_is_told_by_the_million_messages_sent() -> None:
    outcome = judged(BENCH, segment(1000, usage=USED), 1.0)
    assert outcome.metrics["broker_cpu_per_million"].value == pytest.approx(500)
    assert outcome.metrics["client_cpu_per_million"].value == pytest.approx(250)


def test_cpu_that_cannot_be_seen_is_withheld() -> None:
    unseen = judged(BENCH, segment(1000, usage=Usage(None, 0.1, 1.0)), 1.0)
    assert unseen.metrics["broker_cpu_per_million"].value is None
    nothing = judged(BENCH, segment(10, unsent=range(10), usage=USED), 1.0)
    assert nothing.metrics["client_cpu_per_million"].value is None


def test_calls_that_were_counted_are_in_the_record_by_operation() -> None:
    seen = replace(segment(1000), calls={"send_message_batch": 100, "receive_message": 120})
    found = judged(BENCH, seen, 1.0).metrics
    assert found["calls_send_message_batch"] == Metric(value=100, unit="calls", n=1000)
    assert found["calls_receive_message"].value == 120
    assert not [name for name in judged(BENCH, segment(10), 1.0).metrics if "calls" in name]


def test_resources_are_passed_on() -> None:
    found = judged(BENCH, segment(1000, usage=USED), 1.0).resources
    assert asdict(found) == {
        "candidate_cpu_s": 0.5,
        "client_cpu_s": 0.25,
        "peak_rss": 50_000_000,
        "client_peak_rss": 9_000_000,
        "startup_s": 3.5,
    }


def test_what_an_experiment_adds_stands_beside_the_rest() -> None:
    extra = {"drain_s": Metric(value=1.0, unit="s")}
    assert judged(BENCH, segment(1000), 1.0, extra).metrics["drain_s"].value == 1.0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"unsent": range(980, 1000)}, "sent 98.0% of the rate asked for"),
        ({"latency_s": np.arange(1000) / 4000}, "backlog grew"),
        ({"unconfirmed": range(50)}, "95.0% of what was sent was confirmed"),
        ({"latency_s": -0.001}, "latencies below zero: the clocks disagree"),
    ],
)
def test_a_trial_that_may_not_count_is_void_with_its_reason(
    changes: dict[str, object], reason: str
) -> None:
    outcome = judged(BENCH, segment(1000, **changes), 1.0)  # type: ignore[arg-type]
    assert outcome.status == "void"
    assert reason in outcome.reason


def test_a_loss_is_no_reason_to_leave_a_trial_out() -> None:
    outcome = judged(BENCH, segment(1000, lost=range(100)), 1.0)
    assert (outcome.status, outcome.reason) == ("valid", "")
    assert outcome.ledger is not None
    assert outcome.ledger.lost == 100


def test_an_error_is_a_failure_whatever_else_is_wrong() -> None:
    outcome = judged(BENCH, segment(1000, unsent=range(500, 1000), error="gone"), 1.0)
    assert (outcome.status, outcome.reason) == ("failed", "gone")


def test_slow_is_not_void_where_only_latency_is_measured() -> None:
    assert judged(BENCH, segment(1000, latency_s=2.0), 1.0).status == "valid"


def test_a_generator_that_was_late_by_half_of_what_it_measured_voids_the_trial() -> None:
    """Late by 6 ms of 10 ms end to end, before each of its messages."""
    late = segment(500, 100, late_s=0.006, latency_s=0.004)
    outcome = judged(BENCH, late, 5.0)
    assert outcome.status == "void"
    assert outcome.reason == "the generator was late: p99 6.0 ms of 10.0 ms end to end"
    assert outcome.limit == "client"


def test_lateness_is_forgiven_where_it_is_small_in_itself_or_beside_the_rest() -> None:
    timer = segment(500, 100, late_s=0.0009, latency_s=0.0001)
    small = segment(500, 100, late_s=0.006, latency_s=0.007)
    assert [judged(BENCH, seen, 5.0).status for seen in (timer, small)] == ["valid", "valid"]


def test_in_memory_the_generator_is_what_is_measured() -> None:
    late = segment(500, 100, late_s=0.006, latency_s=0.004)
    assert judged(bench(QueueSession(1), server=None), late, 5.0).status == "valid"


def test_a_late_generator_hides_behind_no_library_that_blocks() -> None:
    """Sends that wait for the library's earlier ones are the candidate's time, and count."""
    waited = segment(500, 100, late_s=np.where(np.arange(500) % 2, 0.0091, 0.0001), latency_s=0.02)
    assert judged(BENCH, waited, 5.0).status == "valid"


def test_order_is_judged_as_the_scenario_promises() -> None:
    swapped = [delivery([1, 0, 2, 3])]
    seen = segment(4, key=[0, 1, 0, 1], deliveries=swapped)
    by_key = bench(QueueSession(1), scenario(promise=Promise(ordering="key")))
    by_queue = bench(QueueSession(1), scenario(promise=Promise(ordering="queue")))
    ledgers = [judged(given, seen, 1.0).ledger for given in (by_key, by_queue)]
    assert [ledger.reordered for ledger in ledgers if ledger] == [0, 1]


def test_a_rate_that_was_missed_has_its_limit_named() -> None:
    busy = Usage(server_cpu_s=0.97, client_cpu_s=0.2, span_s=1.0)
    outcome = judged(BENCH, segment(1000, unsent=range(500, 1000), usage=busy), 1.0)
    assert outcome.limit == "broker"
