"""The servers in containers: which image, how it is configured, and how to know that it answers.

Digests are those of the multi-platform index; docs/docker.md says where each was found, and how to
pin another.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Sequence

from spikebench.target.container.image import Image
from spikebench.target.container.recipe import DockerRecipe, Plan
from spikebench.target.software import Connection
from spikes.messaging.aws_endpoint import health
from spikes.messaging.servers.kafka_settings import CONFIGURATION, JVM, LOGGING, PAUSED_SESSION_MS

RABBITMQ_IMAGE = Image(
    release="rabbitmq:4.3.6",
    pinned="rabbitmq@sha256:fcebcf1710fa311001816214d8a15e4899f686bfb2741c0f7bfe56eeb4840e61",
    variable="SPIKEBENCH_RABBITMQ_IMAGE",
)
KAFKA_IMAGE = Image(
    release="apache/kafka:4.3.1",
    pinned="apache/kafka@sha256:77e3df9054047a88b520d0cc46e16696d3b22022e1d580aeccd2632df6532837",
    variable="SPIKEBENCH_KAFKA_IMAGE",
)
MINISTACK_IMAGE = Image(
    release="ministackorg/ministack:1.5.17",
    pinned="ministackorg/ministack"
    "@sha256:11d7308bfc75029d55625b9525e84a2401431ed1ff2148c6311800ff5009ae9c",
    variable="SPIKEBENCH_MINISTACK_IMAGE",
)

PROBE_TIMEOUT_S = 2.0

# All three are configured as their local twins are (rabbitmq.py, kafka.py, ministack.py beside this
# file), but for addresses: inside a container they listen on every interface, and the published
# port is on loopback.

_RABBITMQ_CONF = """\
listeners.tcp.default = 0.0.0.0:{port}
stream.listeners.tcp.default = 0.0.0.0:{stream_port}
stream.advertised_host = 127.0.0.1
stream.advertised_port = {stream_port}
default_user = {user}
default_pass = {password}
vm_memory_high_watermark.relative = 0.6
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = info
log.console.use_colors = off
log.file = false
"""

# The jars' own mains rather than an image's start script: every image has the jars, and their
# scripts differ.
_KAFKA_SCRIPT = """\
set -e
kafka() {
    exec java -cp '/opt/kafka/libs/*' \
        -Dlog4j2.configurationFile=/etc/spikebench/log4j2.yaml "$@"
}
(kafka -Xmx256m -XX:TieredStopAtLevel=1 kafka.tools.StorageTool format \
    --cluster-id spikebench-cluster-id0 --config /etc/spikebench/server.properties)
kafka -server JVM_OPTIONS \
    kafka.Kafka /etc/spikebench/server.properties
""".replace("JVM_OPTIONS", " ".join(JVM))


def rabbitmq_plan(ports: Sequence[int]) -> Plan:
    """Plan a single RabbitMQ node with streams; its data is in the image's own volume."""
    connection = {
        "host": "127.0.0.1",
        "port": str(ports[0]),
        "stream_port": str(ports[1]),
        "user": "spikebench",
        "password": secrets.token_urlsafe(24),
        "vhost": "/",
    }
    files = {
        "/etc/rabbitmq/conf.d/90-spikebench.conf": _RABBITMQ_CONF.format(**connection),
        "/etc/rabbitmq/enabled_plugins": "[rabbitmq_stream].\n",
    }
    # Erlang's schedulers spin while they wait, which would be counted as the broker's work; and
    # where an engine sets no limit to open files, its table of ports would take gigabytes.
    erlang = "+sbwt none +sbwtdcpu none +sbwtdio none +Q 65536"
    return Plan(connection, files, {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang})


def kafka_plan(ports: Sequence[int]) -> Plan:
    """Plan a single KRaft node, broker and controller in one; its data is in the image's volume."""
    files = {
        "/etc/spikebench/server.properties": CONFIGURATION.format(
            listen="0.0.0.0",
            port=ports[0],
            controller_port=9093,
            data="/var/lib/kafka/data/spikebench",
            session_ms=PAUSED_SESSION_MS,
        ),
        "/etc/spikebench/log4j2.yaml": LOGGING,
        "/etc/spikebench/start.sh": _KAFKA_SCRIPT,
    }
    return Plan(
        {"bootstrap": f"127.0.0.1:{ports[0]}"},
        files,
        entrypoint=["/bin/sh", "/etc/spikebench/start.sh"],
        command=[],
    )


def ministack_plan(ports: Sequence[int]) -> Plan:
    """Plan ministack, an emulator of AWS; it takes any credentials, so these are no secret."""
    port = str(ports[0])
    connection = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region": "eu-west-1",
        "access_key": "test",
        "secret_key": "test",
    }
    environment = {
        "BIND_HOST": "0.0.0.0",
        "GATEWAY_PORT": port,
        "EDGE_PORT": port,
        "MINISTACK_REGION": connection["region"],
        "SERVICES": "sqs,sns,kinesis",
        "LOG_LEVEL": "WARNING",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    return Plan(connection, {}, environment)


def rabbitmq_answers(connection: Connection) -> bool:
    """Whether both AMQP and the stream protocol answer."""
    amqp = _exchange(int(connection["port"]), b"AMQP\x00\x00\x09\x01", 1)
    # A PeerProperties request (key 0x0011, version 1) with no properties; the answer sets 0x8000.
    stream = _exchange(
        int(connection["stream_port"]), struct.pack(">IHHII", 12, 0x0011, 1, 1, 0), 6
    )
    return amqp == b"\x01" and stream[4:] == b"\x80\x11"


def kafka_answers(connection: Connection) -> bool:
    """Whether the broker answers an ApiVersions request (key 18, version 0) without error."""
    port = int(connection["bootstrap"].rpartition(":")[2])
    client = b"spikebench"
    request = struct.pack(">hhih", 18, 0, 1, len(client)) + client
    answer = _exchange(port, struct.pack(">i", len(request)) + request, 10)
    return answer[4:] == struct.pack(">ih", 1, 0)


def ministack_answers(connection: Connection) -> bool:
    """Whether the emulator answers on its health page."""
    return health(connection["endpoint_url"]) is not None


def _exchange(port: int, request: bytes, size: int) -> bytes:
    """Send ``request`` and return the first ``size`` bytes of the answer, or fewer at a refusal."""
    try:
        with socket.create_connection(("127.0.0.1", port), PROBE_TIMEOUT_S) as connected:
            connected.sendall(request)
            with connected.makefile("rb") as answer:
                return answer.read(size)
    except OSError:
        return b""


RABBITMQ_DOCKER = DockerRecipe(RABBITMQ_IMAGE, 2, rabbitmq_plan, rabbitmq_answers)
KAFKA_DOCKER = DockerRecipe(KAFKA_IMAGE, 1, kafka_plan, kafka_answers)
MINISTACK_DOCKER = DockerRecipe(MINISTACK_IMAGE, 1, ministack_plan, ministack_answers)
