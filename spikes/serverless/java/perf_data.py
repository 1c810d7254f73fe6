"""What a living JVM tells of itself in the file it shares with everybody: no attaching needed.

Format: OpenJDK, ``src/hotspot/share/runtime/perfMemory.hpp`` (``PerfDataPrologue`` and
``PerfDataEntry``), version 2.0; a JVM writes it unless it is told ``-XX:-UsePerfData``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_MAGIC = b"\xca\xfe\xc0\xc0"
_PROLOGUE = "4xBBBBiiqii"
_ENTRY = "iiiBBBBi"
_LONG = ord("J")
_COUNTERS = ("java.cls.loadedClasses", "java.cls.sharedLoadedClasses")


def classes_loaded(pid: int) -> int | None:
    """Return how many classes a JVM has loaded, from archives too; None where it can't be seen."""
    return _classes(Path("/tmp").glob(f"hsperfdata_*/{pid}"))


def classes_loaded_inside(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Return the same for the one JVM of a container, which ``pid`` is a process of.

    None also where we may not look into the container: that takes root, or its own user.
    """
    return _classes((proc / str(pid) / "root" / "tmp").glob("hsperfdata_*/*"))


def _classes(files: Iterable[Path]) -> int | None:
    with suppress(OSError):
        for path in files:
            try:
                counters = read_counters(path.read_bytes())
            except (OSError, ValueError, struct.error):
                continue
            if all(name in counters for name in _COUNTERS):
                return sum(counters[name] for name in _COUNTERS)
    return None


def read_counters(data: bytes) -> dict[str, int]:
    """Return the numbers in a perf data file by name.

    Raise ValueError or struct.error where it is none, or is not whole yet.
    """
    if data[:4] != _MAGIC:
        raise ValueError("a perf data file starts with cafec0c0")
    order = "<" if data[4] else ">"
    _, version, _, accessible, _, _, _, start, count = struct.unpack_from(order + _PROLOGUE, data)
    if version != 2 or not accessible:
        raise ValueError(f"version 2 is read, and only when its JVM is up; found {version}")
    counters: dict[str, int] = {}
    for _ in range(count):
        length, name, vector, kind, _, _, _, value = struct.unpack_from(order + _ENTRY, data, start)
        if kind == _LONG and vector == 0:
            end = data.index(b"\0", start + name)
            key = data[start + name : end].decode()
            (counters[key],) = struct.unpack_from(order + "q", data, start + value)
        start += length
    return counters
