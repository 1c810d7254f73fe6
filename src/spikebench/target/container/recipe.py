"""How a server comes to run in a container; a ``spikebench.target.software.Recipe``."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from docker.types import LogConfig
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from spikebench.errors import TargetError
from spikebench.target.container.engine import REFUSED, SILENCE_S, engine, what_it_said
from spikebench.target.container.image import FromImage, has
from spikebench.target.container.owner import guard_of, labels, sweep
from spikebench.target.container.server import DockerServer
from spikebench.target.ports import free_ports
from spikebench.target.software import Connection, Cores, Say

if TYPE_CHECKING:
    from spikebench.target.cache import Cache

READY_TIMEOUT_S = 90.0


@dataclass(frozen=True)
class Plan:
    """How one container is run and reached; ``files`` maps a path in the container to its text.

    Configuration goes in as files and, where it must, the command: so the official image and one
    built by hand are run alike, and no secret stands in the container's environment.
    """

    connection: Connection
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = None


@dataclass(frozen=True)
class DockerRecipe(FromImage):
    """A way to have software running in a container; a ``spikebench.target.software.Recipe``.

    ``plan`` gets as many free host ports as ``ports`` says. ``answers`` asks the server itself, in
    its own protocol and within a second or so: a published port accepts connections long before
    the server behind it does.
    """

    ports: int
    plan: Callable[[Sequence[int]], Plan]
    answers: Callable[[Connection], bool]
    ready_within_s: float = READY_TIMEOUT_S

    def start(self, cache: Cache, cores: Cores, say: Say) -> DockerServer:  # noqa: ARG002
        """Start the container and wait until the server answers; see ``Recipe.start``."""
        with engine(SILENCE_S) as client:
            if not has(client, self.named):
                raise TargetError(self.not_pulled("it was never fetched"))
            sweep(client)
        say(f"starting {self.named} in a container")
        with contextlib.suppress(_PortTakenError):
            return self._start_once(cores)
        return self._start_once(cores)

    def _start_once(self, cores: Cores) -> DockerServer:
        ports = free_ports(self.ports)
        plan = self.plan(ports)
        token = uuid.uuid4().hex
        try:
            container = _container(self.image.reference(), plan, cores, token)
            _publish(container, ports)
            server = DockerServer(container, plan.connection, self.answers, guard_of(token))
            server.start(self.ready_within_s)
        except REFUSED as error:
            raise self._not_started(error) from error
        return server

    def _not_started(self, error: Exception) -> TargetError:
        why = what_it_said(error)
        taken = "already allocated" in why or "already in use" in why
        return (_PortTakenError if taken else TargetError)(
            f"Docker did not start a container of {self.named}: {why}. See `docker info` and the "
            f"engine's log, or use --target local."
        )


class _PortTakenError(TargetError):
    """A port that was free just now has been taken; another may do."""


def _container(reference: str, plan: Plan, cores: Cores, token: str) -> DockerContainer:
    # Ryuk would have to be pulled and needs the engine's socket in a container; the guard and the
    # sweep do its work.
    testcontainers_config.ryuk_disabled = True
    container = DockerContainer(reference, env=dict(plan.environment)).with_kwargs(
        cpuset_cpus=",".join(map(str, cores.server)),
        labels=labels(token),
        # An image's own health check would run inside, every few seconds, on the server's account.
        healthcheck={"test": ["NONE"]},
        log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "16m"}),
        **({"entrypoint": list(plan.entrypoint)} if plan.entrypoint is not None else {}),
    )
    if plan.command is not None:
        container.with_command(list(plan.command))
    for path, text in plan.files.items():
        container.with_copy_into_container(text.encode(), path)
    return container


def _publish(container: DockerContainer, ports: Sequence[int]) -> None:
    """Publish each port on the loopback address alone.

    Testcontainers types a binding as a bare port, which would listen on every interface.
    """
    bindings = cast(dict[str, Any], container.ports)
    bindings.update({f"{port}/tcp": ("127.0.0.1", port) for port in ports})
