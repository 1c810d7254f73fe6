"""The messaging servers: how endpoints are read, and the local servers themselves."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import certifi
import kafka
import pika
import psutil
import pytest

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.cores import split_cores
from spikebench.target.endpoint import EndpointRecipe
from spikebench.target.local_server import LocalServer
from spikebench.target.software import Software
from spikes.messaging.candidates.aws import kinesis_client, sns_client, sqs_client
from spikes.messaging.servers.kafka import KAFKA, KAFKA_ENDPOINT, LOCK, read_bootstrap
from spikes.messaging.servers.kafka_security import CA_FILE as KAFKA_CA
from spikes.messaging.servers.kafka_security import MECHANISM, PASSWORD, PROTOCOL, USER
from spikes.messaging.servers.ministack import AWS, endpoint_fidelity, read_endpoint
from spikes.messaging.servers.rabbitmq import RABBITMQ, RABBITMQ_ENDPOINT
from spikes.messaging.servers.rabbitmq_url import CA_FILE as RABBITMQ_CA
from spikes.messaging.servers.rabbitmq_url import read_url

SCRAM = {PROTOCOL: "SASL_SSL", USER: "me", PASSWORD: "s3cret"}
"""What Amazon MSK takes, its mechanism being the default."""

ALL = [RABBITMQ, KAFKA, AWS]


def _recipe(software: Software, value: str) -> EndpointRecipe:
    recipe = software.recipes["endpoint"]
    assert isinstance(recipe, EndpointRecipe)
    return replace(recipe, environ={recipe.variable: value})


@pytest.mark.parametrize("software", ALL, ids=lambda s: s.name)
def test_each_software_can_be_had_in_three_ways(software: Software) -> None:
    assert set(software.recipes) == {"endpoint", "docker", "local"}
    assert set(software.fidelity) == set(software.recipes)


def test_only_real_brokers_prove_something_of_the_software() -> None:
    assert {RABBITMQ.fidelity["local"], KAFKA.fidelity["local"]} == {"software"}
    assert AWS.fidelity["local"] == "emulator"


@pytest.mark.parametrize(
    ("url", "fidelity"),
    [
        ("http://localhost:4566", "emulator"),
        ("https://sqs.eu-west-1.amazonaws.com", "service"),
        ("https://amazonaws.com.example.org", "emulator"),
        ("", "emulator"),
    ],
)
def test_an_endpoint_is_the_service_only_at_amazon(url: str, fidelity: str) -> None:
    assert endpoint_fidelity(url) == fidelity


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (
            "amqp://me:p%40ss@broker:5673/a%2Fb",
            {"host": "broker", "port": "5673", "stream_port": "5552", "vhost": "a/b"},
        ),
        (
            "amqps://me:p%40ss@b-1.mq.amazonaws.com",
            {"host": "b-1.mq.amazonaws.com", "port": "5671", "stream_port": "5551", "vhost": "/"}
            | {"tls": "yes"},
        ),
    ],
)
def test_a_rabbitmq_address_is_read_whole(address: str, place: dict[str, str]) -> None:
    assert read_url(address, {}) == {"user": "me", "password": "p@ss", **place}


def test_a_short_rabbitmq_address_has_the_usual_defaults() -> None:
    connection = read_url("amqp://broker", {"SPIKEBENCH_RABBITMQ_STREAM_PORT": "1"})
    wanted = {"port": "5672", "user": "guest", "vhost": "/", "stream_port": "1"}
    assert {key: connection[key] for key in wanted} == wanted


def test_a_kafka_user_over_tls_is_read_whole() -> None:
    connection = read_bootstrap("b-1:9096,b-2:9096", SCRAM)
    assert connection == {
        "bootstrap": "b-1:9096,b-2:9096",
        "security_protocol": "SASL_SSL",
        "tls": "yes",
        "sasl_mechanism": "SCRAM-SHA-512",
        "user": "me",
        "password": "s3cret",
    }
    assert "s3cret" not in repr(connection)
    found = replace(KAFKA_ENDPOINT, environ={KAFKA_ENDPOINT.variable: "b-1:9096", **SCRAM})
    shown = found.presence(Cache(Path())).detail
    assert shown == "b-1:9096 over TLS, by SCRAM-SHA-512 (SPIKEBENCH_KAFKA_BOOTSTRAP)"


def test_kafka_over_tls_needs_no_user() -> None:
    connection = read_bootstrap("b-1:9094", {PROTOCOL: "SSL"})
    assert connection == {"bootstrap": "b-1:9094", "security_protocol": "SSL", "tls": "yes"}


def test_scram_may_do_without_tls() -> None:
    connection = read_bootstrap("b-1:9092", {**SCRAM, PROTOCOL: "sasl_plaintext"})
    assert connection["security_protocol"] == "SASL_PLAINTEXT"
    assert "tls" not in connection


@pytest.mark.parametrize(
    ("environ", "wrong"),
    [
        ({PROTOCOL: "TLS"}, f"{PROTOCOL} is none of PLAINTEXT, SSL, SASL_SSL, SASL_PLAINTEXT"),
        ({**SCRAM, MECHANISM: "GSSAPI"}, f"{MECHANISM} is none of SCRAM-SHA-512, SCRAM-SHA-256"),
        ({**SCRAM, MECHANISM: "AWS_MSK_IAM"}, f"{MECHANISM}=AWS_MSK_IAM is not .* SCRAM-SHA-512"),
        ({**SCRAM, PASSWORD: ""}, f"{PASSWORD} is not set, which {PROTOCOL}=SASL_SSL needs"),
        ({**SCRAM, USER: ""}, f"{USER} is not set, which {PROTOCOL}=SASL_SSL needs"),
        ({**SCRAM, PROTOCOL: "SSL"}, f"{USER} is set, which {PROTOCOL}=SSL makes no use of"),
        ({PASSWORD: "s3cret"}, f"{PASSWORD} is set, .*PLAINTEXT makes no .*{PROTOCOL}=SASL_SSL"),
        ({KAFKA_CA: __file__}, f"{KAFKA_CA} is set, which {PROTOCOL}=PLAINTEXT makes no use of"),
        (
            {**SCRAM, PROTOCOL: "SASL_PLAINTEXT", MECHANISM: "PLAIN"},
            f"{MECHANISM}=PLAIN would send the password in the open. Set {PROTOCOL}=SASL_SSL",
        ),
        ({**SCRAM, KAFKA_CA: "/nowhere/ca.pem"}, f"{KAFKA_CA}: /nowhere/ca.pem cannot be read: No"),
        ({**SCRAM, KAFKA_CA: __file__}, f"{KAFKA_CA}: {__file__} holds no certificate in PEM"),
    ],
)
def test_a_wrong_setting_of_kafka_is_one_error_that_names_it(
    environ: Mapping[str, str], wrong: str, tmp_path: Path
) -> None:
    recipe = replace(KAFKA_ENDPOINT, environ={KAFKA_ENDPOINT.variable: "b-1:9096", **environ})
    with pytest.raises(TargetError, match=wrong) as caught:
        recipe.start(Cache(tmp_path), split_cores(), print)
    assert KAFKA_ENDPOINT.variable not in str(caught.value)
    found = recipe.presence(Cache(tmp_path))
    assert (found.ready, found.broken, found.detail) == (False, True, str(caught.value))
    assert "s3cret" not in found.detail


def test_a_ca_of_rabbitmq_must_be_there(tmp_path: Path) -> None:
    nowhere = tmp_path / "ca.pem"
    with pytest.raises(TargetError, match=f"{RABBITMQ_CA}: {nowhere} cannot be read: No such"):
        read_url("amqps://me:s3cret@host", {RABBITMQ_CA: str(nowhere)})


def test_a_ca_without_tls_is_an_error(tmp_path: Path) -> None:
    told = {RABBITMQ_ENDPOINT.variable: "amqp://me:s3cret@host", RABBITMQ_CA: certifi.where()}
    with pytest.raises(TargetError, match=f"makes no use of {RABBITMQ_CA}: use amqps://") as caught:
        replace(RABBITMQ_ENDPOINT, environ=told).start(Cache(tmp_path), split_cores(), print)
    assert "s3cret" not in str(caught.value)


def test_an_aws_endpoint_takes_region_and_keys_from_the_usual_variables() -> None:
    environ = {
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
    }
    connection = read_endpoint("http://host:4566", environ)
    assert connection == {
        "endpoint_url": "http://host:4566",
        "region": "eu-north-1",
        "access_key": "id",
        "secret_key": "s3cret",
    }
    assert "s3cret" not in repr(connection)


def test_a_kafka_bootstrap_list_is_kept() -> None:
    assert read_bootstrap("a:9092,b:9092", {}) == {"bootstrap": "a:9092,b:9092"}


@pytest.mark.parametrize(
    ("software", "value"),
    [
        (RABBITMQ, "http://me:s3cret@host"),
        (RABBITMQ, "amqp://me:s3cret@host:port"),
        (RABBITMQ, "amqp://"),
        (RABBITMQ, "amqps://me:s3cret@host:port"),
        (RABBITMQ, "amqps://s3cret@host"),
        (KAFKA, "s3cret"),
        (KAFKA, "s3cret:99999"),
        (AWS, "s3cret:4566"),
        (AWS, "https://me:s3cret@host"),
        (AWS, "https://s3cret:port"),
    ],
)
def test_a_malformed_address_is_one_error_without_it(
    software: Software, value: str, tmp_path: Path
) -> None:
    recipe = _recipe(software, value)
    with pytest.raises(TargetError, match=rf"{recipe.variable}: its? .*{recipe.example}") as caught:
        recipe.start(Cache(tmp_path), split_cores(), print)
    assert "s3cret" not in str(caught.value)
    assert not recipe.presence(Cache(tmp_path)).ready


@pytest.mark.parametrize("software", [RABBITMQ, KAFKA], ids=lambda s: s.name)
def test_an_empty_cache_is_obtainable_but_not_ready(software: Software, tmp_path: Path) -> None:
    found = software.recipes["local"].presence(Cache(tmp_path / "none"))
    assert not found.ready
    assert not (tmp_path / "none").exists()


def test_the_lock_pins_one_version_of_kafka() -> None:
    versions = {
        line.split()[0].split(":")[2]
        for line in LOCK.read_text().splitlines()
        if line.startswith("org.apache.kafka:")
    }
    assert len(versions) == 1


# From here on with real servers.


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[[Software], LocalServer]]:
    """Start each server once, and stop all in the end."""
    running: dict[str, LocalServer] = {}

    def started(software: Software) -> LocalServer:
        if software.name not in running:
            recipe = software.recipes["local"]
            server = recipe.start(Cache.open(), split_cores(), print)
            running[software.name] = cast(LocalServer, server)
        return running[software.name]

    yield started
    for server in running.values():
        server.stop()


Start = Callable[[Software], LocalServer]
each_software = pytest.mark.parametrize("software", ALL, ids=lambda s: s.name)


def _talk_rabbitmq(connection: PrivateConnection) -> bytes:
    credentials = pika.PlainCredentials(connection["user"], connection["password"])
    parameters = pika.ConnectionParameters(
        connection["host"], int(connection["port"]), connection["vhost"], credentials
    )
    opened = pika.BlockingConnection(parameters)
    channel = opened.channel()
    channel.queue_declare("test", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    channel.basic_publish("", "test", b"hello")
    _, _, body = channel.basic_get("test", auto_ack=True)
    opened.close()
    return cast(bytes, body)


def _talk_kafka(connection: PrivateConnection) -> bytes:
    admin = kafka.KafkaAdminClient(bootstrap_servers=connection["bootstrap"])
    if "test" not in admin.list_topics():
        admin.create_topics([kafka.admin.NewTopic("test", 1, 1)])
    admin.close()
    producer = kafka.KafkaProducer(bootstrap_servers=connection["bootstrap"], acks="all")
    producer.send("test", b"hello").get(timeout=30)
    producer.close()
    consumer = kafka.KafkaConsumer(
        "test",
        bootstrap_servers=connection["bootstrap"],
        group_id="test",
        auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
    )
    record = next(consumer)
    consumer.commit()
    consumer.close()
    return cast(bytes, record.value)


def _talk_aws(connection: PrivateConnection) -> bytes:
    sqs, sns = sqs_client(connection), sns_client(connection)
    queue = sqs.create_queue(
        QueueName="test.fifo",
        Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"},
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    fifo_topic = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = sns.create_topic(Name="test.fifo", Attributes=fifo_topic)["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"], Attributes=raw)
    sns.publish(TopicArn=topic, Message="hello", MessageGroupId="g")
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    sns.delete_topic(TopicArn=topic)
    sqs.delete_queue(QueueUrl=queue)
    return message["Body"].encode()


def _kinesis(connection: PrivateConnection) -> bytes:
    client = kinesis_client(connection)
    client.create_stream(StreamName="test", ShardCount=1)
    client.get_waiter("stream_exists").wait(StreamName="test")
    client.put_record(StreamName="test", Data=b"hello", PartitionKey="k")
    shard = client.list_shards(StreamName="test")["Shards"][0]["ShardId"]
    place = client.get_shard_iterator(
        StreamName="test", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )
    (record,) = client.get_records(ShardIterator=place["ShardIterator"])["Records"]
    client.delete_stream(StreamName="test")
    return bytes(record["Data"])


TALK: Mapping[str, Callable[[PrivateConnection], bytes]] = {
    "rabbitmq": _talk_rabbitmq,
    "kafka": _talk_kafka,
    "ministack": _talk_aws,
}


@pytest.mark.slow
@each_software
def test_a_message_goes_through_and_does_after_a_pause(software: Software, start: Start) -> None:
    server = start(software)
    assert TALK[software.name](server.connection) == b"hello"
    server.pause()
    time.sleep(0.1)  # a thread stops when it next enters the kernel, and is charged until then
    used = server.cpu_s()
    time.sleep(0.3)
    assert server.cpu_s() == used
    server.resume()
    assert TALK[software.name](server.connection) == b"hello"


@pytest.mark.slow
def test_kinesis_serves_after_the_change_of_user(start: Start) -> None:
    assert _kinesis(start(AWS).connection) == b"hello"


@pytest.mark.slow
@each_software
def test_it_listens_on_loopback_only(software: Software, start: Start) -> None:
    addresses = {
        socket.laddr.ip
        for pid in start(software).pids
        for socket in psutil.Process(pid).net_connections("tcp")
        if socket.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


@pytest.mark.slow
@each_software
def test_it_runs_as_an_ordinary_user_on_its_own_cores(software: Software, start: Start) -> None:
    server, cores = start(software), split_cores()
    for pid in server.pids:
        process = psutil.Process(pid)
        assert process.uids().real != 0
        assert process.cpu_affinity() == list(cores.server)
    assert "s3cret" not in server.log_tail()
    assert server.connection.get("password", "absent") not in server.log_tail()


HARNESS = textwrap.dedent(
    """
    import json, sys, time
    from spikebench.target.cache import Cache
    from spikebench.target.cores import split_cores
    from spikes.messaging.servers.kafka import KAFKA
    from spikes.messaging.servers.ministack import AWS
    from spikes.messaging.servers.rabbitmq import RABBITMQ
    software = {s.name: s for s in (KAFKA, AWS, RABBITMQ)}[sys.argv[1]]
    server = software.recipes["local"].start(Cache.open(), split_cores(), lambda _: None)
    if sys.argv[2] == "paused":
        server.pause()
    print(json.dumps([server.pids, server._guard.pid]), flush=True)
    time.sleep(600)
    """
)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["awake", "paused"])
@each_software
def test_a_killed_harness_leaves_no_server(software: Software, state: str) -> None:
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, software.name, state],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert harness.stdout is not None
    pids, watch = json.loads(harness.stdout.readline())
    folder = Path(f"/proc/{pids[0]}/cwd").resolve()
    os.kill(harness.pid, signal.SIGKILL)
    harness.communicate()
    deadline = time.monotonic() + 60
    while any(map(psutil.pid_exists, [*pids, watch])) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in [*pids, watch] if psutil.pid_exists(pid)] == []
    assert not folder.exists()
