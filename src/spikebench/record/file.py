"""A run's record file: appended by one writer, synced after each trial, read by anyone.

A run that is killed loses at most the trial in hand: what may be left of it is a last line without
its end, which the reader leaves out and the next writer removes.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from spikebench.errors import RecordError
from spikebench.record.model import Record
from spikebench.record.parse import parse_line

CHUNK_BYTES = 1 << 20


class TornLineWarning(UserWarning):
    """The last line of a record file was half-written and is left out."""


def read_records(path: Path) -> list[Record]:
    """Read all trials of a run file, in the order they were written.

    Warns TornLineWarning where the last line was cut short. Raises RecordError (``file:line: key:
    what``) for a file that is missing, unreadable or malformed anywhere else.
    """
    records: list[Record] = []
    try:
        with path.open("rb") as file, _without_collector():
            for number, line in enumerate(file, 1):
                records += _on_line(line, f"{path}:{number}")
    except OSError as error:
        raise RecordError(
            f"{path}: cannot be read: {error.strerror}; "
            "name a run file (results/<spike>/runs/<run>.jsonl)"
        ) from error
    return records


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing that is read is garbage, and looking for some takes as long as the reading.

    Nor does it hold cycles that could become some: the collector is not to look at it later either.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collecting:
            gc.enable()


def _on_line(line: bytes, place: str) -> list[Record]:
    """The record of a line; none of a last line that was cut short."""
    if line.endswith(b"\n") or _is_whole(line):
        return [parse_line(line.rstrip(b"\n"), place)]
    warnings.warn(f"{place}: half-written, left out", TornLineWarning, stacklevel=3)
    return []


def _is_whole(torn: bytes) -> bool:
    """Whether only the end of a line is missing: no beginning of an object is an object itself.

    What it says is another question: a line that was not cut short is not to be thrown away.
    """
    try:
        return torn.startswith(b"{") and isinstance(json.loads(torn), dict)
    except (ValueError, RecursionError):
        return False


class RecordFile:
    """A run file open for appending; one writer at a time, across processes.

    Creates its folders. Raises RecordError where the file cannot be opened, or another process is
    writing to it. Use as a context manager, or call ``close``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._refused(error, "cannot be opened for writing") from error
        self._open = True
        try:
            self._lock()
            self._size = self._mend()
        except BaseException:
            self.close()
            raise

    def append(self, record: Record) -> None:
        """Write one trial and wait until the disk has it.

        Raises RecordError on a full disk or any other refusal; what was half-written is taken back,
        so that the file holds the earlier trials, whole.
        """
        line = record.model_dump_json(by_alias=True).encode() + b"\n"
        try:
            self._write(line)
            os.fsync(self._fd)
        except OSError as error:
            self._take_back()
            raise self._refused(error, "this trial could not be written") from error
        self._size += len(line)

    def close(self) -> None:
        """Close the file and let another writer in; safe to call twice."""
        if self._open:
            self._open = False
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordError(
                f"{self.path}: another process is writing to this run; "
                "wait for it to end, or start a run of its own"
            ) from None
        except OSError as error:
            raise self._refused(error, "cannot be locked") from error

    def _mend(self) -> int:
        """Remove a half-written last line, or end a whole one; return the size to append at."""
        try:
            size, torn = self._tail()
            if _is_whole(torn):
                os.pwrite(self._fd, b"\n", size + len(torn))
                return size + len(torn) + 1
            if torn:
                os.ftruncate(self._fd, size)
        except OSError as error:
            raise self._refused(error, "cannot be mended") from error
        return size

    def _tail(self) -> tuple[int, bytes]:
        """How many bytes whole lines take up, and what stands after the last line's end."""
        start, tail = os.fstat(self._fd).st_size, b""
        while start > 0 and b"\n" not in tail:
            step = min(start, CHUNK_BYTES)
            start -= step
            tail = os.pread(self._fd, step, start) + tail
        whole = tail.rfind(b"\n") + 1
        return start + whole, tail[whole:]

    def _write(self, line: bytes) -> None:
        written = 0
        while written < len(line):
            written += os.pwrite(self._fd, line[written:], self._size + written)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            return  # the reader leaves a half-written last line out

    def _refused(self, error: OSError, what: str) -> RecordError:
        return RecordError(
            f"{self.path}: {what}: {error.strerror or error}; trials recorded earlier are intact: "
            "make room or mend the permissions, then go on with --resume"
        )
