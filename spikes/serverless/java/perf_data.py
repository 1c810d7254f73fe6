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
    return _first(Path("/tmp").glob(f"hsperfdata_*/{pid}"))


def classes_loaded_inside(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Return the same for the one JVM of a container, which ``pid`` is a process of.

    None also where we may not look into the container: that takes root, or its own user.
    """
    with suppress(OSError):
        return _first((proc / str(pid) / "root" / "tmp").glob("hsperfdata_*/*"))
    return None


def _first(files: Iterable[Path]) -> int | None:
    return next((count for path in files if (count := count_classes(path)) is not None), None)


def mapped_perf_data(pid: int) -> tuple[Path, Path] | None:
    """Return the file a JVM has mapped, as /proc has it and by its name; None where there is none.

    The first can be read by root also where the second is gone, or is another JVM's.
    """
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and fields[5].startswith("/tmp/hsperfdata_"):
                name = fields[5].removesuffix(" (deleted)")
                return Path(f"/proc/{pid}/map_files/{fields[0]}"), Path(name)
    return None


def count_classes(path: Path) -> int | None:
    """Return the number of classes by a perf data file; None where it has none."""
    try:
        counters = read_counters(path.read_bytes())
    except (OSError, ValueError, struct.error):
        return None
    if not all(name in counters for name in _COUNTERS):
        return None
    return sum(counters[name] for name in _COUNTERS)


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
