"""The clusters of three: what their nodes are told, who leads, and that another does after it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from spikebench.errors import TargetError
from spikebench.load.driver import Topology, Wiring
from spikebench.target.cache import Cache
from spikebench.target.cores import split_cores
from spikebench.target.local_cluster import LocalCluster
from spikebench.target.software import Recipe
from spikes.messaging.candidates.kafka import KafkaTopology
from spikes.messaging.candidates.rabbitmq import RabbitTopology
from spikes.messaging.servers import kafka_cluster, rabbitmq_cluster
from spikes.messaging.spike import SPIKE

BOARD = """
[{'%2F_sb-1.0', {'%2F_sb-1.0', 'two@localhost'}, [{'%2F_sb-1.0', 'one@localhost'},
 {'%2F_sb-1.0', 'two@localhost'}, {'%2F_sb-1.0', 'three@localhost'}]},
 {'%2F_sb-2.0', {'%2F_sb-2.0', 'one@localhost'}, [{'%2F_sb-2.0', 'one@localhost'}]}]
"""


def test_the_leader_of_a_quorum_queue_is_read_with_its_members() -> None:
    members = ["one@localhost", "two@localhost", "three@localhost"]
    assert rabbitmq_cluster._lead(BOARD, "sb-1") == ["two@localhost", *members]
    assert rabbitmq_cluster._lead(BOARD, "sb-2") == ["one@localhost", "one@localhost"]


@pytest.mark.parametrize("board", ["", "[]", BOARD])
def test_a_queue_that_nobody_knows_has_no_leader(board: str) -> None:
    assert rabbitmq_cluster._lead(board, "sb-3") == [""]


def test_a_rabbitmq_node_knows_its_peers_and_starts_no_name_server(tmp_path: Path) -> None:
    attempt = rabbitmq_cluster._Attempt(tmp_path, "", 1)
    folder = tmp_path / "node"
    folder.mkdir()
    launch = attempt._node(attempt.ports[1], folder)
    told = (folder / "rabbitmq.conf").read_text()
    for number, ports in enumerate(attempt.ports, 1):
        assert f"nodes.{number} = spikebench-{ports.distribution}@localhost\n" in told
    assert f"listeners.tcp.1 = 127.0.0.1:{attempt.ports[1].amqp}\n" in told
    assert "-start_epmd false" in launch.environ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]
    cookie = folder / ".erlang.cookie"
    assert cookie.read_text() == attempt.cookie
    assert cookie.stat().st_mode & 0o777 == 0o400
    assert attempt.cookie not in repr(attempt)
    assert attempt.password not in repr(attempt)


def test_a_kafka_node_has_a_number_its_peers_and_copies(tmp_path: Path) -> None:
    ports = [kafka_cluster.Ports(9001, 9101), kafka_cluster.Ports(9002, 9102)]
    lines = kafka_cluster._configuration(2, ports, tmp_path, 9_000).splitlines()
    told = dict(line.split("=", 1) for line in lines)  # of two with one key the later counts
    assert told["node.id"] == "2"
    assert told["controller.quorum.voters"] == "1@127.0.0.1:9101,2@127.0.0.1:9102"
    assert told["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9002"
    assert told["broker.session.timeout.ms"] == "9000"
    assert told["min.insync.replicas"] == "2"
    assert told["offsets.topic.replication.factor"] == "3"


def test_a_kafka_node_has_an_identity_of_its_own(tmp_path: Path) -> None:
    properties = tmp_path / "meta.properties"
    seen = set()
    for number in (2, 3):
        properties.write_text("#\nnode.id=1\ndirectory.id=abc\nversion=1\ncluster.id=c\n")
        kafka_cluster._name(properties, number)
        first, node, directory, *rest = properties.read_text().splitlines()
        assert (first, node, rest) == ("#", f"node.id={number}", ["version=1", "cluster.id=c"])
        seen.add(directory.removeprefix("directory.id="))
    assert len(seen) == 2
    assert {len(each) for each in seen} == {22}


# From here on with real servers.


@pytest.fixture
def start() -> Iterator[Callable[[Recipe], LocalCluster]]:
    running: list[LocalCluster] = []

    def started(recipe: Recipe) -> LocalCluster:
        cluster = recipe.start(Cache.open(), split_cores(), print)
        assert isinstance(cluster, LocalCluster)
        running.append(cluster)
        return cluster

    yield started
    for cluster in running:
        cluster.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("candidate", "make", "recipe"),
    [
        ("rabbitmq-quorum-3", RabbitTopology, rabbitmq_cluster.LocalRabbitMQCluster()),
        ("kafka-3", KafkaTopology, kafka_cluster.LocalKafkaCluster()),
    ],
)
def test_another_node_leads_when_the_leader_is_killed(
    candidate: str,
    make: Callable[[Wiring], Topology],
    recipe: Recipe,
    start: Callable[[Recipe], LocalCluster],
) -> None:
    cluster = start(recipe)
    name = f"sb-{uuid4().hex[:8]}"
    wiring = Wiring(name, cluster.connection, SPIKE.candidate(candidate).options)
    topology = make(wiring)
    topology.create()
    leader = cluster.leader_of(name)
    leader.crash()
    deadline = time.monotonic() + 60
    while (now := _leads(cluster, name)) in (None, leader) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert now in cluster.nodes
    assert now is not leader
    leader.start_again()
    assert cluster.alive()
    topology.delete()


def _leads(cluster: LocalCluster, name: str) -> object:
    try:
        return cluster.leader_of(name)
    except TargetError:  # for a while nobody leads, and the dead node may be the one that is asked
        return None
