"""What a spike compares: candidates, the clients that drive them, and what each can promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from spikebench.target.software import Software

Ordering = Literal["none", "key", "queue"]
"""What order a consumer sees: none promised, kept per key, or kept for the whole queue."""

FanOut = Literal["native", "copies"]
"""How several subscribers each get a message: by the broker, or by the producer sending copies."""

Language = Literal["python", "java", "node", "go", "rust"]

Fidelity = Literal["service", "software", "emulator", "published", "model"]


@dataclass(frozen=True)
class Capabilities:
    """What a candidate promises by its documentation; the source stands beside each declaration.

    ``largest_message_bytes`` and ``largest_batch`` are None where no fixed limit is documented.
    ``competing_consumers`` is whether several consumers can share one subscriber's messages.
    """

    ordering: Ordering
    fan_out: FanOut = "native"
    durable: bool = True
    confirms: bool = True
    competing_consumers: bool = True
    redelivers: bool = True
    largest_message_bytes: int | None = None
    largest_batch: int | None = None


@dataclass(frozen=True)
class Client:
    """A client library for a candidate: where its driver is, and in how many processes it runs.

    ``driver`` is ``package.module:Class`` of a ``spikebench.load.driver.Driver`` for a Python
    client, or the Java class name of a ``spikebench.Driver`` for a Java one. ``artefacts`` are lock
    files of Maven artefacts that must be on the class path, ``sources`` folders of Java drivers to
    compile. ``one_process`` puts sender and receivers in one generator process (Java, where threads
    run in parallel, and in-memory drivers).
    """

    name: str
    language: Language
    driver: str
    library: str
    one_process: bool = False
    artefacts: tuple[Path, ...] = ()
    sources: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One answer under comparison.

    ``topology`` is ``package.module:Class`` of a ``spikebench.load.driver.Topology``; it is shared
    by all clients. ``options`` is passed to driver and topology as it stands. ``software`` is the
    server it needs; None for an in-memory candidate. The first client is the default one.
    ``nodes`` is how many make up that server; ``faults_only``: it is there to be broken, and is
    measured in no other run.
    """

    name: str
    capabilities: Capabilities
    clients: tuple[Client, ...]
    topology: str | None = None
    software: Software | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    nodes: int = 1
    faults_only: bool = False

    def client(self, name: str) -> Client:
        """Return the client called ``name``; raise KeyError where there is none."""
        return {client.name: client for client in self.clients}[name]

    @property
    def client_names(self) -> tuple[str, ...]:
        """Names of the clients, the default one first."""
        return tuple(client.name for client in self.clients)
