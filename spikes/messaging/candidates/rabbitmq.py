"""RabbitMQ's queues and exchanges of a trial, over AMQP 0.9.1."""

from __future__ import annotations

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, AuthenticationError, ProbableAuthenticationError

from spikebench.errors import DriverError
from spikebench.load.driver import Wiring
from spikebench.target.software import Connection
from spikebench.target.tls import over_tls, trusting
from spikes.messaging.servers.rabbitmq_url import URL


def parameters(connection: Connection) -> pika.ConnectionParameters:
    """Return pika's parameters of ``connection``.

    Heartbeats are off: the broker is stopped between trials, and a heart that does not beat then
    says nothing.
    """
    return pika.ConnectionParameters(
        host=connection["host"],
        port=int(connection["port"]),
        virtual_host=connection.get("vhost", "/"),
        credentials=pika.PlainCredentials(
            connection.get("user", "guest"), connection.get("password", "guest")
        ),
        ssl_options=_tls(connection),
        heartbeat=0,
        socket_timeout=10,
        blocked_connection_timeout=60,
    )


def _tls(connection: Connection) -> pika.SSLOptions | None:
    if "tls" not in connection:
        return None
    return pika.SSLOptions(trusting(connection.get("ca_file")), connection["host"])


def every_parameters(connection: Connection) -> list[pika.ConnectionParameters]:
    """Return pika's parameters of each node of ``connection``, in the order of trying them."""
    nodes = [each.rpartition(":") for each in connection.get("addresses", "").split(",") if each]
    return [parameters({**connection, "host": host, "port": port}) for host, _, port in nodes] or [
        parameters(connection)
    ]


def queue_arguments(wiring: Wiring) -> dict[str, str | int]:
    """Return what a queue is declared with: its kind, and its ``replicas`` where they are given."""
    replicas = wiring.options.get("replicas")
    grouped = {"x-quorum-initial-group-size": int(replicas)} if replicas else {}
    return {"x-queue-type": kind(wiring), **grouped}


def kind(wiring: Wiring) -> str:
    """Return the kind of queue: ``classic``, ``quorum`` or ``stream``."""
    return wiring.options.get("kind", "classic")


def queue_of(wiring: Wiring, subscriber: int) -> str:
    """Return the queue that ``subscriber`` reads: its own, or the one stream they all read."""
    return wiring.name if kind(wiring) == "stream" else f"{wiring.name}.{subscriber}"


def exchange_of(wiring: Wiring) -> str:
    """Return the exchange to publish to: a fanout for several queues, else the default one."""
    return wiring.name if wiring.subscribers > 1 and kind(wiring) != "stream" else ""


class RabbitTopology:
    """A queue a subscriber behind a fanout exchange, or one stream.

    Options: ``kind``, and ``replicas`` of a quorum queue; all of the cluster's nodes if not given.

    Queues are durable whatever the wiring says, for the broker no longer recommends others
    (https://www.rabbitmq.com/docs/queues#durability): ``wiring.durable`` makes messages persistent.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None

    def create(self) -> None:
        """Declare queues, exchange and bindings; raise DriverError on refusal."""
        exchange = exchange_of(self._wiring)
        try:
            channel = self._open()
            if exchange:
                channel.exchange_declare(exchange, exchange_type="fanout", durable=True)
            for queue in self._queues:
                channel.queue_declare(queue, durable=True, arguments=queue_arguments(self._wiring))
                if exchange:
                    channel.queue_bind(queue, exchange)
        except AMQPError as error:
            raise self._refused("create its queues", error) from error

    def delete(self) -> None:
        """Delete queues and exchange by their names; raise DriverError where the broker is away."""
        try:
            if not self._is_open():  # the broker may have been away since the queues were made
                self._connection = None
            channel = self._open()
            for queue in self._queues:
                channel.queue_delete(queue)
            if exchange := exchange_of(self._wiring):
                channel.exchange_delete(exchange)
        except AMQPError as error:
            raise self._refused("delete its queues", error) from error
        finally:
            self._close()

    def backlog(self) -> int | None:
        """Return the messages ready in all queues; None for a stream, which keeps what was read.

        AMQP does not tell how many are in consumers' hands: at most ``prefetch`` for each of them.
        """
        if kind(self._wiring) == "stream":
            return None
        try:
            channel = self._open()
            declared = [channel.queue_declare(queue, passive=True) for queue in self._queues]
        except AMQPError as error:
            raise self._refused("count its messages", error) from error
        return sum(int(answer.method.message_count) for answer in declared)

    def version(self) -> str:
        """Return the version in the broker's greeting, e.g. ``RabbitMQ 3.10.8``.

        It ends with ``over TLS`` where that is so, for it is another thing to measure.
        """
        try:
            self._open()
            assert self._connection is not None
            properties = self._connection._impl.server_properties
        except AMQPError as error:
            raise self._refused("tell its version", error) from error
        tls = over_tls(self._wiring.connection)
        return f"{properties['product']} {properties['version']}{tls}"

    @property
    def _queues(self) -> list[str]:
        subscribers = range(self._wiring.subscribers)
        return sorted({queue_of(self._wiring, subscriber) for subscriber in subscribers})

    def _open(self) -> BlockingChannel:
        if self._connection is None or not self._connection.is_open:
            self._connection = pika.BlockingConnection(every_parameters(self._wiring.connection))
            self._channel = None
        if self._channel is None or not self._channel.is_open:
            self._channel = self._connection.channel()
        return self._channel

    def _is_open(self) -> bool:
        """Whether the connection still stands; asked of the network, which a client rarely does."""
        try:
            if self._connection is not None and self._connection.is_open:
                self._connection.process_data_events(0)
        except AMQPError:
            return False
        return True

    def _close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            connection.close()

    def _refused(self, what: str, error: AMQPError) -> DriverError:
        reason = str(error) or type(error).__name__
        return DriverError(
            f"RabbitMQ would not {what} for {self._wiring.name}: {reason}; {_advice(error)}"
        )


def _advice(error: AMQPError) -> str:
    if isinstance(error, (AuthenticationError, ProbableAuthenticationError)):
        return f"check user and password in {URL}"
    return "look at the broker's log, and whether it is up"
