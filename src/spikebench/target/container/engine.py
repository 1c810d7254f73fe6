"""The Docker engine of this machine: finding it, and what it says when it refuses."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException
from testcontainers.core.docker_client import get_docker_host
from testcontainers.core.exceptions import ContainerStartException

from spikebench.errors import TargetError

SILENCE_S = 60.0
"""An engine that has said nothing for so long is given up."""

_ANY_API = "1.41"
"""Of Docker 20.10; every engine takes the unversioned question which version it speaks."""

REFUSED = (DockerException, RequestException, OSError, ContainerStartException)
"""What the Docker and testcontainers libraries raise when the engine is gone or says no."""


@contextlib.contextmanager
def engine(timeout_s: float) -> Iterator[docker.DockerClient]:
    """Yield a client of the engine that testcontainers would use; raise TargetError without one.

    A published port of an engine elsewhere is not on this machine's loopback, so only an engine
    here will do.
    """
    host = get_docker_host()
    _refuse_remote(host)
    settings = kwargs_from_env() | ({"base_url": host} if host else {}) | {"timeout": timeout_s}
    try:
        _knock(host, timeout_s)
        # Asked by a client of its own: one that finds no engine while it is made is never closed.
        with contextlib.closing(docker.APIClient(version=_ANY_API, **settings)) as probe:
            spoken = probe.version(api_version=False)["ApiVersion"]
    except REFUSED as error:
        raise TargetError(f"no Docker engine answers at {host or 'its usual socket'}") from error
    with contextlib.closing(docker.DockerClient(version=spoken, **settings)) as client:
        yield client


def _refuse_remote(host: str | None) -> None:
    address = urlsplit(host or "unix:///")
    if address.scheme in ("unix", "npipe") or address.hostname in ("localhost", "127.0.0.1", "::1"):
        return
    raise TargetError(
        f"the Docker engine at {address.scheme}://{address.hostname} is on another machine; "
        "unset DOCKER_HOST to use the one here, or use --target local"
    )


def _knock(host: str | None, timeout_s: float) -> None:
    """Raise OSError where nobody listens; the Docker library leaks its socket on finding out."""
    address = urlsplit(host or "unix:///var/run/docker.sock")
    if address.scheme == "unix":
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(timeout_s)
            knocking.connect(address.path)


def what_it_said(error: Exception) -> str:
    """Say what the engine said, without the library's account of the request."""
    return str(getattr(error, "explanation", None) or error)


def mend_engine() -> str:
    """Return the command that would have an engine answer here."""
    if shutil.which("dockerd"):
        return "sudo systemctl start docker"
    return "sudo apt-get install docker.io, or name a running engine in DOCKER_HOST"
