"""The raw timestamps of one segment of a trial, as they came from the workers.

All times are CLOCK_MONOTONIC nanoseconds of one host. Index ``i`` of the sender's arrays is message
``first_seq + i``; 0 stands for "never".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Nanoseconds = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Delivery:
    """What one consumer got, in the order it got it; repeats included."""

    subscriber: int
    member: int
    seq: Indices
    received_ns: Nanoseconds
    foreign: int = 0


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
    candidate held the generator back before each message, by a full window or a long call; None
    where that was not noted. ``calls`` is how many calls the candidate has answered, by operation,
    where it bills them.
    """

    first_seq: int
    intended_ns: Nanoseconds
    sent_ns: Nanoseconds
    confirmed_ns: Nanoseconds
    key: Indices
    size_bytes: Indices
    subscribers: int
    deliveries: tuple[Delivery, ...]
    usage: Usage
    refusals: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    attached_ns: int = 0
    busy: Usage | None = None
    confirms: bool = True
    held_until_ns: Nanoseconds | None = None
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def sent(self) -> npt.NDArray[np.bool_]:
        """Which messages were handed to the client library."""
        return self.sent_ns > 0

    @property
    def confirmed(self) -> npt.NDArray[np.bool_]:
        """Which messages the broker has taken responsibility for."""
        return self.confirmed_ns > 0

    def first_received_ns(self, subscriber: int) -> Nanoseconds:
        """When ``subscriber`` first got each message; 0 where it never did."""
        mine = [d for d in self.deliveries if d.subscriber == subscriber]
        first = np.zeros(len(self.intended_ns), dtype=np.int64)
        if not mine:
            return first
        index = np.concatenate([d.seq for d in mine]).astype(np.int64) - self.first_seq
        at = np.concatenate([d.received_ns for d in mine])
        ours = (index >= 0) & (index < len(first))
        index, at = index[ours], at[ours]
        latest_first = np.argsort(-at, kind="stable")  # of repeats, the last assigned one stays
        first[index[latest_first]] = at[latest_first]
        return first
