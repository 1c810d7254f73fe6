"""Kafka driven by kafka-python."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from spikebench.errors import DriverError
from spikebench.load.driver import Confirms, Deliver, Wiring
from spikes.messaging.candidates.kafka import advice, group_of, reach

PATIENCE_S = 10
"""How long the broker may take to open or close something."""


class KafkaPythonDriver:
    """An idempotent producer with acks=all, and consumers that commit what they delivered."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def sender(self, confirms: Confirms) -> KafkaPythonSender:
        """Open a producer that knows the topic's partitions."""
        return KafkaPythonSender(self._wiring, confirms)

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> KafkaPythonReceiver:
        """Open a consumer that holds its partitions."""
        return KafkaPythonReceiver(self._wiring, subscriber, member, deliver)

    def version(self) -> str:
        """Return kafka-python's name and version."""
        return f"kafka-python {kafka.__version__}"


class KafkaPythonSender:
    """Hands messages to the producer, whose own thread gathers, sends and confirms them."""

    def __init__(self, wiring: Wiring, confirms: Confirms) -> None:
        self._topic = wiring.name
        self._confirms = confirms
        self._answered = threading.Event()
        self._producer = _producer(wiring)
        self._producer.partitions_for(self._topic)

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        """Hand one message over; one the library refuses is reported as failed."""
        try:
            future = self._producer.send(self._topic, value=body, key=key)
        except KafkaError as error:
            self._confirms.failed(seq, f"{type(error).__name__}: {error}")
            return
        future.chain(_Answer(seq, self._confirms, self._answered))

    def poll(self, timeout_s: float) -> None:
        """Wait for the next confirm: the producer's own thread does the work."""
        if timeout_s > 0:
            self._answered.wait(timeout_s)
        self._answered.clear()

    def flush(self) -> None:
        """Do nothing: the producer sends what it has gathered when ``linger_ms`` is over."""

    def close(self) -> None:
        """Send what is left and close."""
        self._producer.close(timeout=PATIENCE_S)


class _Answer:
    """What the future of a record is chained to: one lock, where two callbacks take two."""

    __slots__ = ("_answered", "_confirms", "_seq")

    def __init__(self, seq: int, confirms: Confirms, answered: threading.Event) -> None:
        self._seq, self._confirms, self._answered = seq, confirms, answered

    def success(self, _metadata: object) -> None:
        """The broker has the record."""
        self._confirms.confirmed(self._seq)
        self._tell()

    def failure(self, error: BaseException) -> None:
        """The client has given the record up."""
        self._confirms.failed(self._seq, f"{type(error).__name__}: {error}")
        self._tell()

    def _tell(self) -> None:
        # To set an event takes ten times as long as to see that it is set; whoever clears it looks
        # at the counts afterwards.
        if not self._answered.is_set():
            self._answered.set()


class KafkaPythonReceiver:
    """Reads its share of the partitions and commits after delivery, at most once a poll.

    Partitions are shared out by member number rather than by the group's own rebalancing, which
    would move them while the trial's consumers join one by one; positions are the group's.
    """

    def __init__(self, wiring: Wiring, subscriber: int, member: int, deliver: Deliver) -> None:
        self._wiring = wiring
        self._deliver = deliver
        self._prefetch = wiring.prefetch
        self._ack_batch = wiring.ack_batch
        self._waiting = 0
        self._done: dict[TopicPartition, OffsetAndMetadata] = {}
        self._closed = False
        self._consumer = _consumer(wiring, group_of(wiring, subscriber))
        try:
            with _answering(wiring):
                self._take(wiring, member)
        except BaseException:
            self.close()
            raise

    def receive(self, timeout_s: float) -> int:
        """Poll once, hand over what came, and commit it."""
        with _answering(self._wiring):
            polled = self._consumer.poll(int(timeout_s * 1000), max_records=self._prefetch)
        bodies = [record.value for records in polled.values() for record in records]
        if bodies:
            self._deliver(bodies)
            for part, records in polled.items():
                self._done[part] = OffsetAndMetadata(records[-1].offset + 1, "", -1)
            self._waiting += len(bodies)
        if self._waiting >= (self._ack_batch if bodies else 1):
            self._commit()
        return len(bodies)

    def close(self) -> None:
        """Commit what was delivered and close."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._done:
                with _answering(self._wiring):
                    self._consumer.commit(self._done, timeout_ms=PATIENCE_S * 1000)
        finally:
            self._consumer.close(autocommit=False, timeout_ms=PATIENCE_S * 1000)

    def _take(self, wiring: Wiring, member: int) -> None:
        numbers = sorted(self._consumer.partitions_for_topic(wiring.name) or ())
        if not numbers:
            raise DriverError(f"Kafka has no topic {wiring.name}; has it been deleted?")
        mine = [
            TopicPartition(wiring.name, number) for number in numbers[member :: wiring.consumers]
        ]
        self._consumer.assign(mine)
        for part in mine:
            self._consumer.position(part, timeout_ms=PATIENCE_S * 1000)

    def _commit(self) -> None:
        self._consumer.commit_async(dict(self._done))
        self._waiting = 0


def _producer(wiring: Wiring) -> KafkaProducer:
    # a body may be longer than a request's default size; the broker's own limit is what counts
    largest = max(1_048_576, wiring.largest_body_bytes + 1_024)
    with _answering(wiring):
        return KafkaProducer(
            **reach(wiring.connection),
            acks="all" if wiring.confirmed else 0,
            enable_idempotence=wiring.confirmed,
            linger_ms=int(wiring.linger_ms),
            batch_size=wiring.batch_bytes,
            max_request_size=largest,
            max_in_flight_requests_per_connection=5,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=PATIENCE_S * 1000,
        )


def _consumer(wiring: Wiring, group: str) -> KafkaConsumer:
    with _answering(wiring):
        return KafkaConsumer(
            **reach(wiring.connection),
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=wiring.prefetch,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=PATIENCE_S * 1000,
        )


@contextmanager
def _answering(wiring: Wiring) -> Iterator[None]:
    """Turn the client's errors into one that says where the broker was looked for."""
    try:
        yield
    except KafkaError as error:
        where = wiring.connection["bootstrap"]
        look = advice(wiring.connection)
        raise DriverError(f"no answer from Kafka at {where}: {error}; {look}") from error
