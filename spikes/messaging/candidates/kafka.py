"""Kafka's topic of a trial, through kafka-python's admin client."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    InvalidReplicationFactorError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    NotLeaderForPartitionError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from spikebench.errors import DriverError
from spikebench.load.driver import Wiring
from spikebench.target.software import Connection
from spikebench.target.tls import over_tls
from spikes.messaging.servers.kafka_security import PASSWORD, USER

BOOTSTRAP_TIMEOUT_MS = 10_000
CREATE_TIMEOUT_MS = 15_000
READY_POLL_S = 0.02
FENCED_POLL_S = 0.2
FENCED = "fenced"
"""In what a controller says where it has not heard of a broker for a session's time."""

CLUSTER_DEFAULT = -1
"""What asks for ``default.replication.factor`` (KIP-464): 1 on our own nodes, and on a cluster what
its ``min.insync.replicas`` may need for anything to be confirmed."""

SETTINGS = {
    "bootstrap": "bootstrap_servers",
    "security_protocol": "security_protocol",
    "ca_file": "ssl_cafile",
    "sasl_mechanism": "sasl_mechanism",
    "user": "sasl_plain_username",
    "password": "sasl_plain_password",
}
"""What kafka-python calls what a connection has."""


def partitions(wiring: Wiring) -> int:
    """Return the topic's partitions: the option, else 1 where the whole queue must keep its order,
    else enough for every consumer to have one."""
    default = 1 if wiring.ordering == "queue" else max(wiring.consumers, 4)
    return int(wiring.options.get("partitions", default))


def group_of(wiring: Wiring, subscriber: int) -> str:
    """Return the consumer group of ``subscriber``."""
    return f"{wiring.name}.{subscriber}"


def reach(connection: Connection) -> dict[str, str]:
    """Return kafka-python's settings of where the brokers are and how they are spoken to."""
    return {SETTINGS[key]: value for key, value in connection.items() if key in SETTINGS}


def advice(connection: Connection) -> str:
    """Return what to look at where no broker does what it is asked.

    kafka-python tries again until its time is over when a login is refused, and tells of that only.
    """
    is_up = "look at the broker's log, and whether it is up"
    if "sasl_mechanism" not in connection:
        return is_up
    return f"{is_up} and takes {USER} and {PASSWORD} by {connection['sasl_mechanism']}"


def _create(admin: KafkaAdminClient, topics: dict[str, dict[str, int]]) -> None:
    """Create topics once there are brokers for them: on a starved machine all may be late.

    Raises KafkaError at once for what does not pass by itself.
    """
    until = time.monotonic() + CREATE_TIMEOUT_MS / 1000
    while True:
        try:
            admin.create_topics(topics, timeout_ms=CREATE_TIMEOUT_MS)
            return
        except InvalidReplicationFactorError as error:
            if FENCED not in str(error) or time.monotonic() > until:
                raise
            time.sleep(FENCED_POLL_S)


class KafkaTopology:
    """One topic with a group of consumers for each subscriber.

    Options: ``partitions``, and ``replicas`` of each, the cluster's own default if not given.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._opened: KafkaAdminClient | None = None

    def create(self) -> None:
        """Create the topic, wait until each partition takes messages; DriverError on refusal."""
        name = self._wiring.name
        replicas = int(self._wiring.options.get("replicas", CLUSTER_DEFAULT))
        topic = {"num_partitions": partitions(self._wiring), "replication_factor": replicas}
        try:
            admin = self._admin()
            with contextlib.suppress(TopicAlreadyExistsError):
                _create(admin, {name: topic})
            admin.wait_for_topics([name], timeout_ms=CREATE_TIMEOUT_MS)
            self._await_logs(admin)
        except KafkaError as error:
            raise self._refused("create the topic", error) from error

    def delete(self) -> None:
        """Delete the topic and its groups by their names; DriverError where the broker is away."""
        try:
            self._delete(self._admin())
        except (NodeNotReadyError, KafkaConnectionError):
            self._close()  # the broker may have been away since: its client waits before it looks
            self._delete_anew()
        except KafkaError as error:
            raise self._refused("delete the topic", error) from error
        finally:
            self._close()

    def _delete_anew(self) -> None:
        try:
            self._delete(self._admin())
        except KafkaError as error:
            raise self._refused("delete the topic", error) from error

    def _delete(self, admin: KafkaAdminClient) -> None:
        with contextlib.suppress(UnknownTopicOrPartitionError):
            admin.delete_topics([self._wiring.name])
        # a group that somebody is still in, or that never was, is answered in the result; where
        # nobody has ever consumed there is no coordinator to ask
        with contextlib.suppress(GroupIdNotFoundError, CoordinatorNotAvailableError):
            admin.delete_groups(self._groups)

    def backlog(self) -> int | None:
        """Return what the groups have not yet committed, summed over them."""
        try:
            return self._uncommitted(self._admin())
        except KafkaError as error:
            raise self._refused("count the backlog", error) from error

    def version(self) -> str:
        """Return the broker's version as far as its protocol tells, e.g. ``Kafka 4.3``.

        It ends with ``over TLS`` where that is so, for it is another thing to measure.
        """
        try:
            broker = self._admin().get_broker_version_data(self._a_broker())
        except KafkaError as error:
            raise self._refused("tell its version", error) from error
        number = ".".join(str(part) for part in broker.broker_version)
        return f"Kafka {number}{over_tls(self._wiring.connection)}"

    def _await_logs(self, admin: KafkaAdminClient) -> None:
        """Wait until the leaders have opened their logs, which they do after they are announced.

        A producer that comes earlier can have its first batch turned away and the next one taken.
        The first is then out of sequence whenever it is tried again, until its delivery time-out.
        """
        until = time.monotonic() + CREATE_TIMEOUT_MS / 1000
        while True:
            try:
                self._ends(admin)
                return
            except (NotLeaderForPartitionError, UnknownTopicOrPartitionError):
                if time.monotonic() > until:
                    raise
                time.sleep(READY_POLL_S)

    def _ends(self, admin: KafkaAdminClient) -> list[int]:
        """Return the end of each partition's log; a leader without one answers with an error."""
        ends = admin.list_partition_offsets(dict.fromkeys(self._partitions, OffsetSpec.LATEST))
        return [end.offset for end in ends.values()]

    @property
    def _partitions(self) -> list[TopicPartition]:
        numbers = range(partitions(self._wiring))
        return [TopicPartition(self._wiring.name, number) for number in numbers]

    @property
    def _groups(self) -> list[str]:
        return [group_of(self._wiring, each) for each in range(self._wiring.subscribers)]

    def _uncommitted(self, admin: KafkaAdminClient) -> int:
        written = sum(self._ends(admin))
        committed: dict[str, dict[Any, Any]] = admin.list_group_offsets(
            dict.fromkeys(self._groups, self._partitions)
        )
        done = sum(max(at.offset, 0) for offsets in committed.values() for at in offsets.values())
        return int(written * self._wiring.subscribers - done)

    def _a_broker(self) -> int:
        return int(self._admin().describe_cluster()["brokers"][0]["broker_id"])

    def _admin(self) -> KafkaAdminClient:
        if self._opened is None:
            self._opened = KafkaAdminClient(
                **reach(self._wiring.connection), bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS
            )
        return self._opened

    def _close(self) -> None:
        admin, self._opened = self._opened, None
        if admin is not None:
            admin.close()

    def _refused(self, what: str, error: KafkaError) -> DriverError:
        return DriverError(
            f"Kafka would not {what} for {self._wiring.name}: {error}; "
            f"{advice(self._wiring.connection)}"
        )
