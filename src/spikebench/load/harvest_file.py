"""A harvest on its way from a worker to the run: a file of arrays, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from spikebench.load.generator import Harvest
from spikebench.measure.column import Column, column, parts
from spikebench.measure.observation import Delivery
from spikebench.measure.spool import Spool, SpooledColumn

SENDERS = ("sent_ns", "confirmed_ns", "held_until_ns")
"""Arrays of a harvest, in their order in the file; those of its deliveries follow."""


def write_harvest(harvest: Harvest, path: Path) -> dict[str, Any]:
    """Write a harvest's arrays to ``path`` and return the rest of it, as JSON can hold it.

    Not more than a part of one array is in memory at a time. Raise OSError on a full disk.
    """
    with path.open("wb") as file:
        lengths = [_write(column(harvest, name), np.int64, file) for name in SENDERS]
        heads = [_write_delivery(delivery, file) for delivery in harvest.deliveries]
    return {
        "lengths": lengths,
        "heads": heads,
        "refusals": dict(harvest.refusals),
        "calls": dict(harvest.calls),
    }


def read_harvest(path: Path, contents: dict[str, Any]) -> Harvest:
    """Return what ``write_harvest`` wrote; the file is the harvest's and has no name any more."""
    reader = _Reader(Spool(path))
    return Harvest(
        **{
            name: reader.column(length, np.int64)
            for name, length in zip(SENDERS, contents["lengths"], strict=True)
        },
        deliveries=tuple(
            Delivery(
                subscriber=subscriber,
                member=member,
                seq=reader.column(length, np.int32),
                received_ns=reader.column(length, np.int64),
                foreign=foreign,
            )
            for subscriber, member, foreign, length in contents["heads"]
        ),
        refusals=contents["refusals"],
        calls=contents["calls"],
    )


def _write_delivery(delivery: Delivery, file: IO[bytes]) -> list[int]:
    length = _write(column(delivery, "seq"), np.int32, file)
    _write(column(delivery, "received_ns"), np.int64, file)
    return [delivery.subscriber, delivery.member, delivery.foreign, length]


def _write(values: Column[Any], dtype: type[np.generic], file: IO[bytes]) -> int:
    for part in parts(len(values)):
        file.write(np.ascontiguousarray(values[part], dtype=dtype).data)
    return len(values)


class _Reader:
    """Finds one column after the other."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._at = 0

    def column(self, length: int, dtype: type[np.generic]) -> SpooledColumn[Any]:
        found = self._spool.column(self._at, length, dtype)
        self._at += length * np.dtype(dtype).itemsize
        return found
