"""A segment over time, in bins: messages a second, the longest wait, and what never came."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spikebench.measure.observation import Nanoseconds, Observation

WIDTHS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""How wide bins may be, in seconds; the finest that needs no more than ``MOST_BINS`` is taken."""

MOST_BINS = 150

Values = npt.NDArray[np.signedinteger[Any]] | npt.NDArray[np.floating[Any]]


def over_time(seen: Observation) -> dict[str, list[float]]:
    """Return a segment's series, each but the last two with a value a bin, to three decimals.

    ``t``: where each bin begins, in s from the first intended send; all are of one width, the last
    holds the last send, confirm or first delivery. ``sent_per_s``, ``confirmed_per_s`` (only where
    confirms were asked for), ``delivered_per_s``: messages a second by when they were sent,
    confirmed and first delivered, the last as the mean over subscribers. ``undelivered``: how many
    of the messages *due* in the bin were sent, and some subscriber never got.
    ``end_to_end_max_ms``: the longest wait, from the intended send to the consumer's hands, of the
    messages *due* in the bin that begins at ``due_t``; bins of which none arrived are left out.
    """
    received = np.stack([seen.first_received_ns(s) for s in range(seen.subscribers)])
    start = int(seen.intended_ns[0])
    stamps = (seen.intended_ns, seen.sent_ns, seen.confirmed_ns, received)
    span_ns = max(int(stamp.max()) for stamp in stamps) - start
    width_s = _width_s(span_ns / 1e9)
    width_ns = round(width_s * 1e9)
    count = span_ns // width_ns + 1

    def counts(at: Nanoseconds) -> npt.NDArray[np.int64]:
        return np.bincount((at - start) // width_ns, minlength=count)

    due = (seen.intended_ns - start) // width_ns
    gone = seen.sent & (received == 0).any(axis=0)
    longest_ns = np.full(count, -1, dtype=np.int64)
    for at in received:
        got = at > 0
        np.maximum.at(longest_ns, due[got], (at - seen.intended_ns)[got])
    known = counts(seen.intended_ns[(received > 0).any(axis=0)]) > 0
    t = np.arange(count) * width_s
    confirmed = counts(seen.confirmed_ns[seen.confirmed]) / width_s
    delivered = counts(received[received > 0]) / width_s / seen.subscribers
    return {
        "t": _rounded(t),
        "sent_per_s": _rounded(counts(seen.sent_ns[seen.sent]) / width_s),
        **({"confirmed_per_s": _rounded(confirmed)} if seen.confirms else {}),
        "delivered_per_s": _rounded(delivered),
        "undelivered": _rounded(counts(seen.intended_ns[gone])),
        "due_t": _rounded(t[known]),
        "end_to_end_max_ms": _rounded(longest_ns[known] / 1e6),
    }


def _width_s(span_s: float) -> float:
    return next((width for width in WIDTHS_S if span_s < MOST_BINS * width), WIDTHS_S[-1])


def _rounded(values: Values) -> list[float]:
    return [round(float(value), 3) for value in values]
