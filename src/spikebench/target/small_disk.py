"""A small file system of our own under a server's folder, to be filled to the last byte."""

from __future__ import annotations

import errno
import subprocess
import tempfile
from pathlib import Path

from spikebench.errors import TargetError

ROOM_MB = 256
"""What is left on it beside what the folder holds, in 10⁶ bytes."""

FILLER = "spikebench-filler"
_CHUNK = bytes(1 << 20)


def confine(folder: Path) -> None:
    """Put ``folder``, with all that is in it, on a file system of its own with little room.

    It is memory (tmpfs), and goes when the folder is unmounted, which a server's watch does in the
    end. Raise TargetError where we may not mount.
    """
    with tempfile.TemporaryDirectory(prefix="spikebench-disk-", dir=folder.parent) as place:
        size = _bytes_in(folder) + ROOM_MB * 1_000_000
        _mount("-t", "tmpfs", "-o", f"size={size},mode=700", "spikebench", place)
        try:
            _do("cp", "--archive", "--sparse=always", f"{folder}/.", place)
            _mount("--bind", place, str(folder))
        finally:
            _run("umount", place)


def fill(folder: Path) -> None:
    """Write until nothing more fits."""
    with (folder / FILLER).open("wb", buffering=0) as file:
        try:
            while True:
                file.write(_CHUNK)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def free(folder: Path) -> None:
    """Undo ``fill``."""
    (folder / FILLER).unlink(missing_ok=True)


def release(folder: Path) -> None:
    """Undo ``confine``; nothing where it was not done."""
    if folder.is_mount():
        _do("umount", "--lazy", str(folder))


def _bytes_in(folder: Path) -> int:
    return sum(each.lstat().st_blocks * 512 for each in folder.rglob("*"))


def _mount(*arguments: str) -> None:
    failed = _run("mount", *arguments)
    if failed:
        raise TargetError(
            f"no small file system can be made here: {failed}. It takes root and the right to "
            "mount; run as root, or leave this fault out (-k 'not fill-disk')."
        )


def _do(*command: str) -> None:
    if failed := _run(*command):
        raise TargetError(f"{' '.join(command)}: {failed}")


def _run(*command: str) -> str:
    """Run a command; return what went wrong, empty for nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    return "" if done.returncode == 0 else done.stderr.strip() or f"code {done.returncode}"
