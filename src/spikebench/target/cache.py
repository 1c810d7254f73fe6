"""The folder that holds everything fetched: jars, a Java runtime, unpacked packages."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from spikebench.errors import ArtefactError, UsageError
from spikebench.target.software import Say

VARIABLE = "SPIKEBENCH_CACHE"
_SYSTEM_FOLDER = Path("/var/cache/spikebench")


@dataclass(frozen=True)
class Cache:
    """A folder of fetched artefacts, shared by every run on this machine."""

    root: Path

    @classmethod
    def open(cls, environ: Mapping[str, str] = os.environ) -> Cache:
        """Return the cache that ``SPIKEBENCH_CACHE`` names, or the default one.

        The default for root is a system folder, because servers then run as an ordinary user who
        cannot enter root's home. Raise UsageError where a chosen folder has the same flaw.
        """
        chosen = environ.get(VARIABLE, "").strip()
        if chosen:
            return cls(_reachable(Path(chosen).expanduser().absolute()))
        if os.geteuid() == 0:
            return cls(_SYSTEM_FOLDER)
        return cls(Path(platformdirs.user_cache_dir("spikebench")))

    def folder(self, name: str) -> Path:
        """Return the folder ``name`` (may have slashes), created and readable by everyone."""
        path = self.root / name
        try:
            create_readable(path)
        except OSError as error:
            raise self._unwritable(path, error) from error
        return path

    @contextmanager
    def lock(self, name: str, say: Say | None = None) -> Iterator[None]:
        """Hold the lock ``name`` against other processes and threads; not to be taken twice."""
        path = self.folder("locks") / f"{name}.lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._unwritable(path, error) from error
        try:
            _wait_for(descriptor, name, say)
            yield
        finally:
            os.close(descriptor)

    def _unwritable(self, path: Path, error: OSError) -> ArtefactError:
        return ArtefactError(
            f"the cache cannot be written: {path}: {error.strerror}. Make room or give the folder "
            f"to this user, or set {VARIABLE} to a folder that can be written."
        )


def _wait_for(descriptor: int, name: str, say: Say | None) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if say is not None:
            say(f"another run is installing {name}; waiting for it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def create_readable(path: Path) -> None:
    """Create a folder and its parents, readable by everyone whatever the umask."""
    if path.is_dir():
        return
    create_readable(path.parent)
    path.mkdir(exist_ok=True)
    path.chmod(0o755)


def _reachable(path: Path) -> Path:
    if os.geteuid() != 0:
        return path
    for ancestor in (path, *path.parents):
        if ancestor.exists() and not ancestor.stat().st_mode & 0o001:
            raise UsageError(
                f"{VARIABLE}={path}: {ancestor} cannot be entered by ordinary users, as whom "
                "servers run when spikebench runs as root. Choose a folder elsewhere, or "
                f"`chmod o+x {ancestor}`."
            )
    return path
