"""Seals: how a damaged file in the cache is noticed, cheaply, each time it is used.

A seal remembers a file's checksum with its size and time of change. As long as those two stand, the
file is taken to be what was hashed; when they do not, it is hashed again.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

MANIFEST = ".spikebench-manifest.json"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_intact(path: Path, expected: str) -> bool:
    """Tell whether ``path`` exists and has the SHA-256 ``expected``."""
    stamp = path.with_name(f"{path.name}.sealed")
    try:
        seal = f"{expected} {_fingerprint(path)}"
        if stamp.exists() and stamp.read_text() == seal:
            return True
        intact = sha256(path) == expected
    except OSError:
        return False
    if intact:
        with suppress(OSError):
            stamp.write_text(seal)
    return intact


def seal_tree(folder: Path) -> None:
    """Write a manifest of every file in ``folder``, for ``find_damage``."""
    manifest = {
        str(path.relative_to(folder)): [sha256(path), _fingerprint(path)] for path in _files(folder)
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=0))


def find_damage(folder: Path) -> str | None:
    """Return what is wrong with a sealed folder in one phrase, or None where nothing is."""
    try:
        manifest: dict[str, list[str]] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return f"{folder / MANIFEST} is missing or unreadable"
    for name, (expected, fingerprint) in manifest.items():
        path = folder / name
        if not path.exists():
            return f"{path} is missing"
        if _fingerprint(path) == fingerprint:
            continue
        if (found := sha256(path)) != expected:
            return f"{path} has changed: expected sha256 {expected}, found {found}"
    return None


def _fingerprint(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns}"


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name != MANIFEST
    )
