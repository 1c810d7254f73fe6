"""The messaging spike: which broker should carry the team's messages?

Each candidate's promises stand here with the documentation they were read from (November 2026).
"""

from __future__ import annotations

from pathlib import Path

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.spike import Spike
from spikes.messaging.profiles import PROFILES
from spikes.messaging.servers.kafka import KAFKA
from spikes.messaging.servers.kafka_cluster import KAFKA_3
from spikes.messaging.servers.ministack import AWS
from spikes.messaging.servers.rabbitmq import RABBITMQ
from spikes.messaging.servers.rabbitmq_cluster import RABBITMQ_3

HERE = Path(__file__).parent
CANDIDATES = "spikes.messaging.candidates"
MIB = 1_048_576


def _java(driver: str, library: str) -> Client:
    """Return the client ``java``, whose driver is a class beside the others in ``java``."""
    return Client(
        name="java",
        language="java",
        driver=f"spikes.messaging.{driver}",
        library=library,
        one_process=True,
        artefacts=(HERE / "artefacts" / "java-clients.lock",),
        sources=(HERE / "candidates" / "java",),
    )


def _python(name: str, driver: str, *, one_process: bool = False) -> Client:
    """Return a Python client, whose driver is ``module:Class`` among the candidates."""
    return Client(
        name=name,
        language="python",
        driver=f"{CANDIDATES}.{driver}",
        library=name,
        one_process=one_process,
    )


def _rabbitmq(kind: str, java_driver: str, library: str, capabilities: Capabilities) -> Candidate:
    """Return RabbitMQ with one kind of queue."""
    return Candidate(
        name=f"rabbitmq-{kind}",
        capabilities=capabilities,
        clients=(_java(java_driver, library), _python("pika", "rabbitmq_pika:PikaDriver")),
        topology=f"{CANDIDATES}.rabbitmq:RabbitTopology",
        software=RABBITMQ,
        options={"kind": kind},
    )


# Order: "Queues", section "Message Ordering": kept within a queue on one channel; a message that
# was put back may come later. Requeueing on a lost consumer: "Consumer Acknowledgements". Size:
# max_message_size in "Configuration": 16 MiB since 4.0, 128 MiB in 3.8 to 3.13; the smaller counts.
RABBITMQ_QUEUE = Capabilities(ordering="queue", largest_message_bytes=16 * MIB)

# "Streams": an append-only log that is read from an offset and never consumed, so that nothing is
# put back and consumers do not compete (that takes super streams or a single active consumer).
# Size: "Stream Plugin", stream.frame_max, 1 MiB unless configured otherwise.
RABBITMQ_STREAM = Capabilities(
    ordering="queue",
    competing_consumers=False,
    redelivers=False,
    largest_message_bytes=MIB,
)

# Apache Kafka documentation, "Design", "The Producer" and "The Consumer": order within a partition,
# which the key chooses; a group has a position, nothing is put back. Size: topic configuration
# max.message.bytes, default 1,048,588 for a record batch with its overhead.
KAFKA_TOPIC = Capabilities(ordering="key", redelivers=False, largest_message_bytes=1_048_588)

# Amazon SQS Developer Guide, "Amazon SQS standard queues" (best-effort ordering, at least once),
# "FIFO queues" (order within a message group), "visibility timeout" (what was not deleted comes
# back), "Amazon SQS message quotas" (1 MiB since August 2025, 256 KiB before; 10 messages a batch).
# A queue has one set of competing readers: each subscriber needs a copy of its own.
SQS_STANDARD = Capabilities(
    ordering="none", fan_out="copies", largest_message_bytes=MIB, largest_batch=10
)
SQS_FIFO = Capabilities(
    ordering="key", fan_out="copies", largest_message_bytes=MIB, largest_batch=10
)

# Amazon SNS Developer Guide, "FIFO topics" (order within a message group, to FIFO queues), and API
# Reference, "Publish" and "PublishBatch" (262,144 bytes, of a message and of a whole batch; 10
# messages). A trial that asks for no order uses a standard topic and standard queues.
SNS_SQS = Capabilities(ordering="key", largest_message_bytes=262_144, largest_batch=10)

# Kinesis Data Streams Developer Guide, "Terminology and concepts" (order within a shard, which the
# partition key chooses; readers keep their own position) and "Handle large records" (1 MiB unless
# the stream is set to more, at most 10 MiB); API Reference, "PutRecords" (500 records).
KINESIS_STREAM = Capabilities(
    ordering="key", redelivers=False, largest_message_bytes=MIB, largest_batch=500
)

# Memory: nothing survives the process, a message taken is gone.
NULL_QUEUE = Capabilities(ordering="queue", durable=False, redelivers=False)

AWS_SDK = "AWS SDK for Java 2"

SPIKE = Spike(
    name="messaging",
    question=(
        "Stay on RabbitMQ, or move to SQS + SNS, Kafka, or Kinesis? "
        "At our load, what does each lose, cost and delay?"
    ),
    candidates=(
        _rabbitmq("classic", "RabbitMq", "amqp-client", RABBITMQ_QUEUE),
        _rabbitmq("quorum", "RabbitMq", "amqp-client", RABBITMQ_QUEUE),
        Candidate(
            name="rabbitmq-quorum-3",
            capabilities=RABBITMQ_QUEUE,
            clients=(_java("RabbitMq", "amqp-client"),),
            topology=f"{CANDIDATES}.rabbitmq:RabbitTopology",
            software=RABBITMQ_3,
            options={"kind": "quorum", "replicas": "3"},
            nodes=3,
            faults_only=True,
        ),
        _rabbitmq("stream", "RabbitStream", "stream-client", RABBITMQ_STREAM),
        Candidate(
            name="kafka",
            capabilities=KAFKA_TOPIC,
            clients=(
                _java("Kafka", "kafka-clients"),
                _python("kafka-python", "kafka_python:KafkaPythonDriver"),
            ),
            topology=f"{CANDIDATES}.kafka:KafkaTopology",
            software=KAFKA,
        ),
        Candidate(
            name="kafka-3",
            capabilities=KAFKA_TOPIC,
            clients=(_java("Kafka", "kafka-clients"),),
            topology=f"{CANDIDATES}.kafka:KafkaTopology",
            software=KAFKA_3,
            # one partition, so that one node leads all of it
            options={"partitions": "1", "replicas": "3"},
            nodes=3,
            faults_only=True,
        ),
        Candidate(
            name="sqs-standard",
            capabilities=SQS_STANDARD,
            clients=(_java("Sqs", AWS_SDK), _python("boto3", "sqs:SqsDriver")),
            topology=f"{CANDIDATES}.sqs:SqsTopology",
            software=AWS,
            options={"kind": "standard"},
        ),
        Candidate(
            name="sqs-fifo",
            capabilities=SQS_FIFO,
            clients=(_java("Sqs", AWS_SDK), _python("boto3", "sqs:SqsDriver")),
            topology=f"{CANDIDATES}.sqs:SqsTopology",
            software=AWS,
            options={"kind": "fifo"},
        ),
        Candidate(
            name="sns-sqs",
            capabilities=SNS_SQS,
            clients=(_java("SnsSqs", AWS_SDK), _python("boto3", "sns_sqs:SnsSqsDriver")),
            topology=f"{CANDIDATES}.sns_sqs:SnsSqsTopology",
            software=AWS,
        ),
        Candidate(
            name="kinesis",
            capabilities=KINESIS_STREAM,
            clients=(_java("Kinesis", AWS_SDK), _python("boto3", "kinesis:KinesisDriver")),
            topology=f"{CANDIDATES}.kinesis:KinesisTopology",
            software=AWS,
        ),
        Candidate(
            name="null",
            capabilities=NULL_QUEUE,
            clients=(
                _java("Null", "none"),
                _python("python", "null:NullDriver", one_process=True),
            ),
            topology=f"{CANDIDATES}.null:NullTopology",
        ),
    ),
    scenarios=HERE.parent.parent / "scenarios" / "messaging",
    profiles=PROFILES,
    layout="spikes.messaging.layout:LAYOUT",
    pricing="spikes.messaging.beside:pricing",
)
