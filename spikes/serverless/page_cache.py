"""The files a function starts from, and whether the kernel has them in memory when it does."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Set
from contextlib import suppress
from pathlib import Path
from typing import Literal

from spikes.serverless.function import Function

PageCache = Literal["warm", "dropped"]

DROP_CACHES = Path("/proc/sys/vm/drop_caches")
SHARED_FOLDERS = frozenset(map(Path, ("/", "/usr", "/usr/local", "/opt", "/bin", "/lib")))
"""Too wide to be a runtime's own home, such as the ``/usr`` of ``/usr/bin/python3``."""

_NOT_ITS_OWN = frozenset({"site-packages", "dist-packages", "node_modules"})
"""What others have installed into a runtime's home; a function brings its own."""

_SCRIPTS = frozenset({".py", ".js", ".cjs", ".mjs"})
_READ_BYTES = 1 << 20


def files_of(function: Function) -> list[Path]:
    """The regular files of the function's folder, command and ``reads``, and its runtime's home.

    The runtime's home is what the ``bin`` of the command's first word lies in. With a script comes
    the folder it lies in, for it takes its modules from there. Libraries of the system are not
    among them: every process shares those, and they cannot be dropped.
    """
    modules = map(_with_its_modules, _paths(function.command))
    roots = [function.folder, *function.reads, *modules]
    executable = Path(function.command[0]).resolve()
    home = executable.parent.parent
    found = {file: None for root in roots for file in _regular_files(root)}
    if executable.parent.name == "bin" and home not in SHARED_FOLDERS:
        found |= dict.fromkeys(_regular_files(home, but=_NOT_ITS_OWN))
    return list(found)


def make_warm(files: list[Path]) -> str:
    """Read every file once; return how, in words for the record."""
    for path in files:
        with suppress(OSError), path.open("rb", buffering=0) as file:
            while file.read(_READ_BYTES):
                pass
    return f"{len(files)} files read before"


def drop(files: list[Path]) -> str:
    """Have the kernel forget the files' contents; return how, empty where it is not allowed.

    By ``posix_fadvise(DONTNEED)`` where there is such a call, which touches nobody else's files,
    else by ``/proc/sys/vm/drop_caches``, which empties the whole machine's page cache. What another
    process has mapped stays either way: whether the treatment took is seen by what the start then
    reads from the disk.
    """
    if hasattr(os, "posix_fadvise"):
        forgotten = sum(_forget(path) for path in files)
        return f"{forgotten} of {len(files)} files dropped by posix_fadvise"
    os.sync()
    try:
        DROP_CACHES.write_text("1")
    except OSError:
        return ""
    return "the machine's page cache dropped"


def _forget(path: Path) -> bool:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)  # a page that is not written yet is kept
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
        return True
    return False


def _with_its_modules(text: str) -> Path:
    path = Path(text)
    return path.parent if path.suffix in _SCRIPTS else path


def _paths(command: tuple[str, ...]) -> Iterator[str]:
    """Every absolute path in a command, also in ``-Dname=/path`` and ``/one.jar:/other.jar``."""
    for word in command:
        for part in word.replace("=", ":").split(":"):
            if part.startswith("/"):
                yield part


def _regular_files(root: Path, but: Set[str] = frozenset()) -> Iterator[Path]:
    if root in SHARED_FOLDERS:
        return
    with suppress(OSError):
        mode = root.stat().st_mode
        if stat.S_ISREG(mode):
            yield root.resolve()
        elif stat.S_ISDIR(mode):
            yield from _below(root, but)


def _below(root: Path, but: Set[str]) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in but]
        yield from (path for name in names if _is_regular(path := Path(folder, name)))


def _is_regular(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False
