"""Three Kafka nodes on this machine, each broker and controller, to see what a lost one costs."""

from __future__ import annotations

import base64
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.java import java_home, java_version
from spikebench.target.local_cluster import LocalCluster, Plan
from spikebench.target.local_server import Launch
from spikebench.target.maven import class_path
from spikebench.target.ports import LOOPBACK, free_ports
from spikebench.target.software import Cores, Presence, Say, Software
from spikes.messaging.servers.images import kafka_answers
from spikes.messaging.servers.kafka import LocalKafka, java_command
from spikes.messaging.servers.kafka_settings import (
    CONFIGURATION,
    DEFAULT_SESSION_MS,
    JVM,
    LOGGING,
)

NODES = 3
NOBODY = -1
"""The leader of a partition that has none."""

# What differs from a node alone; of two lines with one key, Kafka takes the later one. Three
# replicas of which two must have a record before it is confirmed are what its documentation
# recommends ("min.insync.replicas" under "Topic Configs").
_CLUSTERED = """\
node.id={number}
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
"""

_HEAP = {"-Xms1g": "-Xms512m", "-Xmx1g": "-Xmx512m"}


@dataclass(frozen=True)
class Ports:
    """Where one node listens: for clients, and for the other controllers."""

    clients: int
    controllers: int


@dataclass(frozen=True)
class LocalKafkaCluster:
    """Three KRaft nodes from the same jars as the one of ``single``."""

    single: LocalKafka = field(default_factory=lambda: LocalKafka(session_ms=DEFAULT_SESSION_MS))

    def presence(self, cache: Cache) -> Presence:
        """Tell whether jars and Java are here; otherwise they can be fetched."""
        return self.single.presence(cache)

    def install(self, cache: Cache, say: Say) -> None:
        """Fetch jars and a Java runtime into the cache, and format an empty data folder."""
        self.single.install(cache, say)

    def start(self, cache: Cache, cores: Cores, say: Say) -> LocalCluster:
        """Start all three; topics are created by their users, never by chance."""
        home, jars = java_home(cache, say), class_path(self.single.lock, cache, say)
        formatted = self.single.formatted(cache, home, jars, say)
        say(f"starting {NODES} nodes of Kafka on Java {java_version(home)}")
        plan = partial(_plan, java_command(home, jars), formatted, self.single.session_ms)
        return LocalCluster.start("kafka-3", plan, cores, say)


def _plan(java: Sequence[str], formatted: Path, session_ms: int) -> Plan:
    numbers = free_ports(2 * NODES)
    ports = [Ports(*numbers[at : at + 2]) for at in range(0, 2 * NODES, 2)]
    bootstrap = ",".join(f"{LOOPBACK}:{each.clients}" for each in ports)
    return Plan(
        nodes=[
            partial(_launch, java, formatted, number, ports, session_ms)
            for number in range(1, NODES + 1)
        ],
        connection={"bootstrap": bootstrap},
        leader=lambda topic, _: _leader(bootstrap, topic) - 1,
        complete=lambda _: _brokers(bootstrap) == NODES,
    )


def _launch(
    java: Sequence[str],
    formatted: Path,
    number: int,
    ports: Sequence[Ports],
    session_ms: int,
    folder: Path,
) -> Launch:
    mine, data, logging = ports[number - 1], folder / "data", folder / "log4j2.yaml"
    properties = folder / "server.properties"
    shutil.copytree(formatted, data)
    _name(data / "meta.properties", number)
    properties.write_text(_configuration(number, ports, data, session_ms))
    logging.write_text(LOGGING)
    connection = PrivateConnection(bootstrap=f"{LOOPBACK}:{mine.clients}")
    options = [*(_HEAP.get(each, each) for each in JVM), f"-Dlog4j2.configurationFile={logging}"]
    return Launch(
        command=[*java, *options, "kafka.Kafka", str(properties)],
        connection=connection,
        listens=[mine.clients],
        ready=lambda: kafka_answers(connection),
        timeout_s=180.0,
    )


def _configuration(number: int, ports: Sequence[Ports], data: Path, session_ms: int) -> str:
    mine = ports[number - 1]
    alone = CONFIGURATION.format(
        listen=LOOPBACK,
        port=mine.clients,
        controller_port=mine.controllers,
        data=data,
        session_ms=session_ms,
    )
    voters = ",".join(f"{n}@{LOOPBACK}:{each.controllers}" for n, each in enumerate(ports, 1))
    return alone + _CLUSTERED.format(number=number, voters=voters)


def _name(properties: Path, number: int) -> None:
    """Give a copied data folder the number of its node and an identity of its own."""
    own = {"node.id": str(number), "directory.id": _identity()}
    lines = [line.partition("=") for line in properties.read_text().splitlines()]
    properties.write_text("".join(f"{k}{eq}{own.get(k, v)}\n" for k, eq, v in lines))


def _identity() -> str:
    # as Kafka writes them: base64 for addresses, and none that looks like an option
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return _identity() if text.startswith("-") else text


def _leader(bootstrap: str, topic: str) -> int:
    """The number of the node that leads all of the topic; TargetError where there is none."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=10_000)
        try:
            (described,) = admin.describe_topics([topic])
        finally:
            admin.close()
    except KafkaError as error:
        raise TargetError(f"Kafka would not tell who leads {topic}: {error}") from error
    leaders = {int(each["leader_id"]) for each in described["partitions"]}
    if len(leaders) != 1 or leaders == {NOBODY}:
        raise TargetError(f"no one node of Kafka leads all of {topic}: {described}")
    return leaders.pop()


def _brokers(bootstrap: str) -> int:
    """How many brokers the cluster has, as far as it tells."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=10_000)
        try:
            return len(admin.describe_cluster()["brokers"])
        finally:
            admin.close()
    except KafkaError:
        return 0


KAFKA_3 = Software(
    name="kafka-3",
    recipes={"local": LocalKafkaCluster()},
    fidelity={"local": "software"},
)
