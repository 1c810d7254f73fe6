"""A cluster of small servers of our own: what is done to all of them, and to one alone."""

import os
import socket
import sys
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest

from spikebench.errors import TargetError
from spikebench.target.local_cluster import LocalCluster, Plan
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.ports import answers, free_ports
from spikebench.target.software import Cores

CORES = Cores(server=[min(os.sched_getaffinity(0))], load=[max(os.sched_getaffinity(0))])
SERVER = textwrap.dedent(
    """
    import pathlib, socket, sys
    starts = pathlib.Path("starts")
    starts.write_text(starts.read_text() + "." if starts.exists() else ".")
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("node up", starts.read_text(), flush=True)
    while True:
        server.accept()[0].close()
    """
)


class Example:
    """Plans for three nodes and a companion; a queue's leader is the number its name ends in."""

    def __init__(self, complete: bool = True, breaks: int = -1) -> None:
        self.complete = complete
        self.breaks = breaks
        self.folders: list[Path] = []
        self.ports: list[int] = []

    def __call__(self) -> Plan:
        ports = [self.ports.pop(0) if self.ports else free_ports(1)[0] for _ in range(3)]
        return Plan(
            nodes=[partial(self._node, n, port) for n, port in enumerate(ports)],
            connection={"addresses": ",".join(map(str, ports)), "password": "s3cret"},
            leader=self._leader,
            complete=lambda _: self.complete,
            companions=[partial(self._node, 9, free_ports(1)[0])],
            timeout_s=0.3,
        )

    def _node(self, number: int, port: int, folder: Path) -> Launch:
        self.folders.append(folder)
        command = "raise SystemExit('no such option')" if number == self.breaks else SERVER
        return Launch(
            command=[sys.executable, "-c", command, str(port)],
            connection={},
            listens=[port],
            ready=lambda: answers("127.0.0.1", port),
            # The interpreter that runs these tests may lie where an ordinary user can't look.
            as_ordinary_user=False,
            timeout_s=30.0,
        )

    @staticmethod
    def _leader(name: str, nodes: Sequence[LocalServer]) -> int:
        number = int(name[-1])
        if not nodes[number].alive():
            raise TargetError(f"nobody leads {name}")
        return number


@pytest.fixture
def example() -> Example:
    return Example()


@pytest.fixture
def cluster(example: Example) -> Iterator[LocalCluster]:
    running = LocalCluster.start("example", example, CORES, print)
    yield running
    running.stop()


def statuses(cluster: LocalCluster) -> list[set[str]]:
    return [{psutil.Process(pid).status() for pid in node.pids} for node in cluster.nodes]


def test_all_nodes_are_up_and_accounted_for(cluster: LocalCluster) -> None:
    assert cluster.alive()
    assert len(cluster.nodes) == 3
    assert {str(port) for port in cluster.ports} == set(cluster.connection["addresses"].split(","))
    assert (cluster.startup_s or 0) > 0
    of_nodes = [node.peak_rss_bytes() or 0 for node in cluster.nodes]
    assert min(of_nodes) > 0
    assert (cluster.peak_rss_bytes() or 0) > sum(of_nodes)  # and their companion's
    assert (cluster.cpu_s() or 0) >= sum(node.cpu_s() or 0 for node in cluster.nodes) > 0


def test_only_the_leader_is_killed_and_comes_back_with_its_data(cluster: LocalCluster) -> None:
    leader = cluster.leader_of("queue-1")
    assert leader is cluster.nodes[1]
    leader.crash()
    assert [node.alive() for node in cluster.nodes] == [True, False, True]
    assert not cluster.alive()
    with pytest.raises(TargetError, match="nobody leads queue-1"):
        cluster.leader_of("queue-1")
    leader.start_again()
    assert cluster.alive()
    assert "node up .." in leader.log_tail()
    assert "node up ..\n" not in cluster.nodes[0].log_tail() + "\n"


def test_only_the_leader_is_paused(cluster: LocalCluster) -> None:
    leader = cluster.leader_of("queue-2")
    leader.pause()
    stopped = [psutil.STATUS_STOPPED in each for each in statuses(cluster)]
    assert stopped == [False, False, True]
    leader.resume()
    assert psutil.STATUS_STOPPED not in set().union(*statuses(cluster))


def test_a_paused_cluster_does_not_run_until_it_is_resumed(cluster: LocalCluster) -> None:
    cluster.pause()
    assert statuses(cluster) == [{psutil.STATUS_STOPPED}] * 3
    cluster.resume()
    assert all(answers("127.0.0.1", port) for port in cluster.ports)


def test_stopping_ends_all_and_is_safe_to_repeat(cluster: LocalCluster, example: Example) -> None:
    pids = [pid for node in cluster.nodes for pid in node.pids]
    cluster.stop()
    cluster.stop()
    assert not any(map(psutil.pid_exists, pids))
    assert [folder.exists() for folder in example.folders] == [False] * 4
    assert not cluster.alive()
    assert cluster.log_tail().count("node up") == 3


def test_secrets_are_not_shown(cluster: LocalCluster) -> None:
    assert "s3cret" not in repr(cluster)


def test_a_node_that_ends_early_ends_all() -> None:
    example = Example(breaks=1)
    with pytest.raises(TargetError, match=r"example-node2 ended with code 1(.|\n)*no such option"):
        LocalCluster.start("example", example, CORES, print)
    assert [folder.exists() for folder in example.folders] == [False] * 4


def test_nodes_that_do_not_find_each_other_are_one_error() -> None:
    example = Example(complete=False)
    with pytest.raises(TargetError, match=r"example did not become one(.|\n)*node 3:\nnode up"):
        LocalCluster.start("example", example, CORES, print)
    assert [folder.exists() for folder in example.folders] == [False] * 4


def test_a_taken_port_is_given_up_once(example: Example) -> None:
    said = list[str]()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        example.ports = [stranger.getsockname()[1]]
        cluster = LocalCluster.start("example", example, CORES, said.append)
    assert cluster.alive()
    assert said == ["example: a port was taken meanwhile, trying others"]
    assert [folder.exists() for folder in example.folders] == [False] * 4 + [True] * 4
    cluster.stop()
