"""The docker target. Slow tests need an engine and images: see docs/docker.md."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import psutil
import pytest
from docker.errors import APIError, NotFound

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.container import recipe as recipes
from spikebench.target.container import server as servers
from spikebench.target.container.engine import engine
from spikebench.target.container.image import Image
from spikebench.target.container.owner import OWNER, is_dead, owner_here, sweep
from spikebench.target.container.recipe import DockerRecipe, Plan
from spikebench.target.container.server import DockerServer, resident_bytes
from spikebench.target.guard import Charge, Guard
from spikebench.target.ports import free_ports
from spikebench.target.software import Connection, Cores, Running
from spikes.messaging.servers.images import (
    KAFKA_DOCKER,
    MINISTACK_DOCKER,
    RABBITMQ_DOCKER,
    kafka_plan,
    rabbitmq_plan,
)

ROOT = Path(__file__).parents[2]
CORES = Cores([0], [0])
IMAGE = Image("thing:1", "thing@sha256:" + "0" * 64, "SPIKEBENCH_THING_IMAGE")
HOLD_S = 60.0


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def recipe(
    plan: Callable[[Sequence[int]], Plan] = lambda _: Plan({}),
    answers: Callable[[Connection], bool] = lambda _: True,
    image: Image = IMAGE,
) -> DockerRecipe:
    return DockerRecipe(image, 1, plan, answers, ready_within_s=HOLD_S)


# -- without an engine ---------------------------------------------------------------------------


def test_the_environment_overrides_the_pinned_image() -> None:
    assert IMAGE.reference({}) == IMAGE.pinned
    assert IMAGE.reference({IMAGE.variable: ""}) == IMAGE.pinned
    assert IMAGE.reference({IMAGE.variable: "mine:2"}) == "mine:2"


@pytest.mark.parametrize("shipped", [RABBITMQ_DOCKER, KAFKA_DOCKER, MINISTACK_DOCKER])
def test_shipped_images_are_pinned_by_digest(shipped: DockerRecipe) -> None:
    name, _, digest = shipped.image.pinned.partition("@sha256:")
    assert shipped.image.release.startswith(f"{name}:")
    assert len(bytes.fromhex(digest)) == 32


def test_presence_without_an_engine_says_so(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    found = recipe().presence(cache)
    assert not found.ready
    assert not found.obtainable
    assert "nobody.sock" in found.detail
    assert found.mend


def test_presence_does_not_wait_for_a_dead_engine_behind_a_live_socket(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/silent.sock")
        found = recipe().presence(cache)
    assert not found.ready
    assert not found.obtainable
    assert "silent.sock" in found.detail


def test_an_engine_on_another_machine_is_refused(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://user:secret@192.0.2.1:2375")
    found = recipe().presence(cache)
    assert not found.obtainable
    assert "another machine" in found.detail
    assert "secret" not in found.detail
    with pytest.raises(TargetError, match="another machine"):
        recipe().install(cache, print)


def test_start_without_an_engine_is_one_clear_error(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(TargetError, match=r"no Docker engine answers at unix://.*nobody\.sock"):
        recipe().start(cache, CORES, print)


def test_an_owner_is_dead_only_when_its_process_is_gone_from_this_host() -> None:
    own = owner_here()
    host, pid, started = own.rsplit("/", 2)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert not is_dead(own)
    assert is_dead(f"{host}/{ended.pid}/{started}")
    assert is_dead(f"{host}/{pid}/{float(started) - 3600:.0f}"), "a reused number"
    assert not is_dead(f"elsewhere/{ended.pid}/{started}")


class BusyContainer:
    """Removed when asked often enough, as by an engine that saw it end too late."""

    image = "thing"

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.closed = False

    def stop(self, force: bool, delete_volume: bool) -> None:
        assert force
        assert delete_volume
        if self.refusals:
            raise self.refusals.pop(0)

    def get_wrapped_container(self) -> Any:
        raise NotFound("gone")

    def get_docker_client(self) -> Any:
        return SimpleNamespace(client=SimpleNamespace(close=lambda: setattr(self, "closed", True)))


@pytest.mark.parametrize("then", [(), (NotFound("gone"),)])
def test_an_engine_too_busy_to_remove_a_container_is_asked_again(
    then: Sequence[Exception],
) -> None:
    container = BusyContainer(APIError("did not receive an exit event"), *then)
    server = DockerServer(cast(Any, container), {}, lambda _: True, Guard(Charge()))
    server.stop()
    assert not container.refusals
    assert container.closed


def test_a_container_that_is_never_removed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "REMOVE_TIMEOUT_S", 0.0)
    container = BusyContainer(*(APIError("no exit event") for _ in range(100)))
    server = DockerServer(cast(Any, container), {}, lambda _: True, Guard(Charge()))
    with pytest.raises(TargetError, match="could not be removed: no exit event"):
        server.stop()
    assert container.closed


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({"anon": 700, "file_mapped": 50, "file": 9000}, 750),
        ({"total_rss": 700, "total_mapped_file": 50, "total_cache": 9000, "rss": 1}, 750),
    ],
)
def test_memory_from_the_engine_leaves_page_cache_out(stats: dict[str, int], expected: int) -> None:
    assert resident_bytes(stats) == expected


def test_each_rabbitmq_has_a_password_of_its_own_in_a_file_only() -> None:
    first, second = rabbitmq_plan([4001, 4002]), rabbitmq_plan([4001, 4002])
    password = first.connection["password"]
    assert password != second.connection["password"]
    assert password in "".join(first.files.values())
    assert password not in json.dumps([dict(first.environment), first.command, first.entrypoint])


def test_brokers_advertise_the_published_ports() -> None:
    rabbitmq = rabbitmq_plan([4001, 4002]).files["/etc/rabbitmq/conf.d/90-spikebench.conf"]
    assert "stream.advertised_port = 4002" in rabbitmq
    kafka = kafka_plan([4003])
    properties = kafka.files["/etc/spikebench/server.properties"]
    assert f"advertised.listeners=PLAINTEXT://{kafka.connection['bootstrap']}\n" in properties


# -- with an engine ------------------------------------------------------------------------------


def unavailable(reason: str) -> None:
    if os.environ.get("SPIKEBENCH_REQUIRE_DOCKER"):
        pytest.fail(f"SPIKEBENCH_REQUIRE_DOCKER is set, and {reason}")
    pytest.skip(reason)


@pytest.fixture
def client() -> Iterator[Any]:
    try:
        with engine(30) as connected:
            yield connected
    except TargetError as error:
        unavailable(str(error))


@pytest.fixture
def start(cache: Cache, client: Any) -> Iterator[Callable[[DockerRecipe], DockerServer]]:
    """Start servers that are stopped at the end; skip where their image cannot be had."""
    assert client.ping()
    servers: list[DockerServer] = []

    def started(wanted: DockerRecipe) -> DockerServer:
        found = wanted.presence(cache)
        if not found.ready and not found.obtainable:
            unavailable(found.detail)
        wanted.install(cache, print)
        servers.append(wanted.start(cache, CORES, print))
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


def ours(client: Any) -> list[Any]:
    return list(client.containers.list(all=True, filters={"label": f"{OWNER}={owner_here()}"}))


def aws(connection: Connection) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=connection["endpoint_url"],
        region_name=connection["region"],
        aws_access_key_id=connection["access_key"],
        aws_secret_access_key=connection["secret_key"],
    )


def through_rabbitmq(server: Running, body: bytes) -> bytes:
    import pika

    connection = server.connection
    user = pika.PlainCredentials(connection["user"], connection["password"])
    port = int(connection["port"])
    parameters = pika.ConnectionParameters(connection["host"], port, connection["vhost"], user)
    with pika.BlockingConnection(parameters) as opened:
        channel = opened.channel()
        channel.queue_declare("kept", durable=True)
        channel.confirm_delivery()
        channel.basic_publish("", "kept", body)
        return bytes(channel.basic_get("kept", auto_ack=True)[2])


def through_kafka(server: Running, body: bytes) -> bytes:
    # kafka-python's own modules use what Python has deprecated.
    script = """
import sys
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
bootstrap, body = sys.argv[1], sys.argv[2].encode()
topic = sys.argv[2]
KafkaAdminClient(bootstrap_servers=bootstrap).create_topics(
    [NewTopic(name=topic, num_partitions=1, replication_factor=1)])
producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
producer.send(topic, body).get(20)
consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id="group",
                         auto_offset_reset="earliest")
print(next(consumer).value.decode(), end="")
consumer.close()
"""
    command = [sys.executable, "-c", script, server.connection["bootstrap"], body.decode()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout


def through_sqs(server: Running, body: bytes) -> bytes:
    sqs = aws(server.connection)
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=body.decode())
    received = sqs.receive_message(QueueUrl=queue)["Messages"][0]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])
    sqs.close()
    return str(received["Body"]).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "through"),
    [
        pytest.param(RABBITMQ_DOCKER, through_rabbitmq, id="rabbitmq"),
        pytest.param(KAFKA_DOCKER, through_kafka, id="kafka"),
        pytest.param(MINISTACK_DOCKER, through_sqs, id="ministack"),
    ],
)
def test_a_message_goes_through_before_and_after_a_pause(
    start: Callable[[DockerRecipe], DockerServer],
    wanted: DockerRecipe,
    through: Callable[[Running, bytes], bytes],
) -> None:
    server: DockerServer = start(wanted)
    assert server.startup_s
    assert through(server, b"before") == b"before"

    server.pause()
    spent = server.cpu_s()
    assert spent
    assert server.alive()
    assert not wanted.answers(server.connection)
    assert server.cpu_s() == spent

    server.resume()
    assert through(server, b"after") == b"after"
    assert (server.cpu_s() or 0) > spent
    assert (server.peak_rss_bytes() or 0) > 10_000_000


@pytest.mark.slow
def test_a_server_is_reached_on_loopback_only_and_keeps_to_its_cores(
    start: Callable[[DockerRecipe], DockerServer], client: Any
) -> None:
    server = start(RABBITMQ_DOCKER)
    (container,) = ours(client)
    bindings = container.attrs["NetworkSettings"]["Ports"]
    published = {port: binding for port, binding in bindings.items() if binding}
    connection = server.connection
    assert set(published) == {f"{connection['port']}/tcp", f"{connection['stream_port']}/tcp"}
    assert {each["HostIp"] for binding in published.values() for each in binding} == {"127.0.0.1"}
    assert container.attrs["HostConfig"]["CpusetCpus"] == "0"


@pytest.mark.slow
def test_generated_credentials_show_nowhere(
    start: Callable[[DockerRecipe], DockerServer], client: Any
) -> None:
    server = start(RABBITMQ_DOCKER)
    password = server.connection["password"]
    (container,) = ours(client)
    assert password not in json.dumps(container.attrs)
    assert password not in server.log_tail()
    assert password not in repr(server)


@pytest.mark.slow
def test_stop_leaves_nothing_and_may_be_called_twice(
    start: Callable[[DockerRecipe], DockerServer], client: Any
) -> None:
    server = start(RABBITMQ_DOCKER)
    (container,) = ours(client)
    volumes = {mount["Name"] for mount in container.attrs["Mounts"]}
    assert volumes
    spent = server.cpu_s()
    server.stop()
    server.stop()
    server.pause()
    server.resume()
    assert not server.alive()
    assert not ours(client)
    assert not volumes & {volume.name for volume in client.volumes.list()}
    assert (server.cpu_s() or 0) >= (spent or 0) > 0
    assert server.log_tail()


@pytest.mark.slow
def test_a_server_that_died_is_not_alive_and_can_be_stopped(
    start: Callable[[DockerRecipe], DockerServer], client: Any
) -> None:
    server = start(MINISTACK_DOCKER)
    (container,) = ours(client)
    container.remove(force=True, v=True)
    assert not server.alive()
    assert server.cpu_s() != 0
    server.pause()
    server.resume()
    server.stop()


def shell(script: str) -> Callable[[Sequence[int]], Plan]:
    return lambda _: Plan({"password": "hunter2hunter2"}, entrypoint=["/bin/sh", "-c", script])


@pytest.mark.slow
def test_a_container_that_ends_at_once_shows_its_log(
    start: Callable[[DockerRecipe], DockerServer], client: Any
) -> None:
    plan = shell("echo no such luck, hunter2hunter2; exit 3")
    failing = replace(MINISTACK_DOCKER, plan=plan, answers=lambda _: False)
    with pytest.raises(TargetError, match=r"(?s)code 3 before it answered.*no such luck, \*\*\*"):
        start(failing)
    assert not ours(client)


@pytest.mark.slow
def test_a_server_that_never_answers_is_given_up_with_its_log(
    start: Callable[[DockerRecipe], DockerServer], client: Any
) -> None:
    silent = replace(
        MINISTACK_DOCKER,
        plan=shell("echo still thinking; exec sleep 300"),
        answers=lambda _: False,
        ready_within_s=1.5,
    )
    with pytest.raises(TargetError, match=r"(?s)did not answer within 2 s.*still thinking"):
        start(silent)
    assert not ours(client)


@pytest.mark.slow
def test_a_port_taken_meanwhile_is_changed_for_another(
    start: Callable[[DockerRecipe], DockerServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
        taken = stranger.getsockname()[1]
        offers = iter([[taken], free_ports(1)])
        monkeypatch.setattr(recipes, "free_ports", lambda _: next(offers))
        server = start(MINISTACK_DOCKER)
    assert f":{taken}" not in server.connection["endpoint_url"]
    assert server.alive()


@pytest.mark.slow
def test_an_image_that_cannot_be_had_is_one_clear_error(client: Any, cache: Cache) -> None:
    assert client.ping()
    missing = recipe(image=Image("none:1", "registry.invalid/none:1", "SPIKEBENCH_NONE_IMAGE"))
    found = missing.presence(cache)
    assert not found.ready
    assert not found.obtainable
    assert "registry.invalid" in found.detail
    assert "SPIKEBENCH_NONE_IMAGE" in found.mend
    with pytest.raises(ArtefactError, match="SPIKEBENCH_NONE_IMAGE"):
        missing.install(cache, print)
    with pytest.raises(TargetError, match="SPIKEBENCH_NONE_IMAGE"):
        missing.start(cache, CORES, print)


KILLED = """
import sys, time
from pathlib import Path
from spikebench.target.cache import Cache
from spikebench.target.software import Cores
from spikes.messaging.servers.images import MINISTACK_DOCKER
server = MINISTACK_DOCKER.start(Cache(Path(sys.argv[1])), Cores([0], [0]), lambda line: None)
if sys.argv[2] == "pause":
    server.pause()
print("up", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("state", ["run", "pause"])
def test_a_killed_harness_leaves_no_container(
    start: Callable[[DockerRecipe], DockerServer], client: Any, tmp_path: Path, state: str
) -> None:
    start(MINISTACK_DOCKER).stop()
    harness = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), state], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert harness.stdout
    assert harness.stdout.readline() == b"up\n"
    started = psutil.Process(harness.pid).create_time()
    label = f"{OWNER}={socket.gethostname()}/{harness.pid}/{started:.0f}"
    assert client.containers.list(all=True, filters={"label": label})
    harness.send_signal(signal.SIGKILL)
    harness.communicate()
    give_up = time.monotonic() + HOLD_S
    while client.containers.list(all=True, filters={"label": label}):
        assert time.monotonic() < give_up, "the container outlived its harness"
        time.sleep(0.2)


@pytest.mark.slow
def test_a_sweep_removes_what_dead_harnesses_left_and_nothing_else(
    start: Callable[[DockerRecipe], DockerServer], client: Any
) -> None:
    mine = start(MINISTACK_DOCKER)
    host, pid, started = owner_here().rsplit("/", 2)
    reference = MINISTACK_DOCKER.image.reference()
    dead = f"{host}/{pid}/{float(started) - 3600:.0f}"
    orphan = client.containers.create(reference, labels={OWNER: dead})
    stranger = client.containers.create(reference, labels={OWNER: f"other/{pid}/0"})
    try:
        assert sweep(client) == 1
        left = {each.id for each in client.containers.list(all=True)}
        assert orphan.id not in left
        assert stranger.id in left
        assert mine.alive()
    finally:
        stranger.remove(force=True)
