"""A file of columns that has no name any more: it goes with the last who reads it."""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikebench.measure.column import Column, parts

T = TypeVar("T", bound=np.generic)


class Spool:
    """Takes over the file at ``path``, whose name is removed; raises OSError where it can't be.

    Columns hold on to their spool. Nothing is left where the process is killed.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR)
        self._end = os.fstat(self._descriptor).st_size
        weakref.finalize(self, os.close, self._descriptor)
        path.unlink()

    @classmethod
    def new(cls, folder: Path) -> Self:
        """An empty one in ``folder``."""
        descriptor, path = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        return cls(Path(path))

    def column(self, start: int, length: int, dtype: type[T]) -> SpooledColumn[T]:
        """What lies from ``start`` (in bytes) on."""
        return SpooledColumn(self, start, length, dtype)

    def keep(self, values: Column[T], dtype: type[T]) -> SpooledColumn[T]:
        """Append a column and return it as one that lies here; raise OSError on a full disk."""
        start = self._end
        for part in parts(len(values)):
            self._append(np.ascontiguousarray(values[part], dtype=dtype))
        return self.column(start, len(values), dtype)

    def fill(self, values: NDArray[Any], offset: int) -> None:
        """Read ``values`` from ``offset`` bytes on; raise OSError where the file is too short."""
        into = values.data.cast("B")
        while into:
            got = os.preadv(self._descriptor, [into], offset)
            if not got:
                raise OSError(f"a file of timestamps ends at {offset} bytes, {len(into)} too early")
            into, offset = into[got:], offset + got

    def _append(self, values: NDArray[Any]) -> None:
        left = values.data.cast("B")
        while left:
            put = os.pwrite(self._descriptor, left, self._end)
            left, self._end = left[put:], self._end + put


class SpooledColumn(Generic[T]):
    """``length`` elements of ``dtype`` in a spool, from ``start`` (in bytes) on."""

    def __init__(self, spool: Spool, start: int, length: int, dtype: type[T]) -> None:
        self._spool = spool
        self._start = start
        self._length = length
        self._dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice, /) -> NDArray[T]:
        start, stop, _ = part.indices(self._length)
        values: NDArray[T] = np.empty(max(stop - start, 0), dtype=self._dtype)
        if len(values):
            self._spool.fill(values, self._start + start * self._dtype.itemsize)
        return values
