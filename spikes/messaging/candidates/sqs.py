"""SQS queues of a trial, and boto3 driving them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikebench.load.driver import Confirms, Deliver, Wiring
from spikes.messaging.candidates.aws import (
    AWS_ERRORS,
    client_version,
    refusal,
    server_version,
    sqs_client,
)
from spikes.messaging.candidates.batches import BatchSender, Carry, Message, in_flight
from spikes.messaging.candidates.calls import Calls

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LARGEST_BATCH = 10
LARGEST_BATCH_BYTES = 1_048_576
"""Of a batch and of a message: Amazon SQS Developer Guide, "Amazon SQS message quotas"."""

LONGEST_WAIT_S = 20
"""The longest long poll: the same guide, "Amazon SQS short and long polling"."""


def is_fifo(wiring: Wiring) -> bool:
    """Return whether the queues are FIFO ones."""
    return wiring.options.get("kind", "standard") == "fifo"


def queue_of(wiring: Wiring, subscriber: int, *, fifo: bool) -> str:
    """Return the name of ``subscriber``'s queue."""
    return f"{wiring.name}-{subscriber}" + (".fifo" if fifo else "")


class SqsQueues:
    """The queues of a trial, one a subscriber; all methods let AWS's errors through."""

    def __init__(self, sqs: SQSClient, wiring: Wiring, *, fifo: bool) -> None:
        self._sqs = sqs
        self._fifo = fifo
        self._visibility_s = wiring.options.get("visibility_timeout_s", "30")
        subscribers = range(wiring.subscribers)
        self.names = [queue_of(wiring, subscriber, fifo=fifo) for subscriber in subscribers]

    def create(self, attributes: Mapping[str, str]) -> None:
        """Create every queue with ``attributes`` beside its own."""
        own = {"VisibilityTimeout": self._visibility_s}
        if self._fifo:
            own["FifoQueue"] = "true"
        for name in self.names:
            self._sqs.create_queue(QueueName=name, Attributes={**own, **attributes})  # type: ignore[dict-item]

    def delete(self) -> None:
        """Delete every queue that is there."""
        for name in self.names:
            try:
                self._sqs.delete_queue(QueueUrl=self._url(name))
            except self._sqs.exceptions.QueueDoesNotExist:
                continue

    def waiting(self) -> int:
        """Return the messages that wait or are in consumers' hands, as the service reckons."""
        return sum(self._waiting_in(name) for name in self.names)

    def _waiting_in(self, name: str) -> int:
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._url(name),
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        ready = int(attributes["ApproximateNumberOfMessages"])
        return ready + int(attributes["ApproximateNumberOfMessagesNotVisible"])

    def _url(self, name: str) -> str:
        return self._sqs.get_queue_url(QueueName=name)["QueueUrl"]


class SqsTopology:
    """A queue a subscriber; options: ``kind`` standard or fifo, ``visibility_timeout_s``."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._queues = SqsQueues(sqs_client(wiring.connection), wiring, fifo=is_fifo(wiring))

    def create(self) -> None:
        """Create the queues; raise DriverError on refusal."""
        try:
            self._queues.create({})
        except AWS_ERRORS as error:
            raise refusal(f"create the queues of {self._wiring.name}", error) from error

    def delete(self) -> None:
        """Delete the queues by their names; raise DriverError where AWS is away."""
        try:
            self._queues.delete()
        except AWS_ERRORS as error:
            raise refusal(f"delete the queues of {self._wiring.name}", error) from error

    def backlog(self) -> int | None:
        """Return the messages that wait or are in consumers' hands, as the service reckons."""
        try:
            return self._queues.waiting()
        except AWS_ERRORS as error:
            raise refusal(f"count the messages of {self._wiring.name}", error) from error

    def version(self) -> str:
        """Return the service's name and place: it has no version."""
        return server_version(self._wiring.connection, "Amazon SQS")


class SqsDriver:
    """Sends a copy to every subscriber's queue; consumes by long polling."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._fifo = is_fifo(wiring)
        self._calls = Calls()

    def sender(self, confirms: Confirms) -> BatchSender:
        """Open a producer of a copy per subscriber, confirmed when all copies are."""
        sqs, wiring = self._calls.of(sqs_client(self._wiring.connection)), self._wiring
        queues = [queue_of(wiring, each, fifo=self._fifo) for each in range(wiring.subscribers)]
        return BatchSender(
            wiring,
            confirms,
            [_carry_to(sqs, url_of(sqs, queue), self._fifo_name) for queue in queues],
            largest_batch=LARGEST_BATCH,
            largest_bytes=LARGEST_BATCH_BYTES,
            in_flight=in_flight(wiring, ordered=self._fifo),
        )

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> SqsReceiver:
        """Open a consumer of ``subscriber``'s queue; members compete by the queue's own means."""
        del member
        queue = queue_of(self._wiring, subscriber, fifo=self._fifo)
        return SqsReceiver(self._wiring, queue, deliver, self._calls)

    def version(self) -> str:
        """Return boto3's name and version."""
        return client_version()

    def calls_answered(self) -> Mapping[str, int]:
        """Return the calls that SQS has answered so far, by operation."""
        return self._calls.so_far()

    @property
    def _fifo_name(self) -> str | None:
        return self._wiring.name if self._fifo else None


class SqsReceiver:
    """Receives by long polling and deletes what it delivered, a batch at a time."""

    def __init__(self, wiring: Wiring, queue: str, deliver: Deliver, calls: Calls) -> None:
        self._deliver = deliver
        self._most = min(LARGEST_BATCH, wiring.prefetch)
        self._sqs = calls.of(sqs_client(wiring.connection))
        self._url = url_of(self._sqs, queue)

    def receive(self, timeout_s: float) -> int:
        """Receive once, hand over what came, and delete it.

        SQS waits in whole seconds: a ``timeout_s`` above 0 is rounded up.
        """
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=self._most,
                WaitTimeSeconds=min(math.ceil(timeout_s), LONGEST_WAIT_S),
            )
        except AWS_ERRORS as error:
            raise refusal("give messages", error) from error
        messages = answer.get("Messages", [])
        if messages:
            self._deliver([message["Body"].encode("ascii") for message in messages])
            self._delete([message["ReceiptHandle"] for message in messages])
        return len(messages)

    def close(self) -> None:
        """Close the client's connections; what was delivered has been deleted."""
        self._sqs.close()

    def _delete(self, handles: Sequence[str]) -> None:
        entries: Any = [
            {"Id": str(place), "ReceiptHandle": handle} for place, handle in enumerate(handles)
        ]
        try:
            answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        except AWS_ERRORS as error:
            raise refusal("delete received messages", error) from error
        for reason in refused_entries(answer.get("Failed", [])).values():
            raise refusal("delete a received message", reason)


def entry(place: int, message: Message, fifo_name: str | None) -> dict[str, Any]:
    """Return what SQS and SNS batches have in common of one message.

    ``fifo_name`` is the trial's name where a group and a deduplication id are needed.
    """
    values: dict[str, Any] = {"Id": str(place)}
    if fifo_name is not None:
        values["MessageGroupId"] = message.key.decode("ascii")
        values["MessageDeduplicationId"] = f"{fifo_name}-{message.seq}"
    return values


def refused_entries(failed: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the places and reasons in a batch answer's ``Failed``."""
    return {int(each["Id"]): f"{each['Code']}: {each.get('Message', '')}" for each in failed}


def url_of(sqs: SQSClient, queue: str) -> str:
    """Return the URL of a queue; raise DriverError where there is none."""
    try:
        return sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    except AWS_ERRORS as error:
        raise refusal(f"find the queue {queue}", error) from error


def _carry_to(sqs: SQSClient, url: str, fifo_name: str | None) -> Carry:
    def carry(messages: Sequence[Message]) -> Mapping[int, str]:
        entries: Any = [
            {**entry(place, message, fifo_name), "MessageBody": message.body.decode("ascii")}
            for place, message in enumerate(messages)
        ]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        return refused_entries(answer.get("Failed", []))

    return carry
