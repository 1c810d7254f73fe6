"""Debian and Ubuntu packages unpacked into the cache: no root, nothing installed in the system.

apt keeps its lists and files in folders of ours and verifies signatures and checksums as always;
``dpkg -x`` unpacks. What was unpacked is sealed, so that damage is noticed.

Where the machine's release is too old for a program, it comes from another release of Debian with
everything it needs, the C library and its loader included. The mirror is the machine's own.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache, create_readable
from spikebench.target.seal import find_damage, seal_tree, sha256
from spikebench.target.software import Say

_PACKAGES = "packages.json"
_ROUNDS = 4
_LIBRARY = re.compile(r"\.so\.[\d.]+$")
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_ALIASES = ("oldstable", "stable", "testing", "unstable", "sid")
_CONFIGURATION = """\
Dir::State "{state}";
Dir::Cache "{cache}";
Dir::State::status "/dev/null";
Debug::NoLocking "1";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
_OTHER_SOURCES = """\
Dir::Etc::sourcelist "{sources}";
Dir::Etc::sourceparts "/dev/null";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
"""

Prepare = Callable[[Path], None]
"""Changes an unpacked tree so that it runs where it lies."""


@dataclass(frozen=True)
class DebianTree:
    """A package and those of its dependencies whose names match ``also``, unpacked side by side.

    Shared libraries that the machine lacks are unpacked too, into ``missing-libraries``.
    ``instead`` tells a person without apt-get what else would do. ``revision`` grows with every
    change of ``prepare``, so that trees unpacked before it are left behind.

    With a ``suite``, such as ``trixie``, the package comes from that release of Debian, whatever
    the machine runs, and with all dependencies that ``also`` matches: its programs are to be
    started by ``own_loader``.
    """

    package: str
    also: str
    instead: str
    prepare: Prepare = lambda _: None
    revision: int = 1
    suite: str = ""

    def find(self, cache: Cache) -> Path | None:
        """Return the unpacked tree, or None where it is missing or damaged."""
        root = cache.root / "debian" / self._folder
        return root if root.is_dir() and find_damage(root) is None else None

    def unpack(self, cache: Cache, say: Say) -> Path:
        """Return the unpacked tree, fetched first where it is missing or damaged.

        Raise ArtefactError where there is no apt-get, or it can't fetch.
        """
        if (found := self.find(cache)) is not None:
            return found
        with cache.lock(f"debian-{self.package}", say):
            return self.find(cache) or self._install(cache, say)

    def obtainable(self) -> bool:
        """Whether this machine has what unpacking needs."""
        tools = bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))
        return tools and (not self.suite or (_is_debian() and Path(_KEYRING).exists()))

    def versions(self, root: Path) -> dict[str, str]:
        """Return the version of each unpacked package."""
        packages: dict[str, dict[str, str]] = json.loads((root / _PACKAGES).read_text())
        return {name: entry["version"] for name, entry in packages.items()}

    def library_path(self, root: Path) -> str:
        """Return the LD_LIBRARY_PATH that the tree needs; empty where the machine has all."""
        return ":".join(map(str, _library_folders(root / "missing-libraries")))

    def own_loader(self, root: Path) -> tuple[str, ...]:
        """Return the words before a program's path that run it with the tree's own libraries."""
        loader = min(root.glob("usr/lib*/ld-linux*.so.*"))
        return (str(loader), "--library-path", ":".join(map(str, _library_folders(root / "usr"))))

    @property
    def _folder(self) -> str:
        parts = (self.package, self.suite, str(self.revision))
        return "-".join(part for part in parts if part)

    def _install(self, cache: Cache, say: Say) -> Path:
        if not self.obtainable():
            also = f", or it is no Debian with {_KEYRING}" if self.suite else ""
            raise ArtefactError(
                f"{self.package} is unpacked from Debian or Ubuntu packages, and there is no "
                f"apt-get and dpkg-deb on this machine{also}. {self.instead}"
            )
        root = cache.folder("debian") / self._folder
        if root.exists():
            say(f"{find_damage(root)}; unpacking {self.package} again")
            shutil.rmtree(root)
        with tempfile.TemporaryDirectory(dir=root.parent) as name:
            scratch = Path(name)
            scratch.chmod(0o755)
            self._unpack_into(scratch / "root", scratch, say)
            (scratch / "root").rename(root)
        return root

    def _unpack_into(self, root: Path, scratch: Path, say: Say) -> None:
        create_readable(root)
        whose = f"Debian {self.suite}'s" if self.suite else "the machine's"
        say(f"reading {whose} package lists for {self.package}")
        apt = self._updated(scratch)
        wanted = [n for n in apt.closure(self.package) if re.fullmatch(self.also, n)]
        names = sorted({self.package, *wanted})
        say(f"fetching {len(names)} packages for {self.package}")
        fetched = apt.unpack(names, root)
        if not self.suite:
            fetched |= _add_missing_libraries(root, names, apt, say)
        self.prepare(root)
        (root / _PACKAGES).write_text(json.dumps(fetched, indent=1))
        seal_tree(root)

    def _updated(self, scratch: Path) -> Apt:
        """Return apt with its lists read: the machine's, or the suite's from one of its mirrors."""
        own = Apt(scratch / "own", self.instead)
        if not self.suite:
            own.update()
            return own
        failure = ArtefactError(
            f"this machine's package sources name no mirror of Debian, from which {self.package} "
            f"is fetched. {self.instead}"
        )
        for number, mirror in enumerate(own.debian_mirrors()):
            source = f"deb [signed-by={_KEYRING}] {mirror} {self.suite} main\n"
            apt = Apt(scratch / f"mirror-{number}", self.instead, source)
            try:
                apt.update()
            except ArtefactError as error:
                failure = error
            else:
                return apt
        raise failure


class Apt:
    """apt with state and cache of its own in ``folder``; ``source``: instead of the machine's."""

    def __init__(self, folder: Path, instead: str, source: str = "") -> None:
        create_readable(folder)
        self._folder = folder
        self._instead = instead
        self._configuration = folder / "apt.conf"
        state, cache = folder / "state", folder / "cache"
        for each in (state / "lists" / "partial", cache / "archives" / "partial"):
            each.mkdir(parents=True)
        text = _CONFIGURATION.format(state=state, cache=cache)
        if source:
            sources = folder / "sources.list"
            sources.write_text(source)
            text += _OTHER_SOURCES.format(sources=sources)
        self._configuration.write_text(text)

    def update(self) -> None:
        """Fetch the package lists."""
        self._run("apt-get", "update", cwd=self._folder)

    def debian_mirrors(self) -> list[str]:
        """Return where the machine's own release of Debian comes from by its sources."""
        # Without the information of release files: those are not fetched yet.
        form = ("--no-release-info", "--format", "$(COMPONENT) $(RELEASE) $(REPO_URI)")
        output = self._run("apt-get", "indextargets", *form, cwd=self._folder)
        releases = (*_ALIASES, _release().get("VERSION_CODENAME", ""))
        fields = (line.split() for line in output.splitlines())
        found = [f[2] for f in fields if len(f) == 3 and f[0] == "main" and f[1] in releases]
        return list(dict.fromkeys(found))

    def closure(self, package: str) -> list[str]:
        """Return all packages that ``package`` depends on, directly or not."""
        return self._depends("--recurse", package)

    def libraries(self, packages: Sequence[str]) -> list[str]:
        """Return the library packages that ``packages`` depend on directly, the C library aside."""
        names = (name for package in packages for name in self._depends(package))
        found = {n for n in names if n.startswith(("lib", "zlib")) and not n.startswith("libc6")}
        return sorted(found - set(packages))

    def unpack(self, packages: Sequence[str], root: Path) -> dict[str, dict[str, str]]:
        """Fetch packages and unpack them into ``root``; return their versions and checksums."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            folder.chmod(0o777)
            self._run("apt-get", "download", *packages, cwd=folder)
            return dict(_unpacked(deb, root) for deb in sorted(folder.glob("*.deb")))

    def _depends(self, *arguments: str) -> list[str]:
        kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        options = [f"--no-{kind}" for kind in kinds]
        output = self._run("apt-cache", "depends", *options, *arguments, cwd=self._folder)
        names = {line.split()[-1] for line in output.splitlines() if line.strip()}
        return sorted(name for name in names if re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name))

    def _run(self, tool: str, *arguments: str, cwd: Path) -> str:
        done = subprocess.run(
            [tool, "-c", str(self._configuration), *arguments],
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise self._failed(f"{tool} {arguments[0]}", done.stderr)
        return done.stdout

    def _failed(self, what: str, output: str) -> ArtefactError:
        complaints = [line for line in output.splitlines() if line.startswith(("E:", "W:"))]
        first = _CREDENTIALS.sub("//***@", complaints[0]) if complaints else "it said nothing"
        return ArtefactError(
            f"`{what}` failed: {first}. Check the network and the machine's package sources "
            f"(`apt-get update` as root shows the same). {self._instead}"
        )


def _is_debian() -> bool:
    return _release().get("ID") == "debian"


def _release() -> dict[str, str]:
    with suppress(OSError):
        return platform.freedesktop_os_release()
    return {}


def missing_libraries(root: Path, library_path: str) -> list[str]:
    """Return the shared libraries that programs below ``root`` need and the machine lacks."""
    programs = [str(path) for path in sorted(root.rglob("*")) if _is_elf(path)]
    if not programs:
        return []
    done = subprocess.run(
        ["ldd", *programs],
        env={**os.environ, "LD_LIBRARY_PATH": library_path},
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted(set(re.findall(r"^\s*(\S+) => not found", done.stdout, re.MULTILINE)))


def _add_missing_libraries(
    root: Path, names: Sequence[str], apt: Apt, say: Say
) -> dict[str, dict[str, str]]:
    extra = root / "missing-libraries"
    fetched: dict[str, dict[str, str]] = {}
    for _ in range(_ROUNDS):
        missing = missing_libraries(root, ":".join(map(str, _library_folders(extra))))
        if not missing:
            break
        say(f"fetching shared libraries this machine lacks: {', '.join(missing)}")
        names = apt.libraries(names)
        fetched |= apt.unpack(names, extra)
    return fetched


def _library_folders(extra: Path) -> list[Path]:
    if not extra.is_dir():
        return []
    return sorted({path.parent for path in extra.rglob("*.so.*") if _LIBRARY.search(path.name)})


def _unpacked(deb: Path, root: Path) -> tuple[str, dict[str, str]]:
    subprocess.run(["dpkg-deb", "-x", str(deb), str(root)], check=True, capture_output=True)
    name, version, _ = deb.stem.split("_")
    return name, {"version": version.replace("%3a", ":"), "sha256": sha256(deb)}


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
