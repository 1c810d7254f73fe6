"""Creating a topic where brokers are late, with an admin client that answers as told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kafka.errors import InvalidReplicationFactorError, KafkaError

from spikes.messaging.candidates import kafka

ALL_FENCED = InvalidReplicationFactorError(
    "Unable to replicate the partition 3 time(s): All brokers are currently fenced"
)
TOO_FEW = InvalidReplicationFactorError(
    "The target replication factor of 3 cannot be reached because only 1 broker(s) are registered."
)
TOPIC = {"sb-1": {"num_partitions": 1, "replication_factor": 3}}


class Admin:
    """Refuses with each error in turn, then creates."""

    def __init__(self, *errors: KafkaError) -> None:
        self._errors: Iterator[KafkaError] = iter(errors)
        self.asked: list[Any] = []

    def create_topics(self, topics: Any, timeout_ms: int) -> None:
        self.asked.append(topics)
        if (error := next(self._errors, None)) is not None:
            raise error


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "FENCED_POLL_S", 0.001)


def test_brokers_that_are_late_are_waited_for() -> None:
    admin = Admin(ALL_FENCED, ALL_FENCED)
    kafka._create(admin, TOPIC)
    assert admin.asked == [TOPIC] * 3


def test_brokers_that_stay_away_are_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka, "CREATE_TIMEOUT_MS", 20)
    with pytest.raises(InvalidReplicationFactorError, match="currently fenced"):
        kafka._create(Admin(*[ALL_FENCED] * 10_000), TOPIC)


def test_more_replicas_than_there_are_brokers_is_told_at_once() -> None:
    admin = Admin(TOO_FEW, TOO_FEW)
    with pytest.raises(InvalidReplicationFactorError, match="only 1 broker"):
        kafka._create(admin, TOPIC)
    assert len(admin.asked) == 1
