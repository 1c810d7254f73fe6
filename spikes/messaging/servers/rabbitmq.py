"""RabbitMQ as a server: unpacked from Debian packages, in a container, or somebody else's."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.debian import DebianTree
from spikebench.target.endpoint import EndpointRecipe
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.ports import LOOPBACK, free_ports
from spikebench.target.software import Cores, Presence, Say, Software
from spikes.messaging.servers.images import RABBITMQ_DOCKER, rabbitmq_answers
from spikes.messaging.servers.rabbitmq_url import CA_FILE, URL, read_url

_INSTEAD = f"Instead, run RabbitMQ elsewhere and set {URL}, or start a Docker engine."

_ERL = """\
#!/bin/sh
ROOTDIR=$(cd "$(dirname "$0")/{up}" && pwd)
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
EMU=beam
PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
"""

# The alarms are set so that a small machine does not block publishers: a backlog is measured, not
# the size of the machine. Everything listens on loopback only.
_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
stream.listeners.tcp.1 = 127.0.0.1:{stream_port}
stream.advertised_host = 127.0.0.1
stream.advertised_port = {stream_port}
default_user = {user}
default_pass = {password}
default_vhost = {vhost}
vm_memory_high_watermark.relative = 0.6
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = info
log.file = false
"""


def _relocate(root: Path) -> None:
    # The packaged scripts name /usr/lib/erlang; these name the folder they lie in.
    erlang = root / "usr" / "lib" / "erlang"
    (runtime,) = erlang.glob("erts-*/bin")
    for folder, up in ((erlang / "bin", ".."), (runtime, "../..")):
        script = folder / "erl"
        script.unlink()
        script.write_text(_ERL.format(up=up))
        script.chmod(0o755)


TREE = DebianTree("rabbitmq-server", r"erlang-.*", _INSTEAD, _relocate)


@dataclass(frozen=True)
class LocalRabbitMQ:
    """RabbitMQ and Erlang from the host's Debian or Ubuntu packages, one node of its own."""

    tree: DebianTree = TREE

    def presence(self, cache: Cache) -> Presence:
        """Tell whether it is unpacked, or could be."""
        root = self.tree.find(cache)
        if root is not None:
            return Presence(True, True, f"RabbitMQ {self.version(root)} in {root}")
        if self.tree.obtainable():
            return Presence(False, True, "from this machine's packages (35 MB), once")
        mend = f"export {RABBITMQ_ENDPOINT.variable}={RABBITMQ_ENDPOINT.example}"
        return Presence(False, False, "there is no apt-get on this machine", mend)

    def install(self, cache: Cache, say: Say) -> None:
        """Unpack it into the cache."""
        self.tree.unpack(cache, say)

    def start(self, cache: Cache, cores: Cores, say: Say) -> LocalServer:
        """Start a node with a generated user and password, and streams switched on."""
        root = self.tree.unpack(cache, say)
        say(f"starting RabbitMQ {self.version(root)}")
        return LocalServer.start("rabbitmq", lambda f: self._launch(root, f, cores), cores, say)

    def version(self, root: Path) -> str:
        """Return the version of what is unpacked in ``root``."""
        return self.tree.versions(root)["rabbitmq-server"].split("-")[0]

    def _launch(self, root: Path, folder: Path, cores: Cores) -> Launch:
        port, stream_port, epmd_port, distribution_port = free_ports(4)
        connection = PrivateConnection(
            host=LOOPBACK,
            port=str(port),
            stream_port=str(stream_port),
            user="spikebench",
            password=secrets.token_urlsafe(24),
            vhost="/",
        )
        configure(folder, connection)
        environ = places(folder) | erlang(root, len(cores.server), epmd_port, distribution_port)
        if libraries := self.tree.library_path(root):
            environ["LD_LIBRARY_PATH"] = libraries
        return Launch(
            command=[str(root / "usr" / "lib" / "rabbitmq" / "bin" / "rabbitmq-server")],
            connection=connection,
            listens=[port, stream_port],
            ready=lambda: rabbitmq_answers(connection),
            environ=environ,
        )


def configure(folder: Path, connection: Mapping[str, str]) -> None:
    """Write a node's configuration into its folder."""
    (folder / "rabbitmq.conf").write_text(_CONFIGURATION.format(**connection))
    (folder / "advanced.config").write_text("[].\n")
    (folder / "enabled_plugins").write_text("[rabbitmq_stream].\n")
    (folder / "rabbitmq-env.conf").touch()
    (folder / "conf.d").mkdir()


def places(folder: Path) -> dict[str, str]:
    """Return the variables that tell a node where its files are."""
    # All are named, so that nothing of a RabbitMQ installed on the machine is read.
    return {
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(folder / "conf.d"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
    }


def node_name(distribution_port: int) -> str:
    """Return the name of the Erlang node that listens there."""
    return f"spikebench-{distribution_port}@localhost"


def erlang(root: Path, schedulers: int, epmd_port: int, distribution_port: int) -> dict[str, str]:
    """Return the variables that a node's Erlang runs by."""
    flags = [
        f"+S {schedulers}:{schedulers}",
        # Schedulers that spin while they wait would be counted as the broker's work.
        "+sbwt none +sbwtdcpu none +sbwtdio none",
        "-kernel inet_dist_use_interface {127,0,0,1}",
    ]
    return {
        "PATH": f"{root / 'usr' / 'lib' / 'erlang' / 'bin'}:/usr/bin:/bin",
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_NODENAME": node_name(distribution_port),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(flags),
    }


RABBITMQ_ENDPOINT = EndpointRecipe(
    variable=URL,
    example="amqp://user:password@host:5672/vhost",
    read=read_url,
    address=lambda connection: (connection["host"], int(connection["port"])),
    ca_variable=CA_FILE,
)

RABBITMQ = Software(
    name="rabbitmq",
    recipes={"endpoint": RABBITMQ_ENDPOINT, "docker": RABBITMQ_DOCKER, "local": LocalRabbitMQ()},
    fidelity={"endpoint": "software", "docker": "software", "local": "software"},
)
