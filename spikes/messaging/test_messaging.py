"""The messaging spike's experiments: each is measured for every cell and block of a run."""

from __future__ import annotations

import pytest

from spikebench.plugin import Trial

pytestmark = pytest.mark.spike("messaging")


@pytest.mark.scenario("change-data")
def test_change_data(trial: Trial) -> None:
    """Row changes in bursts to three applications, in order per primary key."""
    trial.measure()


@pytest.mark.scenario("steady-latency")
def test_steady_latency(trial: Trial) -> None:
    """1 KB messages at a fixed rate, and at shares of each candidate's own capacity."""
    trial.measure()


@pytest.mark.scenario("work-queue")
def test_work_queue(trial: Trial) -> None:
    """1 KB jobs to competing consumers: the highest rate that holds."""
    trial.measure()


@pytest.mark.scenario("fan-out")
def test_fan_out(trial: Trial) -> None:
    """One producer, and one, three or ten subscribers."""
    trial.measure()


@pytest.mark.scenario("backlog")
def test_backlog(trial: Trial) -> None:
    """Consumers away for a while, then back: how long until they have caught up."""
    trial.measure()


@pytest.mark.scenario("large-message")
def test_large_message(trial: Trial) -> None:
    """Messages of 64 KB and 256 KB."""
    trial.measure()


@pytest.mark.faults
@pytest.mark.scenario("faults-durable")
def test_faults_durable(trial: Trial) -> None:
    """Something breaks while durable messages are sent, and each confirm is waited for."""
    trial.measure()


@pytest.mark.faults
@pytest.mark.scenario("faults-confirmed")
def test_faults_confirmed(trial: Trial) -> None:
    """The same with messages that the broker need not store, but confirms."""
    trial.measure()


@pytest.mark.faults
@pytest.mark.scenario("faults-fire-and-forget")
def test_faults_fire_and_forget(trial: Trial) -> None:
    """The same with nothing promised at all."""
    trial.measure()
