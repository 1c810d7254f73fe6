"""The seam between the harness and a client library: all that a candidate's author writes.

A driver creates and deletes its topology, sends, receives and acknowledges. It never times, counts
or retries on its own: the harness owns rate, timestamps, sequence numbers and clean-up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

from spikebench.candidate import Ordering
from spikebench.target.connection import PrivateConnection


@dataclass(frozen=True)
class Wiring:
    """Everything a driver may know of a trial; plain values, to cross to a worker as JSON.

    ``name`` is unique to the trial and prefixes every queue, topic or stream that is created, so
    that only ours are ever deleted. Each of ``subscribers`` gets every message; ``consumers`` of
    them compete for each subscriber's share. ``confirm_window`` is how many messages may be
    unconfirmed at once (the harness holds the sender back; drivers may size buffers by it).
    ``batch_messages``/``linger_ms``/``batch_bytes`` are how far a client may gather messages into
    one call: up to so many messages or bytes, waiting at most so long. ``prefetch`` is how many
    unacknowledged messages a consumer may hold; ``ack_batch`` how many it acknowledges at once.
    ``largest_body_bytes`` is the longest body the trial will send. ``reconnects`` is whether the
    harness opens a lost connection anew (Java clients only); ``journal`` a folder where receivers
    keep what they got, for one that is to be killed; empty for none (``load.journal``).
    """

    name: str
    connection: Mapping[str, str]
    options: Mapping[str, str] = field(default_factory=dict)
    subscribers: int = 1
    consumers: int = 1
    ordering: Ordering = "none"
    durable: bool = True
    confirmed: bool = True
    confirm_window: int = 1000
    batch_messages: int = 1
    batch_bytes: int = 131_072
    linger_ms: float = 0.0
    prefetch: int = 200
    ack_batch: int = 1
    largest_body_bytes: int = 1_024
    reconnects: bool = False
    journal: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the wiring that ``to_json`` wrote, its secrets as hard to show as they were."""
        return cls(**{**values, "connection": PrivateConnection(values["connection"])})


class Topology(Protocol):
    """Queues, topics, streams of one trial. Constructed with a ``Wiring``."""

    def create(self) -> None:
        """Create all of it, ready to be written to; raise DriverError on refusal."""

    def delete(self) -> None:
        """Delete what ``create`` made and nothing else; safe to call twice."""

    def backlog(self) -> int | None:
        """Messages that wait or are in hand, over all subscribers; None if it can't be known."""

    def version(self) -> str:
        """The server's own version string, asked of the server."""


class Confirms(Protocol):
    """What a sender tells the harness; safe to call from any thread."""

    def confirmed(self, seq: int) -> None:
        """The broker has taken responsibility for message ``seq``."""

    def failed(self, seq: int, reason: str) -> None:
        """The broker or client has refused message ``seq``; it will not be sent again."""


class Sender(Protocol):
    """One producer's connection, used from one thread."""

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        """Hand one message to the client library; may gather it into a batch."""

    def poll(self, timeout_s: float) -> None:
        """Drive I/O and deliver confirms, returning after at most about ``timeout_s`` seconds."""

    def flush(self) -> None:
        """Push gathered messages out; does not wait for confirms."""

    def close(self) -> None:
        """Close the connection; safe to call twice."""


Deliver = Callable[[Sequence[bytes]], None]
"""What a receiver calls with the bodies it has just got, before it acknowledges them."""


class Receiver(Protocol):
    """One consumer's connection, used from one thread."""

    def receive(self, timeout_s: float) -> int:
        """Wait at most about ``timeout_s`` for messages and hand them to ``deliver``.

        Acknowledge them as the wiring says and return how many there were.
        """

    def close(self) -> None:
        """Acknowledge what was delivered and close the connection; safe to call twice."""


class Driver(Protocol):
    """A client library for one candidate. Constructed with a ``Wiring``, in a worker process."""

    def sender(self, confirms: Confirms) -> Sender:
        """Open a producer, ready to send."""

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> Receiver:
        """Open consumer ``member`` of ``subscriber`` (both from 0), subscribed when it returns."""

    def version(self) -> str:
        """Name and version of the client library, e.g. ``pika 1.4.4``."""


@runtime_checkable
class Billed(Protocol):
    """What a driver has beside its verbs where its service bills calls, whatever they carry."""

    def calls_answered(self) -> Mapping[str, int]:
        """Return how many calls the service has answered so far, by operation, from any thread."""
