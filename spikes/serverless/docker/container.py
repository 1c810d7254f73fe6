"""A function in a container of its own, made for one trial.

The container is up before the trial begins: an image's ``/bin/sh`` says so and waits at a pipe. The
start is when we write to it; the shell wakes and executes the image's own first process,
``/var/runtime/bootstrap``. So the start means what it does on the local target, but that the
shell's waking up is the function's: some tens of microseconds, more where its processors are taken.

What the engine does for a container (``container_start``: namespaces, a layered file system,
control groups) is no part of a cold start, for in Lambda a microVM stands in its place, which
nothing here resembles. Nor is its CPU, which is spent in the container's control group: it is taken
off the account, and a few periods of the quota pass before the start, so that the function does not
pay for it.

The container shares the host's network: it reaches the trial's endpoint on loopback, and no bridge
or forwarder stands between.
"""

from __future__ import annotations

import os
import select
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
from spikebench.target.container.engine import REFUSED, what_it_said
from spikebench.target.container.owner import labels
from spikebench.target.container.server import LOG_LINES
from spikes.serverless.box import (
    API_VARIABLE,
    MARK_VARIABLE,
    MEMORY_VARIABLE,
    Box,
    how_it_ended,
    last_line,
)
from spikes.serverless.function import Function
from spikes.serverless.group import PERIOD_US, Group, Throttling
from spikes.serverless.happening import Deliver, Happening
from spikes.serverless.page_cache import files_of, make_warm
from spikes.serverless.process_account import owner_of

TASK_ROOT = "/var/task"
BESIDE = "/spikebench"
"""Where the pipes of a trial are, inside."""

_ASK_TIMEOUT_S = 30.0
_READY_TIMEOUT_S = 30.0
_MIB = 1024 * 1024
_STARTER = f'echo >{BESIDE}/ready; read -r _ <{BESIDE}/go; exec "$0" "$@"'
_PIPES = ("ready", "go", "mark")
_SETTLING_S = 5 * PERIOD_US / 1e6


@dataclass(frozen=True)
class Host:
    """An engine, and the token of the guard that clears away behind us.

    ``scratch`` is where the pipes of trials come to lie; ``held_back`` why it cannot hold a
    container to a share, empty where it can.
    """

    client: docker.DockerClient
    token: str
    scratch: Path
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


@dataclass(frozen=True)
class ContainerGroup(Group):
    """A container's group, less what was spent in it before the function's start."""

    before_cpu_s: float
    before: Throttling

    @classmethod
    def since_now(cls, group: Group) -> ContainerGroup:
        """Return ``group`` as it counts from now on; raises OSError where it is gone."""
        return cls(group.version, group.folders, group.cpu_s(), group.throttling())

    def cpu_s(self) -> float:
        """CPU seconds of all that ran in the group since the start."""
        return super().cpu_s() - self.before_cpu_s

    def throttling(self) -> Throttling:
        """How the quota was felt since the start."""
        now = super().throttling()
        periods = now.periods - self.before.periods
        return Throttling(periods, now.waited_s - self.before.waited_s)


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
    confinement: str = ""
    group: Group | None = None
    pid: int | None = None
    output: str = ""
    cpu_s: float | None = None
    peak_bytes: int | None = None
    set_up_ns: int | None = None
    _id: str = ""
    _pipes: dict[str, int] = field(default_factory=dict)
    _registered: list[int] = field(default_factory=list)
    _process: int | None = None

    def __enter__(self) -> Self:
        self.confinement = self.box.confinement
        self._scratch = Path(tempfile.mkdtemp(dir=self.box.host.scratch))
        try:
            self._scratch.chmod(0o755)  # an image's user may be another, or be mapped to one
            for name in _PIPES:
                self._pipes[name] = self._opened(name)
            self._bring_up()
        except REFUSED as error:
            self.end()
            raise self._refused("start", error) from error
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
        """Have the waiting shell execute the function now: what follows is told."""
        at_ns = time.monotonic_ns()
        os.write(self._pipes["go"], b"\n")
        self.deliver(Happening("started", at_ns))

    @property
    def pids(self) -> list[int]:
        """Its living processes; where they cannot be seen, its first one."""
        if self.group is not None:
            with suppress(OSError):
                return self.group.pids()
            return []
        return [self.pid] if self.pid is not None else []

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
            return self.pid
        return owner_of(port, pids)

    def killed_for_memory(self) -> bool:
        """Whether the kernel has ended a process of it at the limit of its memory.

        As the group says, and, once that is gone with its last process, the engine.
        """
        if self.group is not None:
            with suppress(OSError):
                return self.group.killed_for_memory() > 0
        return bool(self._state().get("OOMKilled"))

    def end(self) -> None:
        """Remove the container and the pipes; safe to call twice."""
        for descriptor in self._registered:
            self.selector.unregister(descriptor)
        self._registered.clear()
        try:
            self._remove()
        finally:
            self._discard()

    def _bring_up(self) -> None:
        api = self.box.host.client.api
        self._id = self._created()
        asked_ns = time.monotonic_ns()
        api.start(self._id)
        self.set_up_ns = time.monotonic_ns() - asked_ns
        self.pid = int(self._state().get("Pid", 0)) or None
        self._await_ready()
        if self.pid is None:
            raise self._failed("ended before its start")
        self._process = os.pidfd_open(self.pid)
        self._register(self._process, self._end_seen)
        self._register(self._pipes["mark"], self._mark_seen)
        time.sleep(_SETTLING_S)
        if (group := Group.of_container(self._id, self.pid)) is not None:
            self.group = ContainerGroup.since_now(group)

    def _created(self) -> str:
        api = self.box.host.client.api
        config = api.create_host_config(
            binds={
                str(self.function.folder): {"bind": TASK_ROOT, "mode": "ro"},
                str(self._scratch): {"bind": BESIDE, "mode": "rw"},
            },
            network_mode="host",
            # Neither stands in the way where an engine maps users or labels files.
            userns_mode="host",
            security_opt=["label=disable"],
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

    def _opened(self, name: str) -> int:
        path = self._scratch / name
        os.mkfifo(path)
        path.chmod(0o666)
        # Open for both, or the pipe would be at its end again with each one that closes it.
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def _register(self, descriptor: int, ready: Callable[[], None]) -> None:
        self.selector.register(descriptor, selectors.EVENT_READ, ready)
        self._registered.append(descriptor)

    def _unregister(self, descriptor: int) -> None:
        self.selector.unregister(descriptor)
        self._registered.remove(descriptor)

    def _await_ready(self) -> None:
        ready, _, _ = select.select([self._pipes["ready"]], [], [], _READY_TIMEOUT_S)
        if not ready:
            raise self._failed(f"was not at its start within {_READY_TIMEOUT_S:g} s")

    def _mark_seen(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._pipes["mark"], 1)
            self.deliver(Happening("mark", time.monotonic_ns()))
            self._unregister(self._pipes["mark"])

    def _end_seen(self) -> None:
        at_ns = time.monotonic_ns()
        assert self._process is not None
        self._unregister(self._process)
        text = "its exit code is not known"
        with suppress(*REFUSED):
            answer = self.box.host.client.api.wait(self._id, timeout=_ASK_TIMEOUT_S)
            text = how_it_ended(int(answer["StatusCode"]))
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
            self.output = self._log()
            api.remove_container(self._id, v=True, force=True)
        except NotFound:
            pass
        except REFUSED as error:
            raise self._refused("remove", error) from error
        self._id = ""

    def _log(self) -> str:
        raw = self.box.host.client.api.logs(self._id, tail=LOG_LINES)
        return bytes(raw).decode(errors="replace")

    def _discard(self) -> None:
        for descriptor in (*self._pipes.values(), self._process):
            if descriptor is not None:
                os.close(descriptor)
        self._pipes.clear()
        self._process = None
        for name in _PIPES:
            (self._scratch / name).unlink(missing_ok=True)
        with suppress(OSError):
            self._scratch.rmdir()

    def _failed(self, what: str) -> TargetError:
        said = last_line(self._log()) or "nothing"
        return TargetError(f"the container of {self.box.image} {what}; it said: {said}")

    def _refused(self, what: str, error: Exception) -> TargetError:
        return TargetError(
            f"Docker did not {what} a container of {self.box.image}: {what_it_said(error)}. See "
            "`docker info` and the engine's log, or use --target local."
        )
