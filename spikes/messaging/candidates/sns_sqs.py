"""An SNS topic in front of a queue for each subscriber, and boto3 driving them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikebench.load.driver import Confirms, Deliver, Wiring
from spikes.messaging.candidates.aws import (
    AWS_ERRORS,
    client_version,
    refusal,
    server_version,
    sns_client,
    sqs_client,
)
from spikes.messaging.candidates.batches import BatchSender, Carry, Message, in_flight
from spikes.messaging.candidates.calls import Calls
from spikes.messaging.candidates.sqs import (
    SqsQueues,
    SqsReceiver,
    entry,
    queue_of,
    refused_entries,
)

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

LARGEST_BATCH = 10
LARGEST_BATCH_BYTES = 262_144
"""Of a batch and of a message: Amazon SNS API Reference, PublishBatch and Publish."""


def is_fifo(wiring: Wiring) -> bool:
    """Return whether topic and queues are FIFO ones: where the trial asks for any order."""
    return wiring.ordering != "none"


def topic_of(wiring: Wiring) -> str:
    """Return the topic's name."""
    return wiring.name + (".fifo" if is_fifo(wiring) else "")


class SnsSqsTopology:
    """A topic and a queue a subscriber, subscribed with raw delivery; FIFO where order is asked.

    Options: ``visibility_timeout_s``.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._sns = sns_client(wiring.connection)
        self._queues = SqsQueues(sqs_client(wiring.connection), wiring, fifo=is_fifo(wiring))

    def create(self) -> None:
        """Create topic, queues and subscriptions; raise DriverError on refusal."""
        try:
            topic = topic_arn(self._sns, self._wiring)
            self._queues.create({"Policy": _may_send(topic)})
            for queue in self._queues.names:
                self._sns.subscribe(
                    TopicArn=topic,
                    Protocol="sqs",
                    Endpoint=_queue_arn(topic, queue),
                    Attributes={"RawMessageDelivery": "true"},
                )
        except AWS_ERRORS as error:
            raise refusal(f"create the topic of {self._wiring.name}", error) from error

    def delete(self) -> None:
        """Delete topic, subscriptions and queues by their names; DriverError where AWS is away.

        A topic's name is turned into its ARN by creating it, which changes nothing where it is;
        subscriptions go with their topic, but not at once, and so are ended one by one.
        """
        try:
            topic = topic_arn(self._sns, self._wiring)
            for page in self._sns.get_paginator("list_subscriptions_by_topic").paginate(
                TopicArn=topic
            ):
                for subscription in page["Subscriptions"]:
                    self._sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
            self._sns.delete_topic(TopicArn=topic)
            self._queues.delete()
        except AWS_ERRORS as error:
            raise refusal(f"delete the topic of {self._wiring.name}", error) from error

    def backlog(self) -> int | None:
        """Return the messages that wait or are in hand in all queues, as the service reckons."""
        try:
            return self._queues.waiting()
        except AWS_ERRORS as error:
            raise refusal(f"count the messages of {self._wiring.name}", error) from error

    def version(self) -> str:
        """Return the services' names and place: they have no version."""
        return server_version(self._wiring.connection, "Amazon SNS and SQS")


class SnsSqsDriver:
    """Publishes to the topic in batches; consumes each subscriber's queue."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._calls = Calls()

    def sender(self, confirms: Confirms) -> BatchSender:
        """Open a publisher."""
        sns, wiring = self._calls.of(sns_client(self._wiring.connection)), self._wiring
        try:
            topic = topic_arn(sns, wiring)
        except AWS_ERRORS as error:
            raise refusal(f"find the topic of {wiring.name}", error) from error
        return BatchSender(
            wiring,
            confirms,
            [_carry_to(sns, topic, wiring.name if is_fifo(wiring) else None)],
            largest_batch=LARGEST_BATCH,
            largest_bytes=LARGEST_BATCH_BYTES,
            in_flight=in_flight(wiring, ordered=is_fifo(wiring)),
        )

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> SqsReceiver:
        """Open a consumer of ``subscriber``'s queue; members compete by the queue's own means."""
        del member
        queue = queue_of(self._wiring, subscriber, fifo=is_fifo(self._wiring))
        return SqsReceiver(self._wiring, queue, deliver, self._calls)

    def version(self) -> str:
        """Return boto3's name and version."""
        return client_version()

    def calls_answered(self) -> Mapping[str, int]:
        """Return the calls that AWS has answered so far, by operation."""
        return self._calls.so_far()


def topic_arn(sns: SNSClient, wiring: Wiring) -> str:
    """Return the topic's ARN, creating the topic where it is not there yet."""
    attributes = {"FifoTopic": "true"} if is_fifo(wiring) else {}
    return sns.create_topic(Name=topic_of(wiring), Attributes=attributes)["TopicArn"]


def _queue_arn(topic: str, queue: str) -> str:
    """Return the ARN of a queue beside the topic, in the same account and region."""
    return f"{topic.rsplit(':', 1)[0].replace(':sns:', ':sqs:', 1)}:{queue}"


def _may_send(topic: str) -> str:
    """Return the queue policy that lets the topic, and nothing else, send."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _carry_to(sns: SNSClient, topic: str, fifo_name: str | None) -> Carry:
    def carry(messages: Sequence[Message]) -> Mapping[int, str]:
        entries: Any = [
            {**entry(place, message, fifo_name), "Message": message.body.decode("ascii")}
            for place, message in enumerate(messages)
        ]
        answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        return refused_entries(answer.get("Failed", []))

    return carry
