"""A control group made for one trial: the CPU share and the memory that a function would have."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spikebench.target.control_group import ControlGroup

FULL_VCPU_MB = 1769
"""Lambda gives one vCPU at this size and a share in proportion (AWS Lambda developer guide,
"Configure Lambda function memory": "At 1,769 MB, a function has the equivalent of one vCPU")."""

PERIOD_US = 20_000
"""How often the quota is filled up again. AWS does not document Lambda's; 20 ms is what is inferred
from how Lambda throttles (Lin, Ma, Shahrad: "Demystifying Serverless Costs on Public Platforms",
arXiv:2506.01283). Linux's default of 100 ms would let a short start run unthrottled."""

_MIB = 1024 * 1024
_MOUNT = Path("/sys/fs/cgroup")
_PROC = Path("/proc")
_MEMBERSHIPS = Path("/proc/self/cgroup")
_REMOVAL_S = 2.0
_CONTROLLERS = ("memory", "cpuacct", "cpu")
"""In the order a process joins them: the quota last, so that it pays for nothing before."""


class NoGroupError(Exception):
    """A control group cannot be made here; the message says why."""


@dataclass(frozen=True)
class Throttling:
    """How often, and for how many seconds in all, the group's threads had to wait for quota."""

    periods: int
    waited_s: float


@dataclass(frozen=True)
class Group:
    """A group by its folders: one in version 2, one a controller in version 1."""

    version: int
    folders: Mapping[str, Path]

    @classmethod
    def create(
        cls,
        name: str,
        memory_mb: int,
        *,
        mount: Path = _MOUNT,
        memberships: Path = _MEMBERSHIPS,
    ) -> Group:
        """Make the group ``name`` with the share and the limit of ``memory_mb``.

        It lies below a group that we are in, so that what holds for us holds for it. Raises
        NoGroupError where the kernel or the rights do not allow it; nothing is left then.
        """
        group = _find_place(name, mount, memberships)
        try:
            for folder in group.distinct:
                folder.mkdir()
            group._limit(memory_mb)
        except OSError as error:
            group.remove()
            raise NoGroupError(f"{error.filename or name}: {error.strerror}") from error
        return group

    @classmethod
    def of_container(
        cls, container_id: str, pid: int, *, mount: Path = _MOUNT, proc: Path = _PROC
    ) -> Group | None:
        """Return the group that an engine made for a container whose first process is ``pid``.

        None where the kernel does not show it here, or the process has ended.
        """
        with suppress(OSError):
            lines = [
                line.split(":", 2) for line in (proc / str(pid) / "cgroup").read_text().splitlines()
            ]
            places = {each: _place(mount, each, lines) for each in _CONTROLLERS}
            if all(container_id in folder.name for folder in places.values()):
                version = 2 if (mount / "cgroup.controllers").exists() else 1
                return cls(version, places)
        return None

    @property
    def distinct(self) -> tuple[Path, ...]:
        """The group's folders, each once."""
        return tuple(dict.fromkeys(self.folders.values()))

    @property
    def joins(self) -> tuple[str, ...]:
        """The files by which a process joins, by writing ``0`` to each."""
        return tuple(str(folder / "cgroup.procs") for folder in self.distinct)

    def cpu_s(self) -> float:
        """CPU seconds of all that ever ran in the group."""
        return ControlGroup(self.folders["cpuacct"]).cpu_s()

    def throttling(self) -> Throttling:
        """How the quota was felt so far."""
        facts = _facts(self.folders["cpu"] / "cpu.stat")
        waited_s = facts["throttled_usec"] / 1e6 if self.version == 2 else _ns(facts)
        return Throttling(facts["nr_throttled"], waited_s)

    def pids(self) -> list[int]:
        """The processes that live in the group now."""
        text = (self.folders["memory"] / "cgroup.procs").read_text()
        return [int(pid) for pid in text.split()]

    def peak_bytes(self) -> int | None:
        """Largest memory charged to the group: page cache and kernel's own among it.

        None where the kernel does not say (version 2 before Linux 5.19).
        """
        name = "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"
        with suppress(OSError):
            return int((self.folders["memory"] / name).read_text())
        return None

    def killed_for_memory(self) -> int:
        """How many processes of the group the kernel ended because it was at its limit."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        return _facts(self.folders["memory"] / name).get("oom_kill", 0)

    def remove(self) -> None:
        """Remove the folders; the kernel needs a moment after the last process has ended.

        Where processes live in it still, it stays: they are not ours to end here.
        """
        until = time.monotonic() + _REMOVAL_S
        for folder in self.distinct:
            while folder.is_dir() and not _removed(folder) and time.monotonic() < until:
                time.sleep(0.005)

    def _limit(self, memory_mb: int) -> None:
        cpu, memory = self.folders["cpu"], self.folders["memory"]
        quota_us = round(PERIOD_US * vcpus(memory_mb))
        limit = str(memory_mb * _MIB)
        if self.version == 2:
            (cpu / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
            (memory / "memory.max").write_text(limit)
            _write_where_it_is(memory / "memory.swap.max", "0")
        else:
            (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (cpu / "cpu.cfs_quota_us").write_text(str(quota_us))
            (memory / "memory.limit_in_bytes").write_text(limit)
            _write_where_it_is(memory / "memory.memsw.limit_in_bytes", limit)


def vcpus(memory_mb: int) -> float:
    """The share of CPU that Lambda gives a function of ``memory_mb``, in vCPUs."""
    return memory_mb / FULL_VCPU_MB


def _find_place(name: str, mount: Path, memberships: Path) -> Group:
    try:
        lines = [line.split(":", 2) for line in memberships.read_text().splitlines()]
    except OSError as error:
        raise NoGroupError(f"{memberships}: {error.strerror}") from error
    if (mount / "cgroup.controllers").exists():
        own = next((path for _, controllers, path in lines if not controllers), "/")
        parent = _delegating(mount, mount / own.lstrip("/"))
        return Group(2, dict.fromkeys(_CONTROLLERS, parent / name))
    owns = {c: (names, path) for _, names, path in lines for c in names.split(",") if c}
    return Group(1, {each: _version_one(mount, each, owns) / name for each in _CONTROLLERS})


def _delegating(mount: Path, own: Path) -> Path:
    """The nearest group above us, or ours, whose children may have a CPU quota and a memory limit.

    Version 2 forbids that in a group which has processes of its own, unless it is the root.
    """
    for folder in (own, *own.parents):
        if not folder.is_relative_to(mount):
            break
        with suppress(OSError):
            given = (folder / "cgroup.subtree_control").read_text().split()
            if {"cpu", "memory"} <= set(given):
                return folder
    raise NoGroupError(f"no control group above {own} hands cpu and memory on to its children")


def _version_one(mount: Path, controller: str, owns: Mapping[str, tuple[str, str]]) -> Path:
    if controller not in owns:
        raise NoGroupError(f"the kernel has no controller {controller}")
    names, path = owns[controller]
    for top in (mount / names, mount / controller):
        # In a container without a namespace for groups, its own group is what is mounted.
        for folder in (top / path.lstrip("/"), top):
            if (folder / "cgroup.procs").exists():
                return folder
    raise NoGroupError(f"the control groups of {controller} are not mounted below {mount}")


def _place(mount: Path, controller: str, memberships: list[list[str]]) -> Path:
    """The folder of a controller by a process's memberships; ``mount`` where it is in none."""
    for _, names, path in memberships:
        if not names and (mount / "cgroup.controllers").exists():
            return mount / path.lstrip("/")
        if controller in names.split(","):
            tops = [mount / names, mount / controller]
            return next((top for top in tops if top.is_dir()), mount) / path.lstrip("/")
    return mount


def _facts(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in path.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}


def _ns(facts: Mapping[str, int]) -> float:
    return facts["throttled_time"] / 1e9


def _write_where_it_is(path: Path, text: str) -> None:
    if path.exists():  # a kernel may be built without an account of swap
        path.write_text(text)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
