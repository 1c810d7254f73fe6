"""A toolchain out of the Python index: for a machine that has none of its own."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache
from spikebench.target.software import Say
from spikebench.target.wheel import download_wheel
from spikes.serverless.runtimes.packaging import build_once, digest, find_built
from spikes.serverless.runtimes.tool import telling


@dataclass(frozen=True)
class Wheel:
    """A wheel ``name==version``, a SHA-256 for each platform, and patterns of what isn't needed."""

    requirement: str
    size_mb: int
    sha256: tuple[str, ...]
    unneeded: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The pinned version."""
        return self.requirement.partition("==")[2]

    @property
    def folder(self) -> str:
        """What it is built as; see ``packaging``."""
        key = digest(*self.sha256, *self.unneeded)
        return f"{self.requirement.replace('==', '-')}-{key}"


def find_wheel(wheel: Wheel, cache: Cache) -> Path | None:
    """Return the folder into which ``wheel`` was unpacked, undamaged, or None."""
    return find_built(wheel.folder, cache)


def unpack_wheel(wheel: Wheel, cache: Cache, say: Say) -> Path:
    """Return the folder into which ``wheel`` is unpacked, fetching it if it isn't there.

    Raise ArtefactError where it cannot be fetched, or is not the one that was pinned.
    """

    def fill(folder: Path) -> None:
        say(f"fetching {wheel.requirement} ({wheel.size_mb} MB)")
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _unpack(_download(wheel, Path(scratch)), folder, wheel.unneeded)

    return build_once(wheel.folder, cache, say, fill)


def _download(wheel: Wheel, folder: Path) -> Path:
    def failure(said: str) -> ArtefactError:
        return _unfetched(wheel, telling(said) or "it said nothing")

    return download_wheel(wheel.requirement, wheel.sha256, folder, failure)


def _unpack(archive: Path, folder: Path, unneeded: tuple[str, ...]) -> None:
    with zipfile.ZipFile(archive) as wheel:
        for member in wheel.infolist():
            if any(fnmatch(member.filename, pattern) for pattern in unneeded):
                continue
            path = Path(wheel.extract(member, folder))
            if member.external_attr >> 16 & 0o100:
                path.chmod(0o755)


def _unfetched(wheel: Wheel, said: str) -> ArtefactError:
    return ArtefactError(
        f"{wheel.requirement} could not be fetched from the Python index: {said}. Check pip's "
        "index and proxy."
    )
