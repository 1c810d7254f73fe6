"""Functions in Rust on the OS-only runtime: the machine's cargo, for the Python index has none.

Crates come to lie in cargo's own home, as in any build with it, so that its settings for registries
hold. Each handler's release profile is what cargo-lambda sets: thin LTO, one unit, no symbols.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import tomllib
from pathlib import Path

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.software import Presence, Say
from spikes.serverless.function import Build, Function
from spikes.serverless.runtimes.language import Language, lambda_environ
from spikes.serverless.runtimes.packaging import digest, find_package, package_once
from spikes.serverless.runtimes.tool import run_tool

MEND = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
_LIBRARY = "lambda_runtime"
# Each of these would change what is built.
_NOT_INHERITED = ("CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS")


class Rust(Language):
    """Builds functions with the machine's cargo."""

    name = "rust"
    title = "Rust"

    def presence(self, build: Build, cache: Cache) -> Presence:
        """Look for cargo and whether it is built; cargo is asked for its version, no more."""
        cargo = self._cargo()
        if cargo is None:
            return Presence(False, False, "there is no cargo on PATH that works", MEND)
        ready = find_package(self._package_name(build, cargo), cache) is not None
        return Presence(ready, True, f"cargo {_version(cargo)}, {cargo}")

    def build(self, build: Build, cache: Cache, say: Say) -> Function:
        """Fetch crates and compile, once.

        Raise ArtefactError where a crate cannot be fetched, TargetError where there is no cargo or
        the handler cannot be compiled.
        """
        if (cargo := self._cargo()) is None:
            raise TargetError(f"there is no cargo on PATH that works. Install it: `{MEND}`.")
        package = package_once(
            self._package_name(build, cargo),
            cache,
            say,
            lambda to: self._compile(build, cargo, to, cache, say),
        )
        library = read_locked(self.sources(build) / "Cargo.lock", _LIBRARY)
        return Function(
            command=(str(package.root / "bootstrap"),),
            folder=package.root,
            environ=lambda_environ(f"rust-{build.handler}", "bootstrap", package.root),
            package_bytes=package.size_bytes,
            versions={"rust": str(_version(cargo)), _LIBRARY: library},
        )

    def _package_name(self, build: Build, cargo: str) -> str:
        key = digest(str(_version(cargo)), self.sources(build), self.client)
        return f"rust-{build.handler}-{key}"

    def _cargo(self) -> str | None:
        found = shutil.which("cargo", path=self.environ.get("PATH", ""))
        return found if found is not None and _version(found) is not None else None

    def _compile(self, build: Build, cargo: str, folder: Path, cache: Cache, say: Say) -> None:
        """Compile in a folder that the handlers share, as most of what they are made of is one."""
        environ = {k: v for k, v in self.environ.items() if not k.startswith(_NOT_INHERITED)}
        sources = self.sources(build)
        say(f"compiling {sources} with cargo {_version(cargo)}, about a minute")
        run_tool([cargo, "fetch", "--locked"], sources, environ, _unfetched)
        target = ["--target-dir", cache.folder("cargo")]
        options = ["--release", "--locked", "--offline", "--message-format=json-render-diagnostics"]
        with cache.lock("cargo", say):
            told = run_tool([cargo, "build", *options, *target], sources, environ, _uncompiled)
            shutil.copy(_executable(told), folder / "bootstrap")


def read_locked(lock: Path, crate: str) -> str:
    """Return the version of ``crate`` that a Cargo.lock pins."""
    packages = tomllib.loads(lock.read_text())["package"]
    return next(str(package["version"]) for package in packages if package["name"] == crate)


@functools.cache
def _version(cargo: str) -> str | None:
    try:
        told = subprocess.run(
            [cargo, "--version"], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.split()[1]


def _executable(told: str) -> Path:
    messages = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    return Path(next(path for message in messages if (path := message.get("executable"))))


def _unfetched(said: str) -> ArtefactError:
    return ArtefactError(
        f"Rust crates could not be fetched: {said}. Check cargo's registry and proxy."
    )


def _uncompiled(said: str) -> TargetError:
    return TargetError(
        f"Rust's handler could not be compiled: {said}. Correct its source, or renew the "
        "toolchain: `rustup update`."
    )
