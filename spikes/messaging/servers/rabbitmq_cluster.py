"""Three RabbitMQ nodes on this machine, to see what a lost one costs."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.local_cluster import LocalCluster, Plan
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.ports import LOOPBACK, answers, free_ports
from spikebench.target.software import Cores, Presence, Say, Software
from spikes.messaging.servers.images import rabbitmq_answers
from spikes.messaging.servers.rabbitmq import (
    LocalRabbitMQ,
    configure,
    erlang,
    node_name,
    places,
)

NODES = 3

_FORMATION = "cluster_formation.peer_discovery_backend = classic_config\n"
_ASK_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class LocalRabbitMQCluster:
    """Three nodes from the same unpacked packages as the one of ``single``."""

    single: LocalRabbitMQ = field(default_factory=LocalRabbitMQ)

    def presence(self, cache: Cache) -> Presence:
        """Tell whether it is unpacked, or could be."""
        return self.single.presence(cache)

    def install(self, cache: Cache, say: Say) -> None:
        """Unpack it into the cache."""
        self.single.install(cache, say)

    def start(self, cache: Cache, cores: Cores, say: Say) -> LocalCluster:
        """Start all three, with a generated user, password and cookie."""
        root = self.single.tree.unpack(cache, say)
        say(f"starting {NODES} nodes of RabbitMQ {self.single.version(root)}")
        libraries = self.single.tree.library_path(root)

        def plan() -> Plan:
            return _Attempt(root, libraries, len(cores.server)).plan()

        return LocalCluster.start("rabbitmq-3", plan, cores, say)


@dataclass(frozen=True)
class _Ports:
    """Where one node listens: for AMQP, for streams, for the other nodes."""

    amqp: int
    stream: int
    distribution: int


@dataclass
class _Attempt:
    """One attempt to start the cluster: its ports and secrets.

    All nodes find each other by one name server (epmd), which is a process of its own here:
    started by a node, as it usually is, it would be killed with it. ``home`` is its folder.
    """

    root: Path
    libraries: str
    schedulers: int
    ports: Sequence[_Ports] = field(init=False)
    epmd_port: int = field(init=False)
    cookie: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    home: Path | None = None

    def __post_init__(self) -> None:
        self.epmd_port, *numbers = free_ports(1 + 3 * NODES)
        self.ports = [_Ports(*numbers[at : at + 3]) for at in range(0, 3 * NODES, 3)]

    def plan(self) -> Plan:
        """Plan name server and nodes; clients try these in order, so that all go to the first."""
        addresses = ",".join(f"{LOOPBACK}:{each.amqp}" for each in self.ports)
        return Plan(
            companions=[self._name_server],
            nodes=[partial(self._node, each) for each in self.ports],
            connection={**self._connection(self.ports[0]), "addresses": addresses},
            leader=self._leader,
            complete=self._joined,
        )

    def _name_server(self, folder: Path) -> Launch:
        self._write_cookie(folder)
        self.home = folder
        return Launch(
            command=[self._program("epmd"), "-address", LOOPBACK, "-port", str(self.epmd_port)],
            connection={},
            listens=[self.epmd_port],
            ready=lambda: answers(LOOPBACK, self.epmd_port),
            environ=self._library_path(),
        )

    def _node(self, mine: _Ports, folder: Path) -> Launch:
        connection = self._connection(mine)
        configure(folder, connection)
        with (folder / "rabbitmq.conf").open("a") as file:
            file.write(_FORMATION)
            for number, name in enumerate(self._names, 1):
                file.write(f"cluster_formation.classic_config.nodes.{number} = {name}\n")
        self._write_cookie(folder)
        environ = erlang(self.root, self.schedulers, self.epmd_port, mine.distribution)
        environ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] += " -start_epmd false"
        return Launch(
            command=[str(self.root / "usr" / "lib" / "rabbitmq" / "bin" / "rabbitmq-server")],
            connection=connection,
            listens=[mine.amqp, mine.stream],
            ready=lambda: rabbitmq_answers(connection),
            environ=places(folder) | environ | self._library_path(),
            timeout_s=180.0,
        )

    def _connection(self, mine: _Ports) -> PrivateConnection:
        return PrivateConnection(
            host=LOOPBACK,
            port=str(mine.amqp),
            stream_port=str(mine.stream),
            user="spikebench",
            password=self.password,
            vhost="/",
        )

    def _joined(self, nodes: Sequence[LocalServer]) -> bool:
        """Whether every node sees the others."""
        seen = [self._ask(each, "erlang nodes") for each in self._living(nodes)]
        return len(seen) == NODES and all(len(_atoms(names)) == NODES - 1 for names in seen)

    def _leader(self, name: str, nodes: Sequence[LocalServer]) -> int:
        """Which node leads the first quorum queue of ``name``.

        Any node may tell that has heard of it, which one that has just started has not.
        """
        for asked in self._living(nodes):
            leader, *members = _lead(self._ask(asked, "ets tab2list [ra_leaderboard]"), name)
            if len(members) == NODES:
                return self._names.index(leader)
        raise TargetError(
            f"no node of RabbitMQ says that {name} has {NODES} members, and which of them leads; "
            "look at their logs"
        )

    def _living(self, nodes: Sequence[LocalServer]) -> Iterator[_Ports]:
        return (mine for mine, node in zip(self.ports, nodes, strict=True) if node.alive())

    @property
    def _names(self) -> list[str]:
        return [node_name(each.distribution) for each in self.ports]

    def _ask(self, node: _Ports, call: str) -> str:
        """Call a function in a node, ``module function [arguments]``.

        Return its answer as text; nothing where it does not answer.
        """
        command = [self._program("erl_call"), "-n", node_name(node.distribution), "-a", call]
        environ = {"HOME": str(self.home), "ERL_EPMD_PORT": str(self.epmd_port)}
        try:
            done = subprocess.run(
                command,
                env=environ | self._library_path(),
                capture_output=True,
                text=True,
                timeout=_ASK_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout

    def _write_cookie(self, folder: Path) -> None:
        cookie = folder / ".erlang.cookie"
        cookie.write_text(self.cookie)
        cookie.chmod(0o400)

    def _program(self, name: str) -> str:
        (runtime,) = (self.root / "usr" / "lib" / "erlang").glob("erts-*/bin")
        return str(runtime / name)

    def _library_path(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": self.libraries} if self.libraries else {}


def _lead(board: str, name: str) -> list[str]:
    """The node that leads the first queue of ``name`` on a board of leaders, and all members.

    The board is a list of {queue, {queue, leader}, [{queue, member}, ...]}. Where the queue is not
    on it, the node is nothing.
    """
    queue = rf"'[^']*{re.escape(name)}[^']*'"
    found = re.search(rf"{{{queue},{{{queue},('[^']*')}},\[([^\]]*)\]", "".join(board.split()))
    return [*_atoms(found[1]), *_atoms(found[2])[1::2]] if found else [""]


def _atoms(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


RABBITMQ_3 = Software(
    name="rabbitmq-3",
    recipes={"local": LocalRabbitMQCluster()},
    fidelity={"local": "software"},
)
