"""The raw timestamps of one segment of a trial, as they came from the workers.

All times are CLOCK_MONOTONIC nanoseconds of one host. Index ``i`` of the sender's arrays is message
``first_seq + i``; 0 stands for "never". An array may lie in a file until it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spikebench.measure.column import Kept, column, parts

Nanoseconds = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
"""Of messages among those of a segment, from 0 on."""

_NEVER = np.iinfo(np.int64).max


def placed(seq: Indices, first_seq: int, messages: int) -> tuple[Places, Flags]:
    """Return the places of sequence numbers in a segment, and which of them are of it."""
    place = seq.astype(np.int64) - first_seq
    return place, (place >= 0) & (place < messages)


@dataclass(frozen=True)
class Delivery:
    """What one consumer got, in the order it got it; repeats included."""

    subscriber: int
    member: int
    seq: Kept[np.int32] = Kept()
    received_ns: Kept[np.int64] = Kept()
    foreign: int = 0

    @property
    def count(self) -> int:
        """How many messages it got."""
        return len(column(self, "seq"))

    def within(self, first_seq: int, messages: int) -> Iterator[tuple[Places, Nanoseconds]]:
        """Yield which messages of a segment it got, and when, a part at a time."""
        for part in parts(self.count):
            place, ours = placed(column(self, "seq")[part], first_seq, messages)
            yield place[ours], column(self, "received_ns")[part][ours]


@dataclass(frozen=True)
class Usage:
    """CPU seconds and peak memory (bytes) over a span; None where a side can't be seen.

    ``cores_busy_s`` is, by its number, how long each core was busy, whoever it worked for.
    """

    server_cpu_s: float | None
    client_cpu_s: float | None
    span_s: float
    server_peak_rss: int | None = None
    client_peak_rss: int | None = None
    cores_busy_s: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """One segment: what was meant to be sent when, what was sent, confirmed and delivered.

    ``key`` is each message's key index; ``size_bytes`` its body's length. ``refusals`` counts the
    reasons for which messages failed. ``error`` is set when a client lost its connection.
    ``usage`` is of the whole segment, its drain included; ``busy`` of the time until the last
    confirm. ``confirms`` is whether confirms were asked for. ``held_until_ns`` is until when the
    candidate held the generator back before each message, by a full window or a long call; empty
    where that was not noted. ``calls`` is how many calls the candidate has answered, by operation,
    where it bills them.
    """

    first_seq: int
    subscribers: int
    deliveries: tuple[Delivery, ...]
    usage: Usage
    intended_ns: Kept[np.int64] = Kept()
    sent_ns: Kept[np.int64] = Kept()
    confirmed_ns: Kept[np.int64] = Kept()
    key: Kept[np.int32] = Kept()
    size_bytes: Kept[np.int32] = Kept()
    refusals: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    attached_ns: int = 0
    busy: Usage | None = None
    confirms: bool = True
    held_until_ns: Kept[np.int64] = Kept(np.int64)
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        """How many were meant to be sent."""
        return len(column(self, "intended_ns"))

    def part(self, name: str, which: slice) -> Nanoseconds:
        """Return a part of the array called ``name``, without reading all of it."""
        return column(self, name)[which]

    @property
    def sent(self) -> Flags:
        """Which messages were handed to the client library."""
        return self.sent_ns > 0

    @property
    def confirmed(self) -> Flags:
        """Which messages the broker has taken responsibility for."""
        return self.confirmed_ns > 0

    def received_by(self, subscriber: int) -> Iterator[tuple[Places, Nanoseconds]]:
        """Yield which messages ``subscriber`` got, and when, repeats with them, in parts."""
        for delivery in self.deliveries:
            if delivery.subscriber == subscriber:
                yield from delivery.within(self.first_seq, self.messages)

    def first_received_ns(self, subscriber: int) -> Nanoseconds:
        """When ``subscriber`` first got each message; 0 where it never did."""
        first = np.full(self.messages, _NEVER, dtype=np.int64)
        for place, at in self.received_by(subscriber):
            np.minimum.at(first, place, at)
        first[first == _NEVER] = 0
        return first
