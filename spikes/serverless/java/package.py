"""The deployment package of a Java handler, and what the managed runtime has in its place.

Both are made once and sealed: jars with dates of their own choosing, so that the same sources give
the same bytes, which archives of classes are bound to.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import TargetError
from spikebench.target import ecj, maven
from spikebench.target.cache import Cache
from spikebench.target.java import java_home
from spikebench.target.seal import find_damage, seal_tree
from spikebench.target.software import Say

_HERE = Path(__file__).parent
ARTEFACTS = _HERE.parent / "artefacts"
HANDLERS = _HERE.parent / "handlers"
RUNTIME_LOCK = ARTEFACTS / "java-runtime.lock"
_LAUNCHER = _HERE / "launcher"
_REVISION = 2
"""Grows with every change of how jars are made here, so that older ones are left behind."""

_DATE = (1980, 2, 1, 0, 0, 0)
_DATE_S = 318211200
_NATIVE = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch_64"}


@dataclass(frozen=True)
class Source:
    """A handler's sources: its class, the oldest Java it runs on, and the lock of its libraries.

    ``named`` are those libraries whose versions belong beside a result.
    """

    handler: str
    class_name: str
    release: int
    lock: Path | None = None
    named: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the sources lie."""
        return HANDLERS / self.handler / "java"


SOURCES = {
    source.handler: source
    for source in (
        Source("hello", "hello.Handler", 11),
        Source("json", "rows.Handler", 11, ARTEFACTS / "java-json.lock", ("jackson-databind",)),
        Source(
            "spring",
            "enrolments.Handler",
            17,
            ARTEFACTS / "java-spring.lock",
            ("spring-boot", "spring-cloud-function-serverless-web", "hibernate-core", "h2"),
        ),
    )
}


@dataclass(frozen=True)
class Package:
    """What would be uploaded: the handler's jar and its libraries; bytes of both, zipped."""

    folder: Path
    libraries: tuple[Path, ...]

    @property
    def jar(self) -> Path:
        """The handler's own classes."""
        return self.folder / "handler.jar"

    @property
    def task_root(self) -> Path:
        """The package as the managed runtime unpacks it: links to all jars in ``lib``."""
        return self.folder / "task"

    @property
    def size_bytes(self) -> int:
        """Size of the zip file that would be uploaded, deflated."""
        sizes: dict[str, int] = json.loads((self.folder / "sizes.json").read_text())
        return sizes["package_bytes"]


@dataclass(frozen=True)
class Platform:
    """What the managed runtime brings: our launcher, the interface client and its native part."""

    folder: Path
    jars: tuple[Path, ...]

    @property
    def launcher(self) -> Path:
        """The jar with the main class."""
        return self.folder / "launcher.jar"

    @property
    def native_library(self) -> Path:
        """The interface client's native part, unpacked as in the managed runtime."""
        return self.folder / "libaws-lambda-jni.so"


def native_part() -> str:
    """Return the name of the interface client's native part here; empty where it has none."""
    if platform.system() != "Linux":
        return ""
    return _NATIVE.get(platform.machine(), "")


def find_package(source: Source, cache: Cache) -> Package | None:
    """Return a handler's package where all of it is here and undamaged; fetches nothing."""
    folder = _package_folder(source, cache)
    locks = [lock for lock in (source.lock, RUNTIME_LOCK) if lock is not None]
    if find_damage(folder) is not None or not all(maven.is_cached(lock, cache) for lock in locks):
        return None
    return Package(folder, _libraries(source, cache, lambda _: None))


def make_package(source: Source, cache: Cache, say: Say) -> Package:
    """Return a handler's package, compiled first where it is missing or damaged."""
    libraries = _libraries(source, cache, say)
    folder = _package_folder(source, cache)

    def fill(scratch: Path) -> None:
        provided = maven.class_path(RUNTIME_LOCK, cache, say)
        classes = scratch / "classes"
        _compile(source.folder, source.release, [*libraries, *provided], classes, cache, say)
        _copy_resources(source.folder, classes)
        _write_jar(classes, scratch / "handler.jar")
        size = _zipped_bytes([scratch / "handler.jar", *libraries])
        _lay_out(scratch / "task" / "lib", libraries)
        (scratch / "sizes.json").write_text(json.dumps({"package_bytes": size}))

    _once(folder, fill, cache, say)
    return Package(folder, libraries)


def find_platform(cache: Cache) -> Platform | None:
    """Return the platform where it is here and undamaged; fetches nothing."""
    folder = _platform_folder(cache)
    if find_damage(folder) is not None or not maven.is_cached(RUNTIME_LOCK, cache):
        return None
    return Platform(folder, tuple(maven.class_path(RUNTIME_LOCK, cache, lambda _: None)))


def make_platform(cache: Cache, say: Say) -> Platform:
    """Return the platform, made first where it is missing or damaged."""
    jars = tuple(maven.class_path(RUNTIME_LOCK, cache, say))
    folder = _platform_folder(cache)

    def fill(scratch: Path) -> None:
        classes = scratch / "classes"
        _compile(_LAUNCHER, 11, jars, classes, cache, say)
        _write_jar(classes, scratch / "launcher.jar")
        with zipfile.ZipFile(jars[0]) as archive:
            library = archive.read(f"jni/libaws-lambda-jni.{native_part()}.so")
        (scratch / "libaws-lambda-jni.so").write_bytes(library)

    _once(folder, fill, cache, say)
    return Platform(folder, jars)


def _package_folder(source: Source, cache: Cache) -> Path:
    parts = [source.folder, source.lock, RUNTIME_LOCK, ecj.LOCK]
    digest = _digest(source.release, [part for part in parts if part is not None])
    return cache.root / "serverless" / f"java-{source.handler}-{digest}"


def _platform_folder(cache: Cache) -> Path:
    digest = _digest(native_part(), [_LAUNCHER, RUNTIME_LOCK, ecj.LOCK])
    return cache.root / "serverless" / f"java-platform-{digest}"


def _libraries(source: Source, cache: Cache, say: Say) -> tuple[Path, ...]:
    """Return a handler's libraries, in the order of their lock, without what the platform has."""
    if source.lock is None:
        return ()
    provided = {(pin.group, pin.artifact) for pin in maven.read_lock(RUNTIME_LOCK)}
    pairs = zip(
        maven.read_lock(source.lock), maven.class_path(source.lock, cache, say), strict=True
    )
    return tuple(jar for pin, jar in pairs if (pin.group, pin.artifact) not in provided)


def _once(folder: Path, fill: Callable[[Path], None], cache: Cache, say: Say) -> None:
    if find_damage(folder) is None:
        return
    with cache.lock("serverless-java", say):
        if find_damage(folder) is None:
            return
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=cache.folder("serverless")) as name:
            scratch = Path(name) / "made"
            scratch.mkdir()
            fill(scratch)
            shutil.rmtree(scratch / "classes")
            publish(scratch, folder)


def publish(made: Path, folder: Path) -> None:
    """Seal a finished folder, readable by everyone, and give it its place."""
    for path in made.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    made.chmod(0o755)
    seal_tree(made)
    made.rename(folder)


def _compile(
    sources: Path, release: int, class_path: Sequence[Path], out: Path, cache: Cache, say: Say
) -> None:
    files = sorted(sources.rglob("*.java"))
    say(f"compiling {len(files)} Java sources in {sources.relative_to(_HERE.parent)}")
    compiler, home = maven.class_path(ecj.LOCK, cache, say), java_home(cache, say)
    try:
        wrong = ecj.compile_java(files, class_path, release, out, compiler, home)
    except OSError as error:
        raise TargetError(
            f"{home}/bin/java cannot be run: {error.strerror}. Set SPIKEBENCH_JAVA=bundled."
        ) from error
    if wrong:
        raise TargetError(f"{sources} does not compile:\n{wrong}\nMend the source or its lock.")


def _copy_resources(sources: Path, classes: Path) -> None:
    for path in sources.rglob("*"):
        if path.is_file() and path.suffix != ".java":
            target = classes / path.relative_to(sources)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _write_jar(classes: Path, jar: Path) -> None:
    # With an entry for each folder: Spring finds no classes in a jar that has none.
    _write_zip([(path.relative_to(classes).as_posix(), path) for path in _sorted(classes)], jar)
    os.utime(jar, (_DATE_S, _DATE_S))


def _lay_out(folder: Path, libraries: Sequence[Path]) -> None:
    folder.mkdir(parents=True)
    (folder / "handler.jar").symlink_to("../../handler.jar")
    for jar in libraries:
        (folder / jar.name).symlink_to(jar)


def _zipped_bytes(jars: Sequence[Path]) -> int:
    with tempfile.TemporaryDirectory() as name:
        package = Path(name) / "function.zip"
        _write_zip([(f"lib/{jar.name}", jar) for jar in jars], package)
        return package.stat().st_size


def _write_zip(entries: Sequence[tuple[str, Path]], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in entries:
            entry = zipfile.ZipInfo(f"{name}/" if file.is_dir() else name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, b"" if file.is_dir() else file.read_bytes())


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def _digest(setting: object, parts: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{_REVISION} {setting}".encode())
    for part in parts:
        files = [part] if part.is_file() else [p for p in _sorted(part) if p.is_file()]
        for file in files:
            digest.update(f"\0{file.relative_to(part.parent).as_posix()}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
