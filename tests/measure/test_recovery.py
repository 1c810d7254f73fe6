import numpy as np
import pytest

from spikebench.measure.recovery import fault_metrics
from tests.synthetic.segment import T0_NS, segment

FAULT_NS = T0_NS + 1_000_000_000


def test_recovery_ends_with_the_last_message_that_came_late() -> None:
    """Away from 1 s to 4 s; what was due meanwhile comes at once when it is over."""
    due = np.arange(6000) / 1000
    latency = np.where((due >= 1) & (due < 4), 4 - due, 0.001)
    found = fault_metrics(segment(6000, 1000, latency_s=latency), FAULT_NS)
    assert found["recovery_s"].value == pytest.approx(3.0, abs=0.002)
    assert found["longest_gap_s"].value == pytest.approx(3.0, abs=0.002)
    assert found["undelivered"].value == 0


def test_a_fault_that_nobody_felt_took_no_time() -> None:
    found = fault_metrics(segment(3000, 1000), FAULT_NS)
    assert found["recovery_s"].value == 0
    assert found["longest_gap_s"].value == pytest.approx(0.001, abs=1e-4)


def test_what_was_late_before_the_fault_is_not_its_doing() -> None:
    latency = np.where(np.arange(3000) < 100, 0.5, 0.001)
    assert fault_metrics(segment(3000, 1000, latency_s=latency), FAULT_NS)["recovery_s"].value == 0


def test_what_never_came_is_counted_whether_confirmed_or_not() -> None:
    seen = segment(3000, 1000, lost=[5, 6, 7], unconfirmed=[7], unsent=[9])
    assert fault_metrics(seen, FAULT_NS)["undelivered"].value == 3


def test_without_a_message_at_the_end_it_had_not_recovered() -> None:
    found = fault_metrics(segment(3000, 1000, lost=range(1000, 3000)), FAULT_NS)["recovery_s"]
    assert found.value is None
    assert "had not recovered" in found.note


def test_where_nothing_ever_came_there_is_no_recovery_and_no_gap_to_see() -> None:
    found = fault_metrics(segment(10, 1000, lost=range(10)), FAULT_NS)
    assert found["recovery_s"].value is None
    assert found["undelivered"].value == 10
