"""Orders on their way to a worker, and harvests back: a file of arrays, one after the other.

Neither side has more than a part of one array in memory for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from spikebench.load.generator import Harvest, Order
from spikebench.measure.column import Column, column, parts
from spikebench.measure.observation import Delivery
from spikebench.measure.spool import Spool, SpooledColumn

Arrays = Mapping[str, type[np.generic]]
"""The arrays of something, in their order in its file."""

ORDER: Arrays = {"offsets_ns": np.int64, "template": np.int32, "key": np.int32}
HARVEST: Arrays = {"sent_ns": np.int64, "confirmed_ns": np.int64, "held_until_ns": np.int64}
DELIVERY: Arrays = {"seq": np.int32, "received_ns": np.int64}


def write_order(order: Order, path: Path) -> dict[str, Any]:
    """Write an order's arrays to ``path``; return the rest of it, as JSON can hold it.

    Raise OSError on a full disk.
    """
    with path.open("wb") as file:
        _write(order, ORDER, file)
    rest = {name: value for name, value in vars(order).items() if name not in ORDER}
    return rest | {"messages": len(column(order, "offsets_ns"))}


def read_order(path: Path, contents: dict[str, Any]) -> Order:
    """Return what ``write_order`` wrote; the file is the order's, and has no name any more."""
    reader, messages = _Reader(Spool(path)), contents.pop("messages")
    made: dict[str, Any] = contents | reader.arrays(ORDER, messages)
    return Order(**made)


def write_harvest(harvest: Harvest, path: Path) -> dict[str, Any]:
    """Write a harvest's arrays to ``path``; return the rest of it, as JSON can hold it.

    Raise OSError on a full disk.
    """
    with path.open("wb") as file:
        _write(harvest, HARVEST, file)
        for delivery in harvest.deliveries:
            _write(delivery, DELIVERY, file)
    return {
        "messages": len(column(harvest, "sent_ns")),
        "deliveries": [[d.subscriber, d.member, d.foreign, d.count] for d in harvest.deliveries],
        "refusals": dict(harvest.refusals),
        "calls": dict(harvest.calls),
    }


def read_harvest(path: Path, contents: dict[str, Any]) -> Harvest:
    """Return what ``write_harvest`` wrote; the file is the harvest's, and has no name any more."""
    reader = _Reader(Spool(path))
    return Harvest(
        **reader.arrays(HARVEST, contents["messages"]),
        deliveries=tuple(
            Delivery(
                subscriber=subscriber,
                member=member,
                foreign=foreign,
                **reader.arrays(DELIVERY, count),
            )
            for subscriber, member, foreign, count in contents["deliveries"]
        ),
        refusals=contents["refusals"],
        calls=contents["calls"],
    )


def _write(what: Order | Harvest | Delivery, arrays: Arrays, file: IO[bytes]) -> None:
    for name, dtype in arrays.items():
        values: Column[Any] = column(what, name)
        for part in parts(len(values)):
            file.write(np.ascontiguousarray(values[part], dtype=dtype).data)


class _Reader:
    """Finds one array after the other."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._at = 0

    def arrays(self, arrays: Arrays, length: int) -> dict[str, SpooledColumn[Any]]:
        """Return the next ``arrays``, all of one length."""
        found = {}
        for name, dtype in arrays.items():
            found[name] = self._spool.column(self._at, length, dtype)
            self._at += length * np.dtype(dtype).itemsize
        return found
