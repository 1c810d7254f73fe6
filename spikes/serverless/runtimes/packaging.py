"""What is built into the cache: each thing once, named after all that it is made from, sealed."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spikebench.target.cache import Cache
from spikebench.target.seal import MANIFEST, find_damage, seal_tree
from spikebench.target.software import Say

Fill = Callable[[Path], None]
"""Puts what is to be built into the empty folder it is given."""

_FOLDER = "serverless"
_PACKAGE = "package"
_SIZE = "package-bytes"
_NOT_SOURCES = frozenset({"__pycache__", "node_modules", "target"})


@dataclass(frozen=True)
class Package:
    """What would be uploaded: its root, and the bytes of it zipped."""

    root: Path
    size_bytes: int


def digest(*parts: str | Path) -> str:
    """Return 16 hexadecimal digits of the SHA-256 over texts, files and folders, in that order.

    Of a folder it takes names and contents, leaving out what tools put beside sources.
    """
    state = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            state.update(len(piece).to_bytes(8, "big"))
            state.update(piece)
    return state.hexdigest()[:16]


def find_built(name: str, cache: Cache) -> Path | None:
    """Return the folder of what was built as ``name``, undamaged, or None."""
    folder = cache.root / _FOLDER / name
    return folder if folder.exists() and find_damage(folder) is None else None


def build_once(name: str, cache: Cache, say: Say, fill: Fill) -> Path:
    """Return the folder built as ``name``, which ``fill`` makes if it is missing or damaged.

    It appears under its name only when it is whole, readable by everyone. What ``fill`` raises
    passes through, and leaves nothing behind.
    """
    if (found := find_built(name, cache)) is not None:
        return found
    with cache.lock(f"{_FOLDER}-{name}", say):
        return find_built(name, cache) or _build(name, cache, say, fill)


def find_package(name: str, cache: Cache) -> Package | None:
    """Return the package that was built as ``name``, undamaged, or None."""
    folder = find_built(name, cache)
    return None if folder is None else _package(folder)


def package_once(name: str, cache: Cache, say: Say, fill: Fill) -> Package:
    """Return the package built as ``name``, as ``build_once`` does, and how large it is."""

    def fill_and_weigh(folder: Path) -> None:
        root = folder / _PACKAGE
        root.mkdir()
        fill(root)
        (folder / _SIZE).write_text(f"{zipped_bytes(root)}\n")

    return _package(build_once(name, cache, say, fill_and_weigh))


def zipped_bytes(root: Path) -> int:
    """Return the size of a zip, deflated, of a file or of all files in a folder."""
    with tempfile.TemporaryFile() as sink:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in _files(root):
                name = path.name if path == root else path.relative_to(root).as_posix()
                archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
        return sink.tell()


def _package(folder: Path) -> Package:
    return Package(folder / _PACKAGE, int((folder / _SIZE).read_text()))


def _build(name: str, cache: Cache, say: Say, fill: Fill) -> Path:
    folder = cache.folder(_FOLDER) / name
    if folder.exists():
        say(f"{find_damage(folder)}; building {name} again")
        shutil.rmtree(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{name}.") as scratch:
        built = Path(scratch) / "built"
        built.mkdir()
        fill(built)
        _open_to_all(built)
        seal_tree(built)
        (built / MANIFEST).chmod(0o644)
        return built.rename(folder)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)


def _pieces(part: str | Path) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
        return
    for path in _files(part):
        names = path.relative_to(part).parts
        if _NOT_SOURCES.isdisjoint(names):
            yield "/".join(names).encode()
            yield path.read_bytes()


def _files(root: Path) -> list[Path]:
    return [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
