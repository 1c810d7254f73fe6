"""Functions in Python: the interpreter that runs the harness, and AWS's runtime interface client.

The client, ``awslambdaric``, lies outside the package, as in the managed runtime. The package is
what ``pip install --target`` leaves beside the handler, compiled: a zip without compiled files
starts slower, for Lambda's file system cannot be written to and so every cold start compiles anew.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.software import Presence, Say
from spikebench.target.wheel import pip_environ
from spikes.serverless.function import Build, Function
from spikes.serverless.runtimes.language import Language, lambda_environ
from spikes.serverless.runtimes.packaging import (
    build_once,
    digest,
    find_built,
    find_package,
    package_once,
)
from spikes.serverless.runtimes.tool import run_tool

LOCK = "requirements.txt"
"""The pins beside a source, each with its hashes."""

_EARLIEST_S = 315_532_800  # 1980-01-01, the earliest time that a zip can hold


class Python(Language):
    """Builds functions for the Python that runs the harness, outside any virtual environment."""

    name = "python"
    title = "Python"
    linux_client = "awslambdaric"

    def presence(self, build: Build, cache: Cache) -> Presence:
        """Look whether function and client are in the cache; both can be fetched."""
        built = find_package(self._package_name(build), cache) is not None
        ready = built and find_built(self._client_name, cache) is not None
        return Presence(ready, True, f"Python {platform.python_version()}, {interpreter()}")

    def build(self, build: Build, cache: Cache, say: Say) -> Function:
        """Fetch client and libraries into the cache, once; raise ArtefactError where that fails."""
        client = build_once(self._client_name, cache, say, lambda to: _fill(self.client, to, say))
        package = package_once(
            self._package_name(build), cache, say, lambda to: _fill(self.sources(build), to, say)
        )
        environ = lambda_environ(f"python-{build.handler}", "app.handler", package.root)
        major, minor = sys.version_info[:2]
        environ["AWS_EXECUTION_ENV"] = f"AWS_Lambda_python{major}.{minor}"
        pins = read_pins(self.client / LOCK) | read_pins(self.sources(build) / LOCK)
        named = {name: pins[name] for name in ("awslambdaric", "pydantic") if name in pins}
        return Function(
            # Nothing is written into the sealed folder (-B) nor read from somebody's home (-s).
            command=(str(interpreter()), "-B", "-s", str(client / "bootstrap.py")),
            folder=package.root,
            environ=environ,
            package_bytes=package.size_bytes,
            versions={"python": platform.python_version()} | named,
        )

    @property
    def _client_name(self) -> str:
        return f"python-client-{digest(_abi(), self.client)}"

    def _package_name(self, build: Build) -> str:
        return f"python-{build.handler}-{digest(_abi(), self.sources(build))}"


def interpreter() -> Path:
    """The interpreter that runs the harness, not that of its virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def read_pins(lock: Path) -> dict[str, str]:
    """Return the versions by name that a requirements file pins; none where there is no file."""
    text = lock.read_text() if lock.exists() else ""
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))


def _abi() -> str:
    return f"{platform.python_version()} {sys.implementation.cache_tag} {platform.machine()}"


def fetch(sources: Path, folder: Path, say: Say, options: Sequence[str] = ()) -> None:
    """Put a handler and what it pins into ``folder``, not compiled; ``options`` go to pip.

    Raises ArtefactError where something cannot be fetched.
    """
    if (sources / LOCK).exists():
        pins = ", ".join(f"{name} {version}" for name, version in read_pins(sources / LOCK).items())
        say(f"fetching {pins}")
        _install(sources / LOCK, folder, options)
    for path in sources.glob("*.py"):
        shutil.copy(path, folder)
    for path in folder.rglob("*.py"):
        os.utime(path, (_EARLIEST_S, _EARLIEST_S))


def _fill(sources: Path, folder: Path, say: Say) -> None:
    fetch(sources, folder, say)
    _compile(folder)


def _compile(folder: Path) -> None:
    """Compile so that the same sources give the same bytes: neither place nor time goes in."""
    options = ["-q", "--invalidation-mode", "timestamp", "-s", str(folder), str(folder)]
    command = [sys.executable, "-m", "compileall", *options]
    run_tool(command, folder, pip_environ(), _uncompiled)


def _install(lock: Path, folder: Path, more: Sequence[str]) -> None:
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet", "--no-compile"]
    options += more
    command = [sys.executable, "-m", "pip", "install", *options, "-r", str(lock), "--target"]
    run_tool([*command, str(folder)], folder, pip_environ(), lambda said: _unfetched(lock, said))


def _unfetched(lock: Path, said: str) -> ArtefactError:
    return ArtefactError(
        f"what {lock} pins could not be fetched: {said}. Check pip's index and proxy, or run the "
        "harness with a Python for which there are wheels (3.11 to 3.14)."
    )


def _uncompiled(said: str) -> TargetError:
    return TargetError(f"Python's handler could not be compiled: {said}. Correct its source.")
