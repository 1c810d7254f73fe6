"""Several nodes of one server on this machine, of which any can be broken by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from spikebench.errors import TargetError
from spikebench.target.connection import PrivateConnection
from spikebench.target.local_server import LocalServer, Prepare, with_free_ports
from spikebench.target.software import Cores, Say

_POLL_S = 0.1


@dataclass(frozen=True)
class Plan:
    """How one attempt starts a cluster.

    ``companions`` are started first, and never broken; then all ``nodes`` at
    once. ``complete`` says whether, all of them being up, they are one cluster; ``leader`` which
    node, counted from 0, leads the queue or topic of a trial's name, and raises TargetError where
    none tells.
    """

    nodes: Sequence[Prepare]
    connection: Mapping[str, str]
    leader: Callable[[str, Sequence[LocalServer]], int]
    complete: Callable[[Sequence[LocalServer]], bool]
    companions: Sequence[Prepare] = ()
    timeout_s: float = 60.0


class LocalCluster:
    """A ``Running`` server of several of our own; ``start`` makes one."""

    def __init__(
        self, name: str, plan: Plan, nodes: Sequence[LocalServer], others: Sequence[LocalServer]
    ) -> None:
        self.nodes = nodes
        self._name = name
        self._plan = plan
        self._all = [*nodes, *others]
        self._connection = PrivateConnection(plan.connection)
        self._startup_s: float | None = None

    @classmethod
    def start(cls, name: str, prepare: Callable[[], Plan], cores: Cores, say: Say) -> LocalCluster:
        """Start all nodes and wait until they are one cluster, once more if a port was taken.

        Raise TargetError with the end of a node's log if it ends, or is not up in time.
        """
        return with_free_ports(name, lambda: cls._up(name, prepare(), cores), say)

    @property
    def connection(self) -> PrivateConnection:
        """How a driver reaches it."""
        return self._connection

    @property
    def startup_s(self) -> float | None:
        """Seconds from the first node's start until all are one cluster."""
        return self._startup_s

    @property
    def ports(self) -> frozenset[int]:
        """The ports that clients connect to, of all nodes."""
        return frozenset().union(*(node.ports for node in self.nodes))

    def leader_of(self, name: str) -> LocalServer:
        """Return the node that leads the queue or topic ``name`` now; TargetError if none does."""
        return self.nodes[self._plan.leader(name, self.nodes)]

    def cpu_s(self) -> float | None:
        """CPU seconds used so far by all nodes and their companions, ended processes too."""
        return sum(each.cpu_s() or 0.0 for each in self._all)

    def peak_rss_bytes(self) -> int | None:
        """Sum of the peaks of resident memory of all nodes and their companions."""
        return sum(each.peak_rss_bytes() or 0 for each in self._all)

    def alive(self) -> bool:
        """Whether every node runs."""
        return all(each.alive() for each in self._all)

    def pause(self) -> None:
        """Take all of it off the processor."""
        for each in self._all:
            each.pause()

    def resume(self) -> None:
        """Let it run on; returns when every node answers again, TargetError if one does not."""
        for each in reversed(self._all):
            each.resume()

    def log_tail(self) -> str:
        """The last lines of what each node printed, without secrets."""
        tails = (f"node {n}:\n{node.log_tail()}" for n, node in enumerate(self.nodes, 1))
        return "\n".join(tails)

    def stop(self) -> None:
        """End all nodes and remove their data; safe to call twice."""
        with suppress(TargetError):
            # At once and without a farewell, which each would wait in vain for the others to hear.
            for node in self.nodes:
                node.crash()
        with ExitStack() as stopping:
            for each in reversed(self._all):
                stopping.callback(each.stop)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name}, {self._connection})"

    @classmethod
    def _up(cls, name: str, plan: Plan, cores: Cores) -> LocalCluster:
        began = time.monotonic()
        with ExitStack() as unless_up:

            def begin(part: str, prepare: Prepare) -> LocalServer:
                server = LocalServer.begin(f"{name}-{part}", prepare, cores)
                unless_up.callback(server.stop)
                return server

            others = [begin("companion", prepare) for prepare in plan.companions]
            for other in others:
                other.await_ready()
            nodes = [begin(f"node{n}", prepare) for n, prepare in enumerate(plan.nodes, 1)]
            cluster = cls(name, plan, nodes, others)
            cluster._await_complete()
            cluster._startup_s = time.monotonic() - began
            unless_up.pop_all()
        return cluster

    def _await_complete(self) -> None:
        for node in self.nodes:
            node.await_ready()
        deadline = time.monotonic() + self._plan.timeout_s
        while not self._plan.complete(self.nodes):
            if time.monotonic() > deadline:
                raise TargetError(
                    f"the nodes of {self._name} did not become one cluster within "
                    f"{self._plan.timeout_s:.0f} s. The ends of their logs:\n{self.log_tail()}"
                )
            time.sleep(_POLL_S)
