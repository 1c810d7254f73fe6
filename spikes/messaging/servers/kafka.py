"""Apache Kafka as a server: from its own jars, in a container, or somebody else's."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.endpoint import EndpointRecipe
from spikebench.target.java import find_java, java_home, java_version
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.maven import class_path, is_cached, read_lock
from spikebench.target.ports import LOOPBACK, free_ports
from spikebench.target.seal import find_damage, seal_tree, sha256
from spikebench.target.software import Cores, Presence, Say, Software
from spikes.messaging.servers.images import KAFKA_DOCKER, kafka_answers
from spikes.messaging.servers.kafka_security import CA_FILE, read_security
from spikes.messaging.servers.kafka_settings import (
    CONFIGURATION,
    DEFAULT_SESSION_MS,
    JVM,
    LOGGING,
    PAUSED_SESSION_MS,
)

LOCK = Path(__file__).parents[1] / "artefacts" / "kafka-server.lock"


@dataclass(frozen=True)
class LocalKafka:
    """One KRaft node, broker and controller in one, from the jars that the lock file pins.

    ``session_ms`` is how long its controller takes a silent broker to be alive, in milliseconds.
    """

    lock: Path = LOCK
    session_ms: int = PAUSED_SESSION_MS

    def presence(self, cache: Cache) -> Presence:
        """Tell whether jars and Java are here; otherwise they can be fetched."""
        home = find_java(cache)
        if home is not None and is_cached(self.lock, cache):
            return Presence(True, True, f"Kafka {self._version()} on Java {java_version(home)}")
        return Presence(False, True, f"Kafka {self._version()} from Maven artefacts, once")

    def install(self, cache: Cache, say: Say) -> None:
        """Fetch jars and a Java runtime into the cache, and format an empty data folder."""
        home, jars = java_home(cache, say), class_path(self.lock, cache, say)
        self.formatted(cache, home, jars, say)

    def start(self, cache: Cache, cores: Cores, say: Say) -> LocalServer:
        """Start the node; topics are created by their users, never by chance."""
        home, jars = java_home(cache, say), class_path(self.lock, cache, say)
        formatted = self.formatted(cache, home, jars, say)
        say(f"starting Kafka {self._version()} on Java {java_version(home)}")
        return LocalServer.start(
            "kafka", lambda folder: self._launch(home, jars, formatted, folder), cores, say
        )

    def _launch(self, home: Path, jars: Sequence[Path], formatted: Path, folder: Path) -> Launch:
        port, controller_port = free_ports(2)
        data, properties, logging = (
            folder / "data",
            folder / "server.properties",
            folder / "log4j2.yaml",
        )
        shutil.copytree(formatted, data)
        places = {
            "listen": LOOPBACK,
            "port": port,
            "controller_port": controller_port,
            "data": data,
        }
        properties.write_text(CONFIGURATION.format(**places, session_ms=self.session_ms))
        logging.write_text(LOGGING)
        connection = PrivateConnection(bootstrap=f"{LOOPBACK}:{port}")
        options = [*JVM, f"-Dlog4j2.configurationFile={logging}"]
        return Launch(
            command=[*java_command(home, jars), *options, "kafka.Kafka", str(properties)],
            connection=connection,
            listens=[port, controller_port],
            ready=lambda: kafka_answers(connection),
        )

    def _version(self) -> str:
        return read_lock(self.lock)[0].version

    def formatted(self, cache: Cache, home: Path, jars: Sequence[Path], say: Say) -> Path:
        """Return a formatted data folder; copying one saves a JVM's start each time."""
        template = cache.folder("kafka") / f"formatted-{sha256(self.lock)[:12]}"
        if find_damage(template) is None:
            return template
        with cache.lock("kafka", say):
            if find_damage(template) is not None:
                shutil.rmtree(template, ignore_errors=True)
                _format(home, jars, template)
        return template


def _format(home: Path, jars: Sequence[Path], template: Path) -> None:
    configuration = template.with_name("format.properties")
    configuration.write_text(
        CONFIGURATION.format(
            listen=LOOPBACK, port=9092, controller_port=9093, data=template, session_ms=9_000
        )
    )
    command = [*java_command(home, jars), "kafka.tools.StorageTool", "format"]
    done = subprocess.run(
        [*command, "--cluster-id", "spikebench-cluster-id0", "--config", str(configuration)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ArtefactError(
            f"Kafka's storage tool could not format {template}: {done.stderr.strip()[-500:]} "
            f"(Java: {home}). Set SPIKEBENCH_JAVA=bundled to use another Java runtime."
        )
    for path in (template, *template.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    seal_tree(template)


def java_command(home: Path, jars: Sequence[Path]) -> list[str]:
    """Return the beginning of a command that runs one of the jars' mains."""
    return [str(home / "bin" / "java"), "-cp", ":".join(map(str, jars))]


def read_bootstrap(value: str, environ: Mapping[str, str]) -> PrivateConnection:
    """Read ``host:port[,host:port...]``, and from the environment how they are spoken to.

    Raise ValueError with what is wrong, TargetError where that is another variable.
    """
    for server in value.split(","):
        host, _, port = server.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("it is not a list of host:port, separated by commas")
    return PrivateConnection(bootstrap=value, **read_security(environ))


def _first(connection: Mapping[str, str]) -> tuple[str, int]:
    host, _, port = connection["bootstrap"].split(",")[0].rpartition(":")
    return host.strip(), int(port)


KAFKA_ENDPOINT = EndpointRecipe(
    variable="SPIKEBENCH_KAFKA_BOOTSTRAP",
    example="host:9092",
    read=read_bootstrap,
    address=_first,
    ca_variable=CA_FILE,
)

KAFKA = Software(
    name="kafka",
    recipes={"endpoint": KAFKA_ENDPOINT, "docker": KAFKA_DOCKER, "local": LocalKafka()},
    fidelity={"endpoint": "software", "docker": "software", "local": "software"},
    breakable=Software(
        name="kafka-breakable",
        recipes={"local": LocalKafka(session_ms=DEFAULT_SESSION_MS)},
        fidelity={"local": "software"},
    ),
)
