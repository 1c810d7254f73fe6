import mmap
import os
import struct
import subprocess
from pathlib import Path

import pytest

from spikebench.target.cache import Cache
from spikebench.target.java import runtime_home
from spikes.serverless.java.perf_data import (
    classes_loaded,
    classes_loaded_at,
    find_perf_data,
    read_counters,
)


def _entry(order: str, name: bytes, kind: bytes, value: bytes) -> bytes:
    padded = name + b"\0" * (8 - len(name) % 8)
    offset = 20 + len(padded)
    padding = b"\0" * (-offset % 8)
    offset += len(padding)
    length, vector = offset + len(value), 0 if kind == b"J" else len(value)
    head = struct.pack(order + "iiiBBBBi", length, 20, vector, kind[0], 0, 4, 3, offset)
    return head + padded + padding + value


def _file(order: str, accessible: int = 1) -> bytes:
    entries = [
        _entry(order, b"java.cls.loadedClasses", b"J", struct.pack(order + "q", 70)),
        _entry(order, b"java.property.x", b"B", b"a text\0\0"),
        _entry(order, b"java.cls.sharedLoadedClasses", b"J", struct.pack(order + "q", 450)),
    ]
    order_byte = 1 if order == "<" else 0
    head = struct.pack(order + "BBBBiiqii", order_byte, 2, 0, accessible, 0, 0, 0, 32, len(entries))
    return b"\xca\xfe\xc0\xc0" + head + b"".join(entries)


@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_are_read_in_either_byte_order(order: str) -> None:
    counters = read_counters(_file(order))
    assert counters == {"java.cls.loadedClasses": 70, "java.cls.sharedLoadedClasses": 450}


def test_a_file_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="cafec0c0"):
        read_counters(b"nothing of the kind")


def test_a_jvm_that_is_not_up_yet_is_not_believed() -> None:
    with pytest.raises(ValueError, match="when its JVM is up"):
        read_counters(_file("<", accessible=0))


def test_a_process_that_is_no_jvm_has_no_number() -> None:
    assert classes_loaded(os.getpid()) is None


def test_perf_data_are_found_in_memory_where_there_is_no_file() -> None:
    assert find_perf_data(os.getpid()) is None
    with mmap.mmap(-1, 16 * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[: 16 * mmap.PAGESIZE] = b"x" * 16 * mmap.PAGESIZE
        start, data = 3 * mmap.PAGESIZE, _file("<")
        memory[start : start + 4] = data[:4]  # no more than the beginning
        assert find_perf_data(os.getpid()) is None
        memory[start : start + len(data)] = data
        address = find_perf_data(os.getpid())
        assert address is not None
        assert classes_loaded_at(os.getpid(), address) == 520
        memory[start] = 0
        assert classes_loaded_at(os.getpid(), address) is None
    assert classes_loaded_at(os.getpid(), 0) is None


@pytest.mark.slow
@pytest.mark.parametrize("major", [11, 17, 21, 25])
def test_the_file_of_a_real_jvm_is_read(tmp_path: Path, major: int) -> None:
    home, saved, log = runtime_home(major, Cache.open(), print), tmp_path / "p", tmp_path / "log"
    subprocess.run(
        [
            str(home / "bin" / "java"),
            "-XX:+PerfDataSaveToFile",
            f"-XX:PerfDataSaveFile={saved}",
            f"-Xlog:class+load:file={log}",
            "-version",
        ],
        check=True,
        capture_output=True,
    )
    counters = read_counters(saved.read_bytes())
    count = counters["java.cls.loadedClasses"] + counters["java.cls.sharedLoadedClasses"]
    logged = log.read_text().count(" source: ")
    # Classes of the JVM's own making, such as those of lambda forms, are not in the log.
    assert logged <= count <= logged + 30
