"""What a living JVM tells of itself in the file it shares with everybody: no attaching needed.

Format: OpenJDK, ``src/hotspot/share/runtime/perfMemory.hpp`` (``PerfDataPrologue`` and
``PerfDataEntry``), version 2.0; a JVM writes it unless it is told ``-XX:-UsePerfData``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import FileIO
from mmap import PAGESIZE
from pathlib import Path

_MAGIC = b"\xca\xfe\xc0\xc0"
_PROLOGUE = "4xBBBBiiqii"
_ENTRY = "iiiBBBBi"
_LONG = ord("J")
_SIZE = 32_768
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
    for path in files:
        with suppress(OSError):
            if (count := _count_classes(path.read_bytes())) is not None:
                return count
    return None


def find_perf_data(pid: int) -> int | None:
    """Return the address of a JVM's perf data in its own memory, where it has no file for them.

    That is with ``-XX:+PerfDisableSharedMem``. None where there are none, or we may not look.
    """
    with suppress(OSError), Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _anonymous(pid):
            for address in range(start, end, PAGESIZE):
                if _read(memory, address, len(_MAGIC)) != _MAGIC:
                    continue
                if _count_classes(_read(memory, address, _SIZE)) is not None:
                    return address
    return None


def classes_loaded_at(pid: int, address: int) -> int | None:
    """Return what ``classes_loaded`` does, of a JVM whose perf data are at ``address``."""
    with suppress(OSError), Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        return _count_classes(_read(memory, address, _SIZE))
    return None


def _anonymous(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        places, rights, _, _, inode, *_ = line.split()
        if rights == "rw-p" and inode == "0":
            start, end = (int(place, 16) for place in places.split("-"))
            yield start, end


def _read(memory: FileIO, address: int, size: int) -> bytes:
    try:
        memory.seek(address)
        return memory.read(size)
    except (OSError, OverflowError):  # reserved, but not there
        return b""


def _count_classes(data: bytes) -> int | None:
    try:
        counters = read_counters(data)
    except (ValueError, struct.error):
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
