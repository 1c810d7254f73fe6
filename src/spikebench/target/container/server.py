"""A server in a container: started, looked at, paused, stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

from docker.errors import APIError, NotFound
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from spikebench.errors import TargetError
from spikebench.target.connection import PrivateConnection
from spikebench.target.container.engine import REFUSED
from spikebench.target.control_group import ControlGroup
from spikebench.target.guard import Guard
from spikebench.target.software import Connection

RESUME_TIMEOUT_S = 30.0
REMOVE_TIMEOUT_S = 30.0
POLL_S = 0.1
LOG_LINES = 40


class DockerServer:
    """A server in a container; a ``spikebench.target.software.Running``."""

    def __init__(
        self,
        container: DockerContainer,
        connection: Connection,
        answers: Callable[[Connection], bool],
        guard: Guard,
    ) -> None:
        self.connection = PrivateConnection(connection)
        self.startup_s: float | None = None
        self._container = container
        self._answers = answers
        self._guard = guard
        self._cpu_s: float | None = None
        self._peak_rss_bytes: int | None = None
        self._log = ""
        self._stopped = False
        self._group: ControlGroup | None = None

    def start(self, timeout_s: float) -> None:
        """Create and start the container, and wait; nothing of it is left where that fails."""
        began = time.monotonic()
        try:
            self._container.waiting_for(_Answering(self, timeout_s)).start()
        except BaseException:
            self.stop()
            raise
        self.startup_s = time.monotonic() - began
        self._group = self._find_group()

    def cpu_s(self) -> float | None:
        """CPU seconds of the container's control group, Docker's port forwarder not included."""
        self._sample()
        return self._cpu_s

    def peak_rss_bytes(self) -> int | None:
        """Sum of its processes' own peaks of resident memory.

        Where the kernel does not show them, the container's memory without page cache, at the
        largest of the samples that this method, ``cpu_s``, ``pause`` and ``stop`` take.
        """
        self._sample()
        return self._peak_rss_bytes

    def alive(self) -> bool:
        """Whether the container runs or is paused."""
        return self.status() in ("running", "paused")

    def status(self) -> str:
        """Docker's word for the container's state; ``removed`` where there is none."""
        if self._stopped:
            return "removed"
        try:
            self._container.reload()
            return str(self._container.status)
        except REFUSED:
            return "removed"

    def pause(self) -> None:
        """Freeze every process in the container; nothing where it does not run."""
        if self.status() == "running":
            self._sample()
            with self._refusals("could not be paused"):
                self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        """Thaw the container; return when the server answers, raise TargetError if it does not."""
        if self.status() == "paused":
            with self._refusals("could not be resumed"):
                self._container.get_wrapped_container().unpause()
            self.wait(RESUME_TIMEOUT_S)

    def wait(self, timeout_s: float) -> None:
        """Return when the server answers; raise TargetError when it ends or is silent too long."""
        give_up = time.monotonic() + timeout_s
        while not self._answers(self.connection):
            if not self.alive():
                raise self._failed(f"ended{self._exit_code()} before it answered")
            if time.monotonic() > give_up:
                raise self._failed(f"did not answer within {timeout_s:.0f} s")
            time.sleep(POLL_S)

    def _exit_code(self) -> str:
        with contextlib.suppress(*REFUSED, KeyError):
            state = self._container.get_wrapped_container().attrs["State"]
            return f" with code {state['ExitCode']}{' (out of memory)' * state['OOMKilled']}"
        return ""

    def _failed(self, what: str) -> TargetError:
        return TargetError(
            f"the container of {self._container.image} {what}. The end of its log:\n"
            f"{self.log_tail() or '(it printed nothing)'}\n"
            "Another image may serve (docs/docker.md), or another target (--target local)."
        )

    @contextlib.contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        try:
            yield
        except REFUSED as error:
            raise self._failed(f"{what}: {error}") from error

    def log_tail(self) -> str:
        """The last lines the container printed, without our generated credentials."""
        if not self._stopped:
            with contextlib.suppress(*REFUSED):
                raw = self._container.get_wrapped_container().logs(tail=LOG_LINES)
                self._log = self.connection.redact(raw.decode(errors="replace").strip())
        return self._log

    def stop(self) -> None:
        """Remove the container and its volumes, then let the guard go; safe to call twice."""
        if self._stopped:
            return
        self._sample()
        self.log_tail()
        self._stopped = True
        try:
            self._remove()
        except REFUSED as error:
            self._guard.end()
            raise self._failed(f"could not be removed: {error}") from error
        finally:
            self._container.get_docker_client().client.close()
        self._guard.dismiss()

    def _remove(self) -> None:
        """Remove the container; an engine that is too busy to see it end is asked again."""
        give_up = time.monotonic() + REMOVE_TIMEOUT_S
        while True:
            try:
                return self._container.stop(force=True, delete_volume=True)
            except NotFound:
                return None
            except APIError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(POLL_S)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._container.image}, {self.connection})"

    def _sample(self) -> None:
        """Read CPU and memory once; keep what is known where the container is gone."""
        if self._stopped:
            return
        with contextlib.suppress(*REFUSED, KeyError):
            cpu_s, resident = self._usage()
            self._cpu_s = cpu_s
            self._peak_rss_bytes = max(self._peak_rss_bytes or 0, resident)

    def _usage(self) -> tuple[float, int]:
        if self._group is not None:
            return self._group.cpu_s(), self._group.peak_rss_bytes()
        # The engine looks once a second and answers when it next does.
        container = self._container.get_wrapped_container()
        stats = container.client.api.stats(container.id, stream=False, one_shot=True)
        cpu_s = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
        return cpu_s, resident_bytes(stats["memory_stats"]["stats"])

    def _find_group(self) -> ControlGroup | None:
        container = self._container.get_wrapped_container()
        container.reload()
        return ControlGroup.of(container.id, container.attrs["State"]["Pid"])


class _Answering(WaitStrategy):
    """Testcontainers' seam for readiness, filled by the server's own protocol."""

    def __init__(self, server: DockerServer, timeout_s: float) -> None:
        super().__init__()
        self._server = server
        self._timeout_s = timeout_s

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:  # noqa: ARG002
        self._server.wait(self._timeout_s)


def resident_bytes(stats: Mapping[str, int]) -> int:
    """Anonymous memory and mapped files, from control group v2's or v1's own names."""
    if "anon" in stats:
        return stats["anon"] + stats.get("file_mapped", 0)
    return stats["total_rss"] + stats.get("total_mapped_file", 0)
