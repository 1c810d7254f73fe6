"""Where a Python receiver puts what it got: a time and the header of each body, decoded later."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence

import numpy as np

from spikebench.load.body import HEADER_BYTES, parse_heads
from spikebench.measure.observation import Delivery


class Inbox:
    """Deliveries of one consumer. ``deliver`` is called from the receiver's thread only."""

    def __init__(self, subscriber: int, member: int, tag: int) -> None:
        self._subscriber = subscriber
        self._member = member
        self._tag = tag
        self._heads = bytearray()
        self._received = array("q")
        self._harvested = 0
        self._short = 0
        self._short_told = 0

    @property
    def count(self) -> int:
        """How many bodies came in since the inbox was made, those too short to be ours left out."""
        return self._harvested + len(self._received)

    def deliver(self, bodies: Sequence[bytes]) -> None:
        """Take in bodies that have just been received; they all get the present time."""
        now = time.monotonic_ns()
        for body in bodies:
            if len(body) < HEADER_BYTES:
                self._short += 1
                continue
            self._heads += body[:HEADER_BYTES]
            self._received.append(now)

    def empty(self) -> Delivery:
        """Return what came in since the last call, and forget it."""
        count = len(self._received)
        heads, received = bytes(self._heads[: count * HEADER_BYTES]), self._received[:count]
        del self._heads[: count * HEADER_BYTES]
        del self._received[:count]
        self._harvested += count
        parsed = parse_heads(heads)
        ours = parsed.ours & (parsed.tag == self._tag)
        short = self._short  # counts on meanwhile, in the receiver's thread
        foreign, self._short_told = short - self._short_told + int(count - ours.sum()), short
        return Delivery(
            subscriber=self._subscriber,
            member=self._member,
            seq=parsed.seq[ours].astype(np.int32),
            received_ns=np.array(received, dtype=np.int64)[ours],
            foreign=foreign,
        )
