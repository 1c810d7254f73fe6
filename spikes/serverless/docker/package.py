"""What a container is given: a function's package at ``/var/task``, and what it is told.

Everything else is the image's own: runtime, interface client, bootstrap, and the options that this
gives the runtime. No mark is written but by what is linked into the function itself (Go and Rust),
so the managed runtimes' start and initialisation are not told apart.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikebench.errors import TargetError
from spikebench.target import maven
from spikebench.target.cache import Cache
from spikebench.target.container.engine import REFUSED, what_it_said
from spikebench.target.container.owner import labels
from spikebench.target.software import Say
from spikes.serverless.builders import BUILDERS
from spikes.serverless.docker.container import TASK_ROOT, Host
from spikes.serverless.docker.images import PYTHON, STAND_IN
from spikes.serverless.function import Build, Function
from spikes.serverless.java.package import SOURCES, make_package
from spikes.serverless.java.perf_data import classes_loaded_inside
from spikes.serverless.runtimes.language import lambda_environ
from spikes.serverless.runtimes.node import NodeJs
from spikes.serverless.runtimes.packaging import digest, package_once
from spikes.serverless.runtimes.python import Python, fetch, read_pins

BOOTSTRAP = "/var/runtime/bootstrap"
LEVERS: Mapping[str, Mapping[str, str]] = {
    "baseline": {},
    "c1": {"JAVA_TOOL_OPTIONS": "-XX:+TieredCompilation -XX:TieredStopAtLevel=1"},
}
"""What a lever adds to the environment, as one does in Lambda (Lambda Developer Guide, "Customize
Java runtime startup behavior for Lambda functions")."""

_IMAGES_OWN = frozenset({"PATH", "LANG", "TZ"})
_VERSIONS = {
    "java": ("java -version 2>&1", r'version "([^"]+)"'),
    "python": ("python3 --version", r"Python (\S+)"),
    "node": ("node --version", r"v(\S+)"),
}
"""By language: how an image is asked for its runtime's version, and where the answer has it."""


def withheld_in_image(build: Build, page_cache: str) -> str:
    """Say why a build is not measured in a base image; empty where it is."""
    if page_cache != "warm":
        return "an image's files are the engine's: they cannot be dropped from the page cache alone"
    if build.lever in LEVERS:
        return ""
    if build.lever in ("lambda-flags", "lambda-runtime"):
        return "the image's own bootstrap gives the runtime its options: see baseline"
    if build.lever == "snapshot":
        return "a container is started anew; --target local has snapshots"
    return f"{build.lever} is bound to the runtime that made it, not the image's: --target local"


@dataclass(frozen=True)
class Packer:
    """Makes packages for one image; each is built into the cache once."""

    host: Host
    image: str
    cache: Cache
    say: Say

    def function(self, candidate: str, build: Build) -> Function:
        """Fetch, compile and lay out what is missing, and return the function.

        Raises ArtefactError for a download that failed, TargetError for a build that did.
        """
        language = candidate.partition("-")[0]
        makers: Mapping[str, Callable[[Build], Function]] = {
            "java": self._java,
            "python": self._python,
            "node": self._node,
        }
        if maker := makers.get(language):
            return maker(build)
        return self._provided(candidate, build)

    def versions(self, language: str) -> dict[str, str]:
        """What runs in the image: its runtime's version, its name, and what it stands in for."""
        found = self._inspected()
        names = {"image": self.image, "image_id": str(found["Id"])[:19]}
        stands_in = (found["Config"].get("Labels") or {}).get(STAND_IN, "")
        names |= {"stand-in": stands_in} if stands_in else {}
        if language in _VERSIONS:
            command, pattern = _VERSIONS[language]
            told = re.search(pattern, self.run(command))
            names[language] = told[1] if told else "unknown"
        return names

    def run(self, command: str, binds: Mapping[str, str] | None = None) -> str:
        """Return what a shell command prints in a container of the image, as our own user.

        ``binds`` are folders of ours by where they are to be, writable. Raises TargetError where
        the command fails.
        """
        volumes = {path: {"bind": inside, "mode": "rw"} for inside, path in (binds or {}).items()}
        try:
            printed = self.host.client.containers.run(
                self.image,
                entrypoint=["/bin/sh", "-c", command],
                command=[],
                user=f"{os.getuid()}:{os.getgid()}",
                volumes=volumes,
                network_mode="none",
                labels=labels(self.host.token),
                name=f"spikebench-{uuid.uuid4().hex[:12]}",
                remove=True,
            )
        except REFUSED as error:
            raise TargetError(
                f"`{command}` failed in {self.image}: {what_it_said(error)}. It is not laid out as "
                "AWS's base image is, or not for this machine: see docs/docker.md."
            ) from error
        return bytes(printed).decode(errors="replace")

    def _inspected(self) -> dict[str, Any]:
        return dict(self.host.client.images.get(self.image).attrs)

    def _java(self, build: Build) -> Function:
        source = SOURCES[build.handler]
        made = make_package(source, self.cache, self.say)

        def fill(folder: Path) -> None:
            # The managed runtime's class loader takes what lies in lib; here links lead nowhere.
            shutil.copytree(made.task_root, folder, dirs_exist_ok=True)

        package = package_once(f"docker-{made.folder.name}", self.cache, self.say, fill)
        pins = maven.read_lock(source.lock) if source.lock is not None else []
        return Function(
            command=(BOOTSTRAP,),
            folder=package.root,
            environ={**_environ(f"java-{build.handler}", source.class_name), **LEVERS[build.lever]},
            package_bytes=made.size_bytes,
            versions=self.versions("java")
            | {pin.artifact: pin.version for pin in pins if pin.artifact in source.named},
            classes_loaded=classes_loaded_inside,
        )

    def _python(self, build: Build) -> Function:
        sources = Python().sources(build)
        lock = sources / "requirements.txt"

        def fill(folder: Path) -> None:
            fetch(sources, folder, self.say, _pip_options())
            self.run(
                "python3 -m compileall -q -s /made -p / /made", {"/made": str(folder)}
            )  # by the version that will read it

        name = f"docker-python-{build.handler}-{digest(PYTHON, platform.machine(), sources)}"
        package = package_once(name, self.cache, self.say, fill)
        pins = read_pins(lock)
        return Function(
            command=(BOOTSTRAP,),
            folder=package.root,
            environ=_environ(f"python-{build.handler}", "app.handler"),
            package_bytes=package.size_bytes,
            versions=self.versions("python")
            | {name: pins[name] for name in ("pydantic",) if name in pins},
        )

    def _node(self, build: Build) -> Function:
        package = NodeJs().package(build, self.cache, self.say)
        return Function(
            command=(BOOTSTRAP,),
            folder=package.root,
            environ=_environ(f"node-{build.handler}", "index.handler"),
            package_bytes=package.size_bytes,
            versions=self.versions("node") | NodeJs().library_versions(build),
        )

    def _provided(self, candidate: str, build: Build) -> Function:
        """A function that brings its runtime: as a zip file, it has its own bootstrap."""
        made = BUILDERS[candidate].build(build, self.cache, self.say)
        return Function(
            command=(f"{TASK_ROOT}/bootstrap",),
            folder=made.folder,
            environ=_environ(f"{candidate}-{build.handler}", "bootstrap"),
            package_bytes=made.package_bytes,
            versions=self.versions(candidate) | dict(made.versions),
        )


def _environ(name: str, handler: str) -> dict[str, str]:
    """What Lambda sets for every function, less what an image sets itself."""
    environ = lambda_environ(name, handler, Path(TASK_ROOT))
    return {key: value for key, value in environ.items() if key not in _IMAGES_OWN}


def _pip_options() -> tuple[str, ...]:
    """Wheels for the image's Python, not for the one that runs here."""
    platforms = (f"manylinux{kind}_{platform.machine()}" for kind in ("2014", "_2_17", "_2_28"))
    python = ("--implementation", "cp", "--python-version", PYTHON)
    return (*python, *(word for each in platforms for word in ("--platform", each)))
