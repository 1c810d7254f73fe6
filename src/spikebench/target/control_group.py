"""The kernel's own account of a container, exact at any moment; the engine's is up to 1 s old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_PROC = Path("/proc")


@dataclass(frozen=True)
class ControlGroup:
    """A container's control group, version 1 (``cpuacct``) or 2, as a folder of the kernel's."""

    folder: Path

    @classmethod
    def of(
        cls, container_id: str, pid: int, *, mount: Path = _MOUNT, proc: Path = _PROC
    ) -> ControlGroup | None:
        """Return the group of a container whose first process is ``pid``.

        None where this kernel does not run the container, as with an engine in a virtual machine,
        or does not show the group, as to a harness that is in a container itself.
        """
        with suppress(OSError):
            for folder in _folders((proc / str(pid) / "cgroup").read_text(), mount):
                if container_id in folder.name and cls(folder)._counts():
                    return cls(folder)
        return None

    def _counts(self) -> bool:
        with suppress(OSError, ValueError):
            return self.cpu_s() >= 0
        return False

    def cpu_s(self) -> float:
        """CPU seconds used by all that ever ran in the group; OSError once it is gone."""
        usage_ns = self.folder / "cpuacct.usage"
        if usage_ns.exists():
            return int(usage_ns.read_text()) / 1e9
        name, usage_us = (self.folder / "cpu.stat").read_text().split()[:2]
        if name != "usage_usec":
            raise ValueError(f"{self.folder}/cpu.stat starts with {name}")
        return int(usage_us) / 1e6

    def peak_rss_bytes(self, proc: Path = _PROC) -> int:
        """Sum of the peaks of resident memory of the processes that live now."""
        pids = (self.folder / "cgroup.procs").read_text().split()
        return sum(_peak_rss_bytes(proc / pid / "status") for pid in pids)


def _folders(memberships: str, mount: Path) -> Iterator[Path]:
    """Yield where groups may be mounted, from /proc/PID/cgroup's ``id:controllers:path``."""
    for line in memberships.splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(","):
            yield from (mount / name / path.lstrip("/") for name in (controllers, "cpuacct"))
        elif not controllers:
            yield mount / path.lstrip("/")


def _peak_rss_bytes(status: Path) -> int:
    with suppress(OSError):
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
