"""Long arrays that are not in memory until they are looked at.

A segment of a fast candidate has millions of times of each kind, and whoever accounts for it looks
at one or two kinds at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

PART = 1 << 17
"""Elements that are worked on at once where not all are needed: a megabyte of times."""

T = TypeVar("T", bound=np.generic)
T_co = TypeVar("T_co", bound=np.generic, covariant=True)


class Column(Protocol[T_co]):
    """A one-dimensional array somewhere else; a slice (without a step) is an array in memory.

    An array is a column of itself.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> NDArray[T_co]: ...


class Joined(Generic[T]):
    """Columns one after the other, as one; of ``dtype`` where there is none."""

    def __init__(self, columns: Sequence[Column[T]], dtype: type[T]) -> None:
        self._columns = [column for column in columns if len(column)]
        self._dtype = dtype
        self._ends = np.cumsum([len(column) for column in self._columns], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, part: slice, /) -> NDArray[T]:
        start, stop, _ = part.indices(len(self))
        first = int(np.searchsorted(self._ends, start, side="right"))
        got = np.empty(max(stop - start, 0), dtype=self._dtype)
        for column, end in zip(self._columns[first:], self._ends[first:].tolist(), strict=True):
            begin = end - len(column)
            if begin >= stop:
                break
            among = slice(max(start, begin) - begin, min(stop, end) - begin)
            got[begin + among.start - start : begin + among.stop - start] = column[among]
        return got


class Kept(Generic[T]):
    """A dataclass's field that is given a column and gives an array, read whenever it is asked for.

    Whoever needs it twice keeps it for as long as that. Where none is given the array is empty, of
    the type ``empty``; without it there must be one.
    """

    def __init__(self, empty: type[T] | None = None) -> None:
        self._default = None if empty is None else Joined[T]([], empty)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Any: ...

    @overload
    def __get__(self, instance: object, owner: type) -> NDArray[T]: ...

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:  # a dataclass asks for the default so
            if self._default is None:
                raise AttributeError(self._name)
            return self._default
        return vars(instance)[self._name][:]

    def __set__(self, instance: object, value: Column[T]) -> None:
        vars(instance)[self._name] = value


def column(of: object, name: str) -> Column[Any]:
    """Return what the field ``name``, which is ``Kept``, was given."""
    found: Column[Any] = vars(of)[name]
    return found


def parts(length: int) -> Iterator[slice]:
    """Yield the slices that make up an array of ``length``, each of ``PART`` elements or fewer."""
    for start in range(0, length, PART):
        yield slice(start, min(start + PART, length))
