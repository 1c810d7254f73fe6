"""What was built for this machine, packed as Lambda takes it."""

from __future__ import annotations

import platform
import zipfile
from collections.abc import Iterable
from pathlib import Path

from spikes.serverless.function import Function
from spikes.serverless.sandbox.upload import OS_ONLY, Architecture, Upload

_DATE = (1980, 2, 1, 0, 0, 0)
_MANAGED = "AWS_Lambda_"


def pack(function: Function, path: Path) -> Upload:
    """Write a function's whole folder to ``path`` and return what is uploaded.

    What may be executed is marked so. The same files give the same bytes. Runtime and handler are
    those the function was built for, the architecture is this machine's, which packages with
    binaries of their own are bound to.
    """
    _write(_files(function.folder), path)
    return Upload(path, runtime(function), function.environ["_HANDLER"], {}, architecture())


def pack_jars(jars: Iterable[Path], runtime: str, handler: str, path: Path) -> Upload:
    """Write jars to ``lib/`` in a package, where Java's managed runtimes look for them."""
    _write(sorted((f"lib/{jar.name}", jar) for jar in jars), path)
    return Upload(path, runtime, handler, {}, architecture())


def _write(entries: Iterable[tuple[str, Path]], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in entries:
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, file.read_bytes())


def runtime(function: Function) -> str:
    """Return Lambda's identifier of the runtime a function was built for, such as ``java21``."""
    named = function.environ.get("AWS_EXECUTION_ENV", "")
    return named.removeprefix(_MANAGED) if named.startswith(_MANAGED) else OS_ONLY


def architecture() -> Architecture:
    """Return this machine's architecture as Lambda names it."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [(path.relative_to(folder).as_posix(), path) for path in found]
