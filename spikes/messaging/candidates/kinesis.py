"""A Kinesis data stream of a trial, and boto3 driving it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikebench.load.driver import Confirms, Deliver, Wiring
from spikes.messaging.candidates.aws import (
    AWS_ERRORS,
    client_version,
    kinesis_client,
    refusal,
    server_version,
)
from spikes.messaging.candidates.batches import BatchSender, Carry, Message, in_flight
from spikes.messaging.candidates.calls import Calls

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

LARGEST_BATCH = 500
LARGEST_BATCH_BYTES = 5 * 1_048_576
"""Kinesis API Reference, PutRecords. It has taken 10 MiB since October 2025: half is safe."""

READS_PER_S = 5
"""GetRecords calls a second a shard allows to all its readers together: Kinesis Data Streams
Developer Guide, "Quotas and limits"."""

LARGEST_READ = 10_000


def shards(wiring: Wiring) -> int:
    """Return the stream's shards: the option, else 1 where the whole stream must keep its order."""
    return int(wiring.options.get("shards", 1 if wiring.ordering == "queue" else 2))


class KinesisTopology:
    """One stream that every subscriber reads; options: ``shards``."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._kinesis = kinesis_client(wiring.connection)

    def create(self) -> None:
        """Create the stream and wait until it is ACTIVE; raise DriverError on refusal."""
        name = self._wiring.name
        try:
            self._kinesis.create_stream(StreamName=name, ShardCount=shards(self._wiring))
            waiter = self._kinesis.get_waiter("stream_exists")
            waiter.wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        except AWS_ERRORS as error:
            raise refusal(f"create the stream {name}", error) from error

    def delete(self) -> None:
        """Delete the stream by its name; raise DriverError where AWS is away."""
        name = self._wiring.name
        try:
            self._kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)
        except self._kinesis.exceptions.ResourceNotFoundException:
            return
        except AWS_ERRORS as error:
            raise refusal(f"delete the stream {name}", error) from error

    def backlog(self) -> int | None:
        """Return None: the stream keeps what was read, and does not know who read it."""
        return None

    def version(self) -> str:
        """Return the service's name and place: it has no version."""
        return server_version(self._wiring.connection, "Amazon Kinesis Data Streams")


class KinesisDriver:
    """Puts records in batches, one call at a time; reads shards by polling."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._calls = Calls()

    def sender(self, confirms: Confirms) -> BatchSender:
        """Open a producer; where the trial asks for no order, several calls are open at once."""
        wiring = self._wiring
        return BatchSender(
            wiring,
            confirms,
            [_carry_to(self._calls.of(kinesis_client(wiring.connection)), wiring.name)],
            largest_batch=LARGEST_BATCH,
            largest_bytes=LARGEST_BATCH_BYTES,
            in_flight=in_flight(wiring, ordered=wiring.ordering != "none"),
        )

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> KinesisReceiver:
        """Open a reader of every ``consumers``-th shard, from its oldest record."""
        del subscriber
        return KinesisReceiver(self._wiring, member, deliver, self._calls)

    def version(self) -> str:
        """Return boto3's name and version."""
        return client_version()

    def calls_answered(self) -> Mapping[str, int]:
        """Return the calls that AWS has answered so far, by operation."""
        return self._calls.so_far()


class KinesisReceiver:
    """Reads its shards from their oldest record, no oftener than the service allows.

    All readers of a shard share ``READS_PER_S``, so that each of several subscribers reads less
    often; option ``reads_per_s`` sets another allowance. The position is the reader's own.
    """

    def __init__(self, wiring: Wiring, member: int, deliver: Deliver, calls: Calls) -> None:
        self._deliver = deliver
        reads_per_s = float(wiring.options.get("reads_per_s", READS_PER_S))
        self._pause_s = wiring.subscribers / reads_per_s
        self._kinesis = calls.of(kinesis_client(wiring.connection))
        try:
            self._iterators = self._open(wiring, member)
        except AWS_ERRORS as error:
            raise refusal(f"read the stream {wiring.name}", error) from error
        self._due = dict.fromkeys(self._iterators, 0.0)

    def receive(self, timeout_s: float) -> int:
        """Wait until a shard may be read, read all that may, and hand over what came."""
        self._wait(timeout_s)
        now = time.monotonic()
        return sum(self._read(shard) for shard, due in list(self._due.items()) if due <= now)

    def close(self) -> None:
        """Close the client's connections."""
        self._kinesis.close()

    def _open(self, wiring: Wiring, member: int) -> dict[str, str]:
        listed = self._kinesis.list_shards(StreamName=wiring.name)["Shards"]
        mine = sorted(shard["ShardId"] for shard in listed)[member :: wiring.consumers]
        return {shard: self._oldest(wiring.name, shard) for shard in mine}

    def _oldest(self, stream: str, shard: str) -> str:
        answer = self._kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )
        return answer["ShardIterator"]

    def _wait(self, timeout_s: float) -> None:
        due = min(self._due.values(), default=float("inf"))
        wait_s = min(timeout_s, due - time.monotonic())
        if wait_s > 0:
            time.sleep(wait_s)

    def _read(self, shard: str) -> int:
        self._due[shard] = time.monotonic() + self._pause_s
        try:
            answer = self._kinesis.get_records(
                ShardIterator=self._iterators[shard], Limit=LARGEST_READ
            )
        except AWS_ERRORS as error:
            raise refusal(f"give the records of {shard}", error) from error
        bodies = [record["Data"] for record in answer["Records"]]
        if bodies:
            self._deliver(bodies)
        self._move(shard, answer.get("NextShardIterator"))
        return len(bodies)

    def _move(self, shard: str, iterator: str | None) -> None:
        """Go on from ``iterator``; a shard without one has been closed and is read to its end."""
        if iterator:
            self._iterators[shard] = iterator
        else:
            del self._iterators[shard], self._due[shard]


def _carry_to(kinesis: KinesisClient, stream: str) -> Carry:
    def carry(messages: Sequence[Message]) -> Mapping[int, str]:
        records: Any = [
            {"Data": message.body, "PartitionKey": message.key.decode("ascii")}
            for message in messages
        ]
        answer = kinesis.put_records(StreamName=stream, Records=records)
        return {
            place: f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}"
            for place, result in enumerate(answer["Records"])
            if result.get("ErrorCode")
        }

    return carry
