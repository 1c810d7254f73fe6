"""Temporary folders for a server's data, on a real disk and owned by whoever runs it."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from spikebench.errors import TargetError

MAKE_ROOM = "Make room there, or set TMPDIR to a folder on another disk."

_FULL_BELOW_BYTES = 1 << 20
_FALLBACK = Path("/var/tmp")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True)
class Account:
    """The user a server runs as."""

    uid: int
    gid: int


def ordinary_account() -> Account | None:
    """Return the account servers run as when we are root; None where they run as we do."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def make_scratch(name: str, account: Account | None) -> Path:
    """Return a new, empty folder that only ``account`` can enter.

    It lies on a disk even where the system's temporary folder is memory, for a broker's promise to
    store a message should cost what it costs. Raise TargetError where there is no room.
    """
    place = ""
    try:
        parent = _parent(account)
        place = f" in {parent}"
        folder = Path(tempfile.mkdtemp(prefix=f"spikebench-{name}-", dir=parent))
        give(folder, account)
    except OSError as error:
        raise TargetError(
            f"no folder for the data of {name} can be made{place}: {error.strerror}. {MAKE_ROOM}"
        ) from error
    return folder


def is_full(folder: Path) -> bool:
    """Whether the disk of ``folder`` has less than a mebibyte left for an ordinary user."""
    return shutil.disk_usage(folder).free < _FULL_BELOW_BYTES


def give(path: Path, account: Account | None) -> None:
    """Hand ``path`` and all below it to ``account``."""
    if account is None:
        return
    for each in (path, *path.rglob("*")):
        os.chown(each, account.uid, account.gid, follow_symlinks=False)


def _parent(account: Account | None) -> Path:
    chosen = Path(tempfile.gettempdir()).resolve()
    if _in_memory(chosen) or (account is not None and not _open_to_all(chosen)):
        return _FALLBACK if _FALLBACK.is_dir() and not _in_memory(_FALLBACK) else chosen
    return chosen


def _in_memory(folder: Path) -> bool:
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    nearest = next((mount for mount in (folder, *folder.parents) if mount in mounts), None)
    return nearest is not None and mounts[nearest] in _IN_MEMORY


def _open_to_all(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))
