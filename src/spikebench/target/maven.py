"""Java artefacts pinned in lock files: resolved once by a maintainer, fetched and checked by all.

A lock file has one line an artefact, ``group:artifact:version[:classifier] sha256``, and comments
that start with ``#``. Write one with ``python -m spikebench.target.maven LOCK g:a:v ...``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache, create_readable
from spikebench.target.seal import is_intact, sha256
from spikebench.target.software import Say

if TYPE_CHECKING:
    from jgo.maven import MavenContext

MIRROR = "SPIKEBENCH_MAVEN_MIRROR"
_THREADS = 8
_ATTEMPTS = 3
_TIMEOUT_S = 20


@dataclass(frozen=True)
class Pin:
    """One jar: its coordinates and the SHA-256 it must have."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def coordinates(self) -> str:
        """``group:artifact:version[:classifier]``."""
        parts = (self.group, self.artifact, self.version, self.classifier)
        return ":".join(part for part in parts if part)

    @property
    def path(self) -> Path:
        """Where the jar lies in a Maven repository."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        name = f"{self.artifact}-{self.version}{suffix}.jar"
        return Path(*self.group.split("."), self.artifact, self.version, name)


def class_path(lock: Path, cache: Cache, say: Say) -> list[Path]:
    """Return the jars of ``lock`` in its order, fetching those that are missing or damaged.

    Raise ArtefactError where one cannot be fetched or is not the one that was pinned.
    """
    pins = read_lock(lock)
    repository = cache.folder("maven")
    if _unusable(pins, repository):
        with cache.lock("maven", say):
            _fetch_all(lock.stem, _unusable(pins, repository), repository, say)
    return [repository / pin.path for pin in pins]


def is_cached(lock: Path, cache: Cache) -> bool:
    """Tell whether every jar of ``lock`` is in the cache, undamaged."""
    return not _unusable(read_lock(lock), cache.root / "maven")


def read_lock(lock: Path) -> list[Pin]:
    """Return the artefacts a lock file pins; raise ArtefactError naming a malformed line."""
    try:
        lines = lock.read_text().splitlines()
    except OSError as error:
        raise ArtefactError(
            f"{lock}: the lock file cannot be read: {error.strerror}. Restore it from version "
            f"control, or write it with `python -m spikebench.target.maven {lock} g:a:v ...`."
        ) from error
    numbered = enumerate(lines, start=1)
    return [_pin(f"{lock}:{n}", text) for n, text in numbered if text and not text.startswith("#")]


def write_lock(
    coordinates: Sequence[str], lock: Path, cache: Cache, say: Say = lambda _: None
) -> list[Pin]:
    """Resolve the runtime closure of ``coordinates``, fetch it, and write its lock file."""
    repository = cache.folder("maven")
    with cache.lock("maven", say):
        pins = _resolve(coordinates, _context(cache.folder("maven-models")))
        with ThreadPoolExecutor(_THREADS) as pool:
            pins = list(pool.map(lambda pin: _hashed(pin, repository), pins))
    header = f"# python -m spikebench.target.maven {lock.name} {' '.join(coordinates)}\n"
    body = "".join(f"{pin.coordinates} {pin.sha256}\n" for pin in pins)
    lock.write_text(header + body)
    return pins


def _pin(where: str, text: str) -> Pin:
    words = text.split()
    parts = words[0].split(":")
    if len(words) != 2 or len(parts) not in (3, 4) or len(words[1]) != 64:
        raise ArtefactError(
            f"{where}: expected `group:artifact:version[:classifier] sha256`, found `{text}`. "
            "Write the lock file again with `python -m spikebench.target.maven`."
        )
    group, artifact, version, *classifier = parts
    return Pin(group, artifact, version, "".join(classifier), words[1])


def _unusable(pins: Sequence[Pin], repository: Path) -> list[Pin]:
    return [pin for pin in pins if not is_intact(repository / pin.path, pin.sha256)]


def _fetch_all(title: str, pins: Sequence[Pin], repository: Path, say: Say) -> None:
    damage = [_discard(pin, repository, say) for pin in pins]
    pool = ThreadPoolExecutor(_THREADS)
    jobs = {
        pool.submit(_fetch, pin, repository, note): pin
        for pin, note in zip(pins, damage, strict=True)
    }
    size = 0
    try:
        for count, job in enumerate(as_completed(jobs), start=1):
            size += job.result()
            say(f"{title}: fetched {count} of {len(jobs)} jars, {size / 1e6:.1f} MB")
    finally:
        pool.shutdown(cancel_futures=True)


def _discard(pin: Pin, repository: Path, say: Say) -> str:
    path = repository / pin.path
    if not path.exists():
        return ""
    damage = f"{path} was damaged (expected sha256 {pin.sha256}, found {sha256(path)}). "
    say(f"{damage}Fetching it again")
    path.unlink()
    return damage


def _fetch(pin: Pin, repository: Path, damage: str) -> int:
    path = _download(pin, repository, damage)
    if not is_intact(path, pin.sha256):
        found = sha256(path)
        path.unlink()
        raise ArtefactError(
            f"{path}: expected sha256 {pin.sha256}, found {found}. What {_source()} served is not "
            f"what was pinned: check the mirror ({MIRROR}) or proxy, then try again."
        )
    path.chmod(0o644)
    return path.stat().st_size


def _download(pin: Pin, repository: Path, damage: str) -> Path:
    import requests

    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _transfer(pin, repository)
        except requests.RequestException as error:
            absent = error.response is not None and error.response.status_code < 500
            if absent or attempt == _ATTEMPTS:
                raise _unfetched(pin, damage, error) from error
            time.sleep(0.5 * attempt)
        except OSError as error:
            raise _unfetched(pin, damage, error) from error
    raise AssertionError("the last attempt returns or raises")


def _transfer(pin: Pin, repository: Path) -> Path:
    """Fetch one jar; it takes its name only when it is whole."""
    import requests

    path = repository / pin.path
    create_readable(path.parent)
    partial = path.with_name(f"{path.name}.partial")
    url = f"{_remote()}/{pin.path.as_posix()}"
    with requests.get(url, stream=True, timeout=_TIMEOUT_S) as response, partial.open("wb") as file:
        response.raise_for_status()
        for chunk in response.iter_content(1 << 16):
            file.write(chunk)
    return partial.rename(path)


def _unfetched(pin: Pin, damage: str, error: OSError) -> ArtefactError:
    return ArtefactError(
        f"{damage}{pin.coordinates} could not be fetched from {_source()}: "
        f"{_reason(error)}. Check the network and its proxy settings; in a closed network set "
        f"{MIRROR} to the address of a Maven repository."
    )


def _reason(error: OSError) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"it answered {response.status_code} {response.reason}"
    return error.strerror or type(error).__name__


def _remote(environ: Mapping[str, str] = os.environ) -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return environ.get(MIRROR, "").strip().rstrip("/") or MAVEN_CENTRAL_URL


def _context(repository: Path) -> MavenContext:
    from jgo.maven import MavenContext

    return MavenContext(
        repo_cache=repository, remote_repos={"remote": _remote()}, timeout=_TIMEOUT_S
    )


def _source(environ: Mapping[str, str] = os.environ) -> str:
    mirror = environ.get(MIRROR, "").strip()
    if not mirror:
        return "Maven Central"
    parts = urlsplit(mirror)
    return f"{MIRROR} ({parts.scheme}://{parts.hostname}{parts.path})"


def _resolve(coordinates: Sequence[str], context: MavenContext) -> list[Pin]:
    roots = [context.create_dependency(coordinate) for coordinate in coordinates]
    for root in roots:
        # Otherwise one root's dependency management would decide the versions of another's.
        root.raw = True
    inputs, transitive = context.resolver.resolve(roots)
    wanted = inputs + [dep for dep in transitive if dep.scope in ("compile", "runtime")]
    return [
        Pin(dep.groupId, dep.artifactId, dep.version, dep.classifier or "", "")
        for dep in wanted
        if dep.type == "jar" and not dep.optional
    ]


def _hashed(pin: Pin, repository: Path) -> Pin:
    path = _download(pin, repository, "")
    return Pin(pin.group, pin.artifact, pin.version, pin.classifier, sha256(path))


def _main(arguments: Sequence[str]) -> int:
    if len(arguments) < 2:
        print("usage: python -m spikebench.target.maven LOCK group:artifact:version ...")
        return 2
    pins = write_lock(arguments[1:], Path(arguments[0]), Cache.open(), print)
    print(f"{arguments[0]}: {len(pins)} jars")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
