"""A certificate authority for a test, and servers that it certifies."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from spikebench.target.connection import PrivateConnection
from spikebench.target.local_server import Launch
from spikebench.target.ports import free_ports
from spikebench.target.software import Cores
from spikes.messaging.servers.kafka import LocalKafka
from spikes.messaging.servers.rabbitmq import LocalRabbitMQ

KAFKA_USER = "alice"
KAFKA_PASSWORD = 'sm"ar\\t p:a=s%'
"""With what has a meaning of its own in Kafka's login settings."""

_RABBITMQ = """\
listeners.ssl.1 = 127.0.0.1:{port}
stream.listeners.ssl.1 = 127.0.0.1:{stream_port}
ssl_options.cacertfile = {folder}/ca.pem
ssl_options.certfile = {folder}/server.pem
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_none
"""

_KAFKA = """\
offsets.topic.num.partitions=1
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.both
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config={package}.plain.PlainLoginModule required \
user_{user}={password};
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={package}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={package}.scram.ScramLoginModule required;
"""


@dataclass(frozen=True)
class Authority:
    """A CA in ``folder``, with a certificate that it signed for ``localhost`` alone."""

    folder: Path

    @property
    def ca_file(self) -> str:
        """Whom to trust."""
        return str(self.folder / "ca.pem")

    def found(self) -> Authority:
        """Make keys and certificates; ``server.both`` has the server's key and certificate."""
        self.folder.mkdir()
        ca = trustme.CA()
        server = ca.issue_cert("localhost")
        key, certificate = _pkcs8(server.private_key_pem), server.cert_chain_pems[0].bytes()
        ca.cert_pem.write_to_path(self.folder / "ca.pem")
        (self.folder / "server.key").write_bytes(key)
        (self.folder / "server.pem").write_bytes(certificate)
        (self.folder / "server.both").write_bytes(key + certificate)
        return self

    def equip(self, folder: Path) -> None:
        """Copy what a server needs into its folder."""
        for name in ("ca.pem", "server.key", "server.pem", "server.both"):
            shutil.copy(self.folder / name, folder)


def _pkcs8(key: trustme.Blob) -> bytes:
    """The key in the one form that Kafka reads."""
    loaded = load_pem_private_key(key.bytes(), password=None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class RabbitMQOverTls(LocalRabbitMQ):
    """The local RabbitMQ with AMQP and streams over TLS as well; ``tls_port`` and its like."""

    authority: Authority | None = None

    def _launch(self, root: Path, folder: Path, cores: Cores) -> Launch:
        assert self.authority is not None
        launch = super()._launch(root, folder, cores)
        self.authority.equip(folder)
        port, stream_port = free_ports(2)
        with (folder / "rabbitmq.conf").open("a") as file:
            file.write(_RABBITMQ.format(port=port, stream_port=stream_port, folder=folder))
        more = {"tls_port": str(port), "tls_stream_port": str(stream_port)}
        return replace(
            launch,
            listens=[*launch.listens, port, stream_port],
            connection=PrivateConnection({**launch.connection, **more}),
        )


@dataclass(frozen=True)
class KafkaOverTls(LocalKafka):
    """The local Kafka with listeners for SSL and SASL_SSL as well, whose ports have these names.

    ``KAFKA_USER`` may log in with PLAIN; SCRAM users are to be made.
    """

    authority: Authority | None = None

    def _launch(self, home: Path, jars: object, formatted: Path, folder: Path) -> Launch:
        assert self.authority is not None
        launch = super()._launch(home, jars, formatted, folder)  # type: ignore[arg-type]
        self.authority.equip(folder)
        ports = dict(zip(("SSL", "SASL_SSL"), free_ports(2), strict=True))
        listeners = ",".join(f"{name}://localhost:{port}" for name, port in ports.items())
        properties = folder / "server.properties"
        settings = (
            properties.read_text()
            .replace("listeners=PLAINTEXT:", f"listeners={listeners},PLAINTEXT:")
            .replace("map=PLAINTEXT:", "map=SSL:SSL,SASL_SSL:SASL_SSL,PLAINTEXT:")
        )
        quoted = KAFKA_PASSWORD.replace("\\", r"\\").replace('"', r"\"")
        login = _KAFKA.format(
            folder=folder,
            package="org.apache.kafka.common.security",
            user=KAFKA_USER,
            # once more, for a properties file has backslashes of its own
            password=f'"{quoted}"'.replace("\\", r"\\"),
        )
        properties.write_text(settings + login)
        more = {name: str(port) for name, port in ports.items()}
        return replace(
            launch,
            listens=[*launch.listens, *ports.values()],
            connection=PrivateConnection({**launch.connection, **more}),
        )
