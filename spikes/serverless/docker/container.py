"""A function in a container of its own, made for one trial.

Before the first process of an image's own (``/var/runtime/bootstrap``), its ``/bin/sh`` writes one
byte to a pipe of ours and executes it: that is the start, as on the local target. What comes before
is the engine's work (``set_up``: namespaces, the layered file system, control groups) and no part
of a cold start, for in Lambda a microVM stands in its place, which nothing here resembles. The
stamp is taken when the byte arrives: late by our waking up, some tens of microseconds.

The container shares the host's network, so that it reaches the trial's endpoint on loopback and no
bridge or forwarder stands between. Its quota is filled up as often as that of the local target.
"""

from __future__ import annotations

import json
import os
import selectors
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import docker
from docker.errors import NotFound
from docker.types import LogConfig

from spikebench.errors import TargetError
from spikebench.target.docker import LOG_LINES, REFUSED, labels, what_it_said
from spikes.serverless.box import (
    API_VARIABLE,
    MARK_VARIABLE,
    MEMORY_VARIABLE,
    Box,
    how_it_ended,
)
from spikes.serverless.docker.call import Call
from spikes.serverless.function import Function
from spikes.serverless.group import PERIOD_US, Group
from spikes.serverless.happening import Deliver, Happening
from spikes.serverless.page_cache import files_of, make_warm
from spikes.serverless.process_account import owner_of

TASK_ROOT = "/var/task"
BESIDE = "/spikebench"
"""Where the pipes of a trial are, inside."""

_ASK_TIMEOUT_S = 30.0
_MIB = 1024 * 1024
_STARTER = f'echo >{BESIDE}/start; exec "$0"'


@dataclass(frozen=True)
class Host:
    """An engine, where it listens, and the token of the guard that clears away behind us.

    ``held_back`` is why it cannot hold a container to a share; empty where it can.
    """

    client: docker.DockerClient
    address: str | tuple[str, int]
    token: str
    held_back: str = ""


@dataclass(frozen=True, kw_only=True)
class ContainerBox(Box):
    """A box that is a container of ``image``."""

    host: Host
    image: str

    def boxed(
        self, function: Function, api: str, selector: selectors.BaseSelector, deliver: Deliver
    ) -> Contained:
        """Return what starts ``function`` in a container; ``api``: host and port."""
        return Contained(function, self, api, selector, deliver)

    def prepare_cache(self, function: Function) -> str:
        """Read the package once; empty where ``dropped`` is asked for, which is not allowed."""
        if self.page_cache != "warm":
            return ""
        return f"{make_warm(files_of(function))}; the image's by an earlier start"

    def limits(self) -> dict[str, Any]:
        """What the engine is told of the share; nothing where the box is not confined."""
        cpus = {"cpuset_cpus": ",".join(map(str, self.cpus))} if self.cpus else {}
        if not self.confined or self.host.held_back:
            return cpus
        memory_bytes = self.memory_mb * _MIB
        return cpus | {
            "mem_limit": memory_bytes,
            "memswap_limit": memory_bytes,
            "cpu_period": PERIOD_US,
            "cpu_quota": round(PERIOD_US * self.vcpus),
        }

    @property
    def confinement(self) -> str:
        """As ``group`` of a local box says it."""
        if not self.confined:
            return "none: not asked for"
        return f"none: {self.host.held_back}" if self.host.held_back else "cgroup"


@dataclass
class Contained:
    """A function in its container; a ``spikes.serverless.box.Started``.

    Raises TargetError from its beginning where the engine refuses the container, and from its end
    where it cannot be removed.
    """

    function: Function
    box: ContainerBox
    api: str
    selector: selectors.BaseSelector
    deliver: Deliver
    output: str = ""
    cpu_s: float | None = None
    peak_bytes: int | None = None
    _id: str = ""
    _group: Group | None = None
    _pipes: dict[str, int] = field(default_factory=dict)
    _calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.confinement = self.box.confinement
        self._scratch = Path(tempfile.mkdtemp(prefix=f"spikebench-mark-{os.getpid()}-"))
        try:
            self._open("start", self._started)
            self._open("mark", self._marked)
            self._scratch.chmod(0o755)  # an image's user may be another, or be mapped to one
            self._id = self._created()
            self._call("wait?condition=next-exit", self._ended).await_head()
        except REFUSED as error:
            self.end()
            raise self._refused("create", error) from error
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def start(self) -> None:
        """Ask the engine to start it now: what follows is told through ``deliver``."""
        try:
            self._call("start", self._answered)
        except OSError as error:
            text = f"the engine does not answer: {error}"
            self.deliver(Happening("unstarted", time.monotonic_ns(), text=text))

    @property
    def pid(self) -> int | None:
        """Its first process, by the number it has outside; None where it does not run."""
        return int(self._state().get("Pid", 0)) or None

    @property
    def group(self) -> Group | None:
        """Its control group, looked up when first asked for: nothing is being measured then."""
        if self._group is None and (pid := self.pid) is not None:
            self._group = Group.of_container(self._id, pid)
        return self._group

    @property
    def pids(self) -> list[int]:
        """Its living processes."""
        if (group := self.group) is not None:
            with suppress(OSError):
                return group.pids()
            return []
        return [pid] if (pid := self.pid) is not None else []

    def is_mark(self, descriptor: int) -> bool:
        """Whether a descriptor of the selector's is the pipe of the mark."""
        return descriptor == self._pipes.get("mark")

    def owner_of(self, port: int) -> int | None:
        """The process in the container that holds the socket with the local ``port``.

        Where we may not look into its processes, being neither root nor their user, its first one
        is said to: nothing but this container was given the endpoint's address.
        """
        pids = self.pids
        if pids and not all(os.access(f"/proc/{pid}/fd", os.R_OK) for pid in pids):
            return pids[0]
        return owner_of(port, pids)

    def killed_for_memory(self) -> bool:
        """Whether the kernel has ended a process of it at the limit of its memory."""
        if self._group is not None:
            with suppress(OSError):
                return self._group.killed_for_memory() > 0
        return bool(self._state().get("OOMKilled"))

    def end(self) -> None:
        """Remove the container and the pipes; safe to call twice."""
        for call in self._calls:
            call.close()
        self._calls.clear()
        for name in tuple(self._pipes):
            self._close(name)
        try:
            self._remove()
        finally:
            for name in ("start", "mark"):
                (self._scratch / name).unlink(missing_ok=True)
            with suppress(OSError):
                self._scratch.rmdir()

    def _created(self) -> str:
        api = self.box.host.client.api
        config = api.create_host_config(
            binds={
                str(self.function.folder): {"bind": TASK_ROOT, "mode": "ro"},
                str(self._scratch): {"bind": BESIDE, "mode": "rw"},
            },
            network_mode="host",
            log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "1m"}),
            **self.box.limits(),
        )
        made = api.create_container(
            self.box.image,
            command=[],
            entrypoint=["/bin/sh", "-c", _STARTER, *self.function.command],
            environment=self._environ(),
            working_dir=TASK_ROOT,
            labels=labels(self.box.host.token),
            healthcheck={"test": ["NONE"]},
            host_config=config,
        )
        return str(made["Id"])

    def _environ(self) -> Mapping[str, str]:
        return {
            **self.function.environ,
            API_VARIABLE: self.api,
            MEMORY_VARIABLE: str(self.box.memory_mb),
            MARK_VARIABLE: f"{BESIDE}/mark",
        }

    def _open(self, name: str, arrived: Callable[[], None]) -> None:
        path = self._scratch / name
        os.mkfifo(path)
        path.chmod(0o666)
        # Open for both, or the pipe would be at its end again with each one that closes it.
        self._pipes[name] = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.selector.register(self._pipes[name], selectors.EVENT_READ, arrived)

    def _close(self, name: str) -> None:
        descriptor = self._pipes.pop(name)
        self.selector.unregister(descriptor)
        os.close(descriptor)

    def _started(self) -> None:
        self._arrived("start", "started")

    def _marked(self) -> None:
        self._arrived("mark", "mark")

    def _arrived(self, name: str, kind: Any) -> None:
        with suppress(BlockingIOError):
            os.read(self._pipes[name], 1)
            self.deliver(Happening(kind, time.monotonic_ns()))
            self._close(name)

    def _call(self, what: str, answered: Callable[[int, bytes, int], None]) -> Call:
        host = self.box.host
        path = f"/v{host.client.api.api_version}/containers/{self._id}/{what}"
        call = Call(host.address, path, self.selector, answered, _ASK_TIMEOUT_S)
        self._calls.append(call)
        return call

    def _answered(self, status: int, body: bytes, at_ns: int) -> None:
        if status not in (204, 304):
            self.deliver(Happening("unstarted", at_ns, text=_message(body)))

    def _ended(self, status: int, body: bytes, at_ns: int) -> None:
        if status != 200:
            text = f"the engine lost sight of it: {_message(body)}"
        else:
            text = how_it_ended(int(json.loads(body)["StatusCode"]))
        self.deliver(Happening("ended", at_ns, text=text))

    def _state(self) -> dict[str, Any]:
        with suppress(*REFUSED):
            return dict(self.box.host.client.api.inspect_container(self._id)["State"])
        return {}

    def _remove(self) -> None:
        if not self._id:
            return
        api = self.box.host.client.api
        try:
            self.output = api.logs(self._id, tail=LOG_LINES).decode(errors="replace")
            api.remove_container(self._id, v=True, force=True)
        except NotFound:
            pass
        except REFUSED as error:
            raise self._refused("remove", error) from error
        self._id = ""

    def _refused(self, what: str, error: Exception) -> TargetError:
        return TargetError(
            f"Docker did not {what} a container of {self.box.image}: {what_it_said(error)}. See "
            "`docker info` and the engine's log, or use --target local."
        )


def _message(body: bytes) -> str:
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(body)["message"])
    return body.decode(errors="replace")[:300]
