"""RabbitMQ driven by pika's asynchronous connection, its event loop stepped from ``poll``.

pika's blocking channel waits for every confirm, about 500 a second; the asynchronous one lets
confirms come while more is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.delivery_mode import DeliveryMode
from pika.frame import Method
from pika.spec import Basic

from spikebench.errors import DriverError
from spikebench.load.driver import Confirms, Deliver, Wiring
from spikes.messaging.candidates.rabbitmq import exchange_of, kind, parameters, queue_of

PATIENCE_S = 15.0
"""How long the broker may take to open or close a connection or channel."""

WRITE_EVERY = 32
"""Messages gathered before they are written: a step of the loop costs as much as a message."""


class PikaDriver:
    """Publishes persistent messages with pipelined confirms and consumes with manual acks."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def sender(self, confirms: Confirms) -> PikaSender:
        """Open a connection that publishes."""
        return PikaSender(self._wiring, confirms)

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> PikaReceiver:
        """Open a connection that consumes from ``subscriber``'s queue."""
        del member
        return PikaReceiver(self._wiring, queue_of(self._wiring, subscriber), deliver)

    def version(self) -> str:
        """Return pika's name and version."""
        return f"pika {pika.__version__}"


class Link:
    """One connection with one channel, moved only by ``step``; DriverError when it is lost."""

    def __init__(self, wiring: Wiring) -> None:
        self._lost = ""
        self._closing = False
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._channel: Channel | None = None
        self._connection = pika.SelectConnection(
            parameters(wiring.connection),
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
            custom_ioloop=self._loop,
        )
        with self.closed_on_error():
            self.until(lambda: self._channel is not None and self._channel.is_open)

    @property
    def channel(self) -> Channel:
        """The channel, open once the link is made."""
        assert self._channel is not None
        return self._channel

    def step(self, timeout_s: float) -> None:
        """Read and write once, waiting at most ``timeout_s`` for something to happen."""
        timer = self._loop.call_later(max(timeout_s, 0.0), _nothing)
        self._loop.poll()
        self._loop.remove_timeout(timer)
        self._loop.process_timeouts()
        if self._lost and not self._closing:
            raise DriverError(f"RabbitMQ closed the connection: {self._lost}; see its log")

    def until(self, done: Callable[[], bool]) -> None:
        """Step until ``done``; raise DriverError when that takes longer than ``PATIENCE_S``."""
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > deadline:
                raise DriverError(f"RabbitMQ did not answer within {PATIENCE_S:.0f} s; is it up?")
            self.step(0.1)

    def written(self) -> bool:
        """Whether everything sent so far has left for the operating system."""
        return not self._connection._get_write_buffer_size()

    def close(self) -> None:
        """Close the connection and its loop; what is in the way is forgotten."""
        if self._closing:
            return
        self._closing = True
        try:
            if not (self._connection.is_closing or self._connection.is_closed):
                self._connection.close()
            self.until(lambda: self._connection.is_closed)
        finally:
            self._loop.deactivate_poller()
            self._loop.close()

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Close the link if what is done with it at the start fails, for nobody else will."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _on_open(self, connection: pika.SelectConnection) -> None:
        self._channel = connection.channel(on_open_callback=_nothing)
        self._channel.add_on_close_callback(self._on_lost)

    def _on_lost(self, _who: object, reason: BaseException) -> None:
        self._lost = self._lost or str(reason) or repr(reason)


def _nothing(*_arguments: object) -> None:
    """Be a callback where the library wants one."""


class PikaSender:
    """Publishes and reports confirms as they come.

    Without ``wiring.confirmed`` a message counts as confirmed when the library has taken it.
    """

    def __init__(self, wiring: Wiring, confirms: Confirms) -> None:
        self._confirms = confirms
        self._link = Link(wiring)
        self._publish = self._link.channel.basic_publish
        self._exchange = exchange_of(wiring)
        self._routing_key = "" if self._exchange else queue_of(wiring, 0)
        mode = DeliveryMode.Persistent if wiring.durable else DeliveryMode.Transient
        self._properties = pika.BasicProperties(delivery_mode=mode.value)
        self._unconfirmed = Unconfirmed()
        self._published = 0
        self._confirmed = wiring.confirmed
        if self._confirmed:
            with self._link.closed_on_error():
                self._ask_for_confirms()

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        """Publish one message; it leaves with the next ``poll`` or ``flush``, or every few."""
        del key
        self._published += 1
        if self._confirmed:
            self._unconfirmed.add(seq)
        try:
            self._publish(self._exchange, self._routing_key, body, self._properties)
        except pika.exceptions.AMQPError as error:
            raise DriverError(f"pika could not publish: {error!r}; is the broker up?") from error
        if not self._confirmed:
            self._confirms.confirmed(seq)
        if self._published % WRITE_EVERY == 0:
            self._link.step(0)

    def poll(self, timeout_s: float) -> None:
        """Write what was sent and report the confirms that have come."""
        self._link.step(timeout_s)

    def flush(self) -> None:
        """Write what was sent."""
        if not self._link.written():
            self._link.step(0)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def _ask_for_confirms(self) -> None:
        answered: list[object] = []
        self._link.channel.confirm_delivery(self._on_confirm, callback=answered.append)
        self._link.until(lambda: bool(answered))

    def _on_confirm(self, frame: Method[Any]) -> None:
        settled = self._unconfirmed.settle(frame.method.delivery_tag, frame.method.multiple)
        if isinstance(frame.method, Basic.Nack):
            for seq in settled:
                self._confirms.failed(seq, "the broker answered with basic.nack")
        else:
            for seq in settled:
                self._confirms.confirmed(seq)


class Unconfirmed:
    """Sequence numbers by delivery tag: the broker counts a channel's messages from 1."""

    def __init__(self) -> None:
        self._seqs: dict[int, int] = {}
        self._last = 0
        self._settled = 0

    def add(self, seq: int) -> None:
        """Note the next message published."""
        self._last += 1
        self._seqs[self._last] = seq

    def settle(self, tag: int, multiple: bool) -> list[int]:
        """Take out and return ``tag``'s message, or all up to it that are still open."""
        tags = range(self._settled + 1, tag + 1) if multiple else (tag,)
        seqs = [self._seqs.pop(each) for each in tags if each in self._seqs]
        if multiple or tag == self._settled + 1:
            self._settled = tag
        return seqs


class PikaReceiver:
    """Consumes with ``wiring.prefetch`` unacknowledged messages at most.

    Every ``wiring.ack_batch`` messages are acknowledged in one go; the rest when the queue falls
    silent, and on ``close``.
    """

    def __init__(self, wiring: Wiring, queue: str, deliver: Deliver) -> None:
        self._deliver = deliver
        self._ack_batch = min(wiring.ack_batch, wiring.prefetch)
        self._bodies: list[bytes] = []
        self._tag = 0
        self._delivered = 0
        self._acked = 0
        self._link = Link(wiring)
        with self._link.closed_on_error():
            self._subscribe(queue, wiring.prefetch, kind(wiring) == "stream")

    def receive(self, timeout_s: float) -> int:
        """Step the loop until something comes, hand it over, and acknowledge it."""
        self._wait(timeout_s)
        bodies, self._bodies = self._bodies, []
        if bodies:
            tag = self._tag
            self._deliver(bodies)
            self._delivered = tag
            self._acknowledge()
        elif timeout_s > 0:
            self._acknowledge_rest()
        return len(bodies)

    def close(self) -> None:
        """Acknowledge what was delivered and close; the broker takes the rest back."""
        if self._link.channel.is_open:
            self._acknowledge_rest()
        self._link.close()

    def _subscribe(self, queue: str, prefetch: int, stream: bool) -> None:
        channel = self._link.channel
        answered: list[object] = []
        channel.basic_qos(prefetch_count=prefetch, callback=answered.append)
        self._link.until(lambda: bool(answered))
        # a stream is read from its first message, not from the next one, which is its default
        arguments = {"x-stream-offset": "first"} if stream else None
        channel.basic_consume(
            queue, self._on_message, arguments=arguments, callback=answered.append
        )
        self._link.until(lambda: len(answered) > 1)

    def _wait(self, timeout_s: float) -> None:
        """Step until there are bodies: a step may end for having written acknowledgements."""
        deadline, left_s = time.monotonic() + timeout_s, timeout_s
        while not self._bodies:
            self._link.step(left_s)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return

    def _on_message(
        self, _channel: Channel, method: Basic.Deliver, _properties: object, body: bytes
    ) -> None:
        self._bodies.append(body)
        self._tag = method.delivery_tag

    def _acknowledge(self) -> None:
        ack, batch = self._link.channel.basic_ack, self._ack_batch
        if batch == 1:
            for tag in range(self._acked + 1, self._delivered + 1):
                ack(tag)
            self._acked = self._delivered
        while self._delivered - self._acked >= batch:
            self._acked += batch
            ack(self._acked, multiple=True)

    def _acknowledge_rest(self) -> None:
        if self._delivered > self._acked:
            self._acked = self._delivered
            self._link.channel.basic_ack(self._acked, multiple=True)
