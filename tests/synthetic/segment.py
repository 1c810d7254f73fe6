"""Segments made of arrays: what a trial would have seen, with everything about it known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from spikebench.measure.observation import Delivery, Observation, Usage

T0_NS = 1_000_000_000_000
Seconds = npt.NDArray[np.float64]
IDLE = Usage(server_cpu_s=None, client_cpu_s=None, span_s=1.0)


def ns(seconds: float | Seconds) -> npt.NDArray[np.int64]:
    return np.asarray(np.round(np.asarray(seconds) * 1e9), dtype=np.int64)


def delivery(
    seqs: Sequence[int] | npt.NDArray[np.int64],
    at_ns: npt.NDArray[np.int64] | None = None,
    subscriber: int = 0,
    member: int = 0,
    foreign: int = 0,
) -> Delivery:
    """What one consumer got, a millisecond apart where no times are given."""
    seq = np.asarray(seqs, dtype=np.int32)
    at = T0_NS + 10**9 + np.arange(len(seq)) * 1_000_000 if at_ns is None else at_ns
    return Delivery(subscriber, member, seq, at.astype(np.int64), foreign)


def segment(
    count: int,
    rate_per_s: float = 1000.0,
    *,
    late_s: float | Seconds = 0.0,
    latency_s: float | Seconds = 0.001,
    confirm_s: float | Seconds = 0.0005,
    deliveries: Sequence[Delivery] | None = None,
    first_seq: int = 0,
    subscribers: int = 1,
    unsent: Sequence[int] = (),
    unconfirmed: Sequence[int] = (),
    lost: Sequence[int] = (),
    key: Sequence[int] | npt.NDArray[np.int32] | None = None,
    size_bytes: int = 100,
    usage: Usage = IDLE,
    refusals: Mapping[str, int] | None = None,
    error: str = "",
    confirms: bool = True,
) -> Observation:
    """Evenly spaced messages, sent ``late_s`` after they were due, got ``latency_s`` after that.

    Lists name messages by index from 0. Unless ``deliveries`` are given, one consumer a subscriber
    gets all that was sent and is not ``lost``, in the order of arrival.
    """
    intended = T0_NS + ns(np.arange(count) / rate_per_s)
    sent = intended + ns(late_s)
    confirmed = sent + ns(confirm_s)
    received = sent + ns(latency_s)
    gone = [*unsent, *lost]
    got = np.setdiff1d(np.arange(count), np.array(gone, dtype=np.int64))
    order = got[np.argsort(received[got], kind="stable")]
    for never in (sent, confirmed):
        never[list(unsent)] = 0
    confirmed[list(unconfirmed)] = 0
    made = [delivery(order + first_seq, received[order], s) for s in range(subscribers)]
    return Observation(
        first_seq=first_seq,
        intended_ns=intended,
        sent_ns=sent,
        confirmed_ns=confirmed,
        key=np.zeros(count, np.int32) if key is None else np.asarray(key, dtype=np.int32),
        size_bytes=np.full(count, size_bytes, np.int32),
        subscribers=subscribers,
        deliveries=tuple(made if deliveries is None else deliveries),
        usage=usage,
        refusals=refusals or {},
        error=error,
        confirms=confirms,
    )
