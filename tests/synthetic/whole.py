"""The accounts of a segment by the plainest means: everything at once, in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import binned_statistic, linregress

from spikebench.candidate import Ordering
from spikebench.measure.observation import Indices, Nanoseconds, Observation
from spikebench.measure.rates import BINS, GROWTH_P


def first_received(seen: Observation, subscriber: int) -> Nanoseconds:
    """The first arrival of each message; 0 for never."""
    first = np.zeros(seen.messages, dtype=np.int64)
    mine = [d for d in seen.deliveries if d.subscriber == subscriber]
    if not mine:
        return first
    index = np.concatenate([d.seq for d in mine]).astype(np.int64) - seen.first_seq
    at = np.concatenate([d.received_ns for d in mine])
    ours = (index >= 0) & (index < len(first))
    index, at = index[ours], at[ours]
    latest_first = np.argsort(-at, kind="stable")
    first[index[latest_first]] = at[latest_first]
    return first


def lateness(seen: Observation) -> Nanoseconds:
    """What is the generator's own of each sent message's wait."""
    own = np.zeros(seen.messages, dtype=np.int64)
    free = seen.sent_ns[:-1]
    if len(seen.held_until_ns):
        free = np.maximum(free, seen.held_until_ns[1:])
    own[1:] = np.where(seen.intended_ns[1:] > seen.sent_ns[:-1], seen.sent_ns[1:] - free, 0)
    waits, own = (seen.sent_ns - seen.intended_ns)[seen.sent], np.cumsum(own[seen.sent])
    late: Nanoseconds = np.minimum.accumulate(waits - own) + own
    return late


def growth(seen: Observation) -> float:
    """The slope of the mean wait in a dozen bins of intended time."""
    arrived = np.concatenate([first_received(seen, s) for s in range(seen.subscribers)])
    due = np.tile(seen.intended_ns, seen.subscribers)
    got = arrived > 0
    if got.sum() < BINS:
        return 0.0
    since_s = (due[got] - int(seen.intended_ns[0])) / 1e9
    means, edges, _ = binned_statistic(since_s, (arrived[got] - due[got]) / 1e9, "mean", BINS)
    known = ~np.isnan(means)
    if known.sum() < BINS // 2:
        return 0.0
    centres = ((edges[1:] + edges[:-1]) / 2)[known]
    fit = linregress(centres.tolist(), means[known].tolist(), alternative="greater")
    return float(fit.slope) if fit.pvalue < GROWTH_P else 0.0


def reordered(seen: Observation, ordering: Ordering) -> int:
    """First arrivals after a later message of their key, or of their consumer's."""
    found = 0
    for arrivals in _sequences(seen, ordering):
        index = arrivals.astype(np.int64) - seen.first_seq
        index = index[(index >= 0) & (index < seen.messages)]
        _, first_at = np.unique(index, return_index=True)
        index = index[np.sort(first_at)]
        for group in np.unique(seen.key) if ordering == "key" else [None]:
            mine = index if group is None else index[seen.key[index] == group]
            found += int((mine < np.maximum.accumulate(mine)).sum()) if len(mine) else 0
    return found


def _sequences(seen: Observation, ordering: Ordering) -> list[Indices]:
    if ordering != "key":
        return [d.seq for d in seen.deliveries]
    return [_by_time(seen, subscriber) for subscriber in range(seen.subscribers)]


def _by_time(seen: Observation, subscriber: int) -> npt.NDArray[np.int32]:
    mine = [d for d in seen.deliveries if d.subscriber == subscriber]
    if not mine:
        return np.empty(0, np.int32)
    at = np.concatenate([d.received_ns for d in mine])
    return np.concatenate([d.seq for d in mine])[np.argsort(at, kind="stable")]
