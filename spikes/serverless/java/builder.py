"""Java functions: one builder a version of Java, with the levers that version has."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spikebench.errors import TargetError
from spikebench.target import maven
from spikebench.target.cache import Cache
from spikebench.target.java import (
    WHEELS,
    find_runtime,
    is_obtainable,
    java_version,
    runtime_home,
)
from spikebench.target.seal import find_damage
from spikebench.target.software import Presence, Say
from spikes.serverless.function import Build, Function
from spikes.serverless.java import snapshot
from spikes.serverless.java.archive import (
    FIRST_AOT_CACHE,
    Trainee,
    archive_digest,
    archive_options,
    make_archive,
)
from spikes.serverless.java.options import ARCHIVE_LEVERS, jvm_options
from spikes.serverless.java.package import (
    HANDLERS,
    RUNTIME_LOCK,
    SOURCES,
    Package,
    Platform,
    Source,
    find_package,
    find_platform,
    make_package,
    make_platform,
    native_part,
)
from spikes.serverless.java.perf_data import classes_loaded

_MAIN = "spikebench.Launcher"
_NATIVE_PROPERTY = "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI"


@dataclass(frozen=True)
class JavaBuilder:
    """Builds functions for Java ``major``: plain ``java``, a fixed class path, no wrapper.

    The handler's classes are on the JVM's own class path, as in a container image, so that levers
    differ in nothing else. The managed runtime loads them from the task's folder with a class
    loader of its own, which costs time, and to which an archive that a JVM writes at its end gives
    nothing: the lever ``lambda-runtime`` is ``lambda-flags`` with that class loader.

    ``environ`` is where the choice of a runtime is read from.
    """

    major: int
    environ: Mapping[str, str] = field(
        default_factory=lambda: os.environ, compare=False, repr=False
    )

    @property
    def levers(self) -> tuple[str, ...]:
        """The levers, ``baseline`` first; those that can't be had here say why."""
        return (
            "baseline",
            "c1",
            "lambda-flags",
            "lambda-runtime",
            "appcds",
            "appcds+c1",
            "aot-cache",
            "aot-cache+c1",
            snapshot.LEVER,
            "snapstart",
            "native",
        )

    def withheld(self, build: Build) -> str:
        """Say why a build makes no sense or cannot be had at all; empty where it can be tried."""
        if build.lever not in self.levers:
            return f"Java has no lever {build.lever}"
        return (
            self.withheld_handler(build.handler)
            or _withheld_lever(build.lever, self.major)
            or self._withheld_platform()
            or (snapshot.withheld(self.environ) if build.lever == snapshot.LEVER else "")
        )

    def withheld_handler(self, handler: str) -> str:
        """Say why this Java runs no such handler anywhere; empty where it does."""
        source = SOURCES.get(handler)
        if source is None:
            return f"there is no {handler} handler in Java"
        if self.major < source.release:
            return f"Spring Boot 3 needs Java {source.release} or later"
        return ""

    def presence(self, build: Build, cache: Cache) -> Presence:
        """Look, quickly and without fetching or starting anything."""
        if reason := self.withheld(build):
            return Presence(False, False, reason)
        try:
            home = find_runtime(self.major, cache, self.environ)
        except TargetError as error:
            return Presence(False, False, str(error), broken=True)
        version = WHEELS[self.major].version
        package, below = find_package(SOURCES[build.handler], cache), find_platform(cache)
        if home is None or package is None or below is None:
            return Presence(False, True, f"Java {version} and Maven artefacts, once")
        version = java_version(home) or version
        trainee = _trainee(self.major, home, build, package, below)
        if build.lever == snapshot.LEVER:
            return snapshot.presence(trainee, build, cache, self.environ, version)
        archive = _archive_folder(build, trainee, cache)
        if _is_archived(build.lever) and find_damage(archive) is not None:
            return Presence(False, True, f"Java {version}, to be trained once")
        return Presence(True, True, f"Java {version}")

    def build(self, build: Build, cache: Cache, say: Say) -> Function:
        """Fetch, compile and train what is missing, and return the function.

        Raise ArtefactError for a download that failed, TargetError for sources that do not
        compile, for an archive of classes that the JVM does not use, and for a snapshot that cannot
        be taken or restored.
        """
        home = runtime_home(self.major, cache, say, self.environ)
        package, below = make_package(SOURCES[build.handler], cache, say), make_platform(cache, say)
        trainee = _trainee(self.major, home, build, package, below)
        options: tuple[str, ...] = ()
        if _is_archived(build.lever):
            folder = _archive_folder(build, trainee, cache)
            if find_damage(folder) is not None:
                with cache.lock("serverless-java", say):
                    make_archive(build.lever, trainee, folder, say)
            options = archive_options(build.lever, folder)
        function = Function(
            command=trainee.command(*options),
            folder=trainee.folder,
            environ=trainee.environ,
            package_bytes=package.size_bytes,
            versions=_versions(home, SOURCES[build.handler]),
            classes_loaded=classes_loaded,
        )
        if build.lever == snapshot.LEVER:
            return snapshot.snapshot_of(function, trainee, build, cache, say, self.environ)
        return function

    def _withheld_platform(self) -> str:
        if not native_part():
            machine = f"{platform.system()} on {platform.machine()}"
            return f"the runtime interface client has no native part for {machine}"
        return unobtainable(self.major, self.environ)


def unobtainable(major: int, environ: Mapping[str, str]) -> str:
    """Say that a runtime can neither be fetched nor was named; empty where one can or was."""
    variable = f"SPIKEBENCH_JAVA_{major}"
    if is_obtainable(major) or environ.get(variable):
        return ""
    return (
        f"no Java {major} runtime for {platform.machine()} can be fetched; set {variable} to the "
        "home of one"
    )


def _withheld_lever(lever: str, major: int) -> str:
    if lever == "snapstart":
        return "SnapStart is a feature of the service: --target sandbox"
    if lever == "native":
        return "no native image is built by this version of the harness"
    if lever.startswith("aot-cache") and major < FIRST_AOT_CACHE:
        return f"needs Java {FIRST_AOT_CACHE} or later"
    return ""


def _is_archived(lever: str) -> bool:
    return lever.split("+")[0] in ARCHIVE_LEVERS


def _trainee(major: int, home: Path, build: Build, package: Package, below: Platform) -> Trainee:
    source = SOURCES[build.handler]
    native = f"-D{_NATIVE_PROPERTY}={below.native_library}"
    provided, own = (below.launcher, *below.jars), (package.jar, *package.libraries)
    from_task = build.lever == "lambda-runtime"
    folder = package.task_root if from_task else package.folder
    return Trainee(
        java=home / "bin" / "java",
        major=major,
        options=(*jvm_options(major, build.lever, build.memory_mb), native),
        class_path=provided if from_task else (*provided, *own),
        main=(_MAIN, source.class_name),
        folder=folder,
        environ=_environ(major, source, folder),
        event=(HANDLERS / build.handler / "event.json").read_bytes(),
        handler_class=source.class_name,
    )


def _archive_folder(build: Build, trainee: Trainee, cache: Cache) -> Path:
    name = f"java-{build.handler}-{trainee.major}-{build.lever}"
    return cache.root / "serverless" / f"{name}-{archive_digest(build.lever, trainee)}"


def _environ(major: int, source: Source, task_root: Path) -> dict[str, str]:
    """Return what the service sets for every function, as far as it makes sense here.

    Source: Lambda Developer Guide, "Defined runtime environment variables".
    """
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",  # the service says en_US.UTF-8, which not every machine has
        "TZ": ":UTC",
        "_HANDLER": source.class_name,
        "LAMBDA_TASK_ROOT": str(task_root),
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_java{major}",
        "AWS_LAMBDA_FUNCTION_NAME": "spike",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/spike",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/25/[$LATEST]00000000000000000000000000000000",
    }


def _versions(home: Path, source: Source) -> dict[str, str]:
    client = "aws-lambda-java-runtime-interface-client"
    pins = maven.read_lock(RUNTIME_LOCK)
    if source.lock is not None:
        pins += maven.read_lock(source.lock)
    named = {pin.artifact: pin.version for pin in pins if pin.artifact in (client, *source.named)}
    return {"java": java_version(home) or "unknown", **named}
