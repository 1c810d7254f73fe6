"""AWS as a server: ministack, an emulator of its API, or an endpoint somebody else runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from spikebench.candidate import Fidelity
from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache
from spikebench.target.connection import PrivateConnection
from spikebench.target.endpoint import EndpointRecipe
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.ports import LOOPBACK, free_ports
from spikebench.target.scratch import ordinary_account
from spikebench.target.software import Cores, Presence, Say, Software
from spikes.messaging.aws_endpoint import is_aws
from spikes.messaging.servers.images import MINISTACK_DOCKER, ministack_answers

_LAUNCHER = Path(__file__).with_name("ministack_launcher.py")
_MEND = "python -m pip install 'spikebench[messaging]'"
_REGION = "eu-west-1"


@dataclass(frozen=True)
class LocalMinistack:
    """ministack from the Python environment that the harness runs in."""

    def presence(self, cache: Cache) -> Presence:  # noqa: ARG002
        """Tell whether the package is installed."""
        found = _version()
        if found is None:
            return Presence(False, False, "the package ministack is not installed", _MEND)
        return Presence(True, True, f"ministack {found}")

    def install(self, cache: Cache, say: Say) -> None:  # noqa: ARG002
        """Nothing to fetch: it comes with the extra ``messaging``; raise ArtefactError without."""
        if _version() is None:
            raise ArtefactError(f"the package ministack is not installed. Install it: {_MEND}")

    def start(self, cache: Cache, cores: Cores, say: Say) -> LocalServer:
        """Start it with the services that the candidates need."""
        self.install(cache, say)
        say(f"starting ministack {_version()}")
        return LocalServer.start("ministack", _launch, cores, say)


def _version() -> str | None:
    try:
        return version("ministack")
    except PackageNotFoundError:
        return None


def _launch(folder: Path) -> Launch:
    (port,) = free_ports(1)
    connection = PrivateConnection(
        endpoint_url=f"http://{LOOPBACK}:{port}",
        region=_REGION,
        access_key="test",
        secret_key="test",
    )
    account = ordinary_account()
    user = [str(account.uid), str(account.gid)] if account else []
    return Launch(
        command=[sys.executable, "-P", str(_LAUNCHER), *user],
        connection=connection,
        listens=[port],
        ready=lambda: ministack_answers(connection),
        environ=_environ(port, folder),
        as_ordinary_user=False,
    )


def _environ(port: int, folder: Path) -> dict[str, str]:
    return {
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "EDGE_PORT": str(port),
        "MINISTACK_REGION": _REGION,
        "SERVICES": "sqs,sns,kinesis",
        "LOG_LEVEL": "WARNING",
        # Listeners and containers that no candidate needs.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/no-engine.sock",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def read_endpoint(value: str, environ: Mapping[str, str]) -> PrivateConnection:
    """Read ``http(s)://host[:port]``, with region and keys from AWS's own variables.

    Without keys in the environment none are passed on, and the client library looks for them where
    it always does. Raise ValueError with what is wrong.
    """
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("it is not an address that starts with http:// or https://")
    if url.username or url.password:
        raise ValueError("it holds credentials, which belong into AWS_ACCESS_KEY_ID and its like")
    _address(url)
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _REGION
    connection = PrivateConnection(endpoint_url=value, region=region)
    for key, variable in _KEYS.items():
        if environ.get(variable):
            connection[key] = environ[variable]
    return connection


_KEYS = {
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
}


def endpoint_fidelity(value: str) -> Fidelity:
    """Return what rows from an endpoint can prove: AWS is itself, all else imitates it."""
    return "service" if is_aws(value) else "emulator"


def _address(url: SplitResult) -> tuple[str, int]:
    try:
        port = url.port
    except ValueError:
        raise ValueError("its port is not a number below 65536") from None
    return url.hostname or "", port or (443 if url.scheme == "https" else 80)


AWS_ENDPOINT = EndpointRecipe(
    variable="SPIKEBENCH_AWS_ENDPOINT_URL",
    example="http://host:4566",
    read=read_endpoint,
    address=lambda connection: _address(urlsplit(connection["endpoint_url"])),
)

AWS = Software(
    name="ministack",
    recipes={"endpoint": AWS_ENDPOINT, "docker": MINISTACK_DOCKER, "local": LocalMinistack()},
    fidelity={
        "endpoint": endpoint_fidelity(os.environ.get(AWS_ENDPOINT.variable, "")),
        "docker": "emulator",
        "local": "emulator",
    },
)
