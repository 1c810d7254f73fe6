"""The account of every message: sent, confirmed, delivered, lost, duplicated, reordered."""

from __future__ import annotations

import numpy as np

from spikebench.candidate import Ordering
from spikebench.measure.observation import Indices, Observation
from spikebench.measure.outcome import Ledger


def account(seen: Observation, ordering: Ordering) -> Ledger:
    """Account for every message of a segment.

    Order is judged per key over all of a subscriber's consumers where ``ordering`` is ``key``, and
    else over what each single consumer got: what was seen is worth knowing even where nothing was
    promised.
    """
    confirmed = seen.confirmed
    per_subscriber = [_arrivals(seen, subscriber) for subscriber in range(seen.subscribers)]
    delivered = [np.isin(_all(seen), arrivals) for arrivals in per_subscriber]
    distinct = sum(int(got.sum()) for got in delivered)
    return Ledger(
        sent=int(seen.sent.sum()),
        confirmed=int(confirmed.sum()),
        failed=sum(seen.refusals.values()),
        expected=int(confirmed.sum()) * seen.subscribers,
        delivered=distinct,
        lost=sum(int((confirmed & ~got).sum()) for got in delivered),
        duplicated=sum(len(arrivals) for arrivals in per_subscriber) - distinct,
        reordered=sum(_reordered(seen, a, ordering) for a in _sequences(seen, ordering)),
        foreign=sum(delivery.foreign for delivery in seen.deliveries),
    )


def _sequences(seen: Observation, ordering: Ordering) -> list[Indices]:
    """The arrivals within which order is judged, each in the order of arrival."""
    if ordering != "key":
        return [d.seq for d in seen.deliveries]
    return [_by_time(seen, subscriber) for subscriber in range(seen.subscribers)]


def _by_time(seen: Observation, subscriber: int) -> Indices:
    mine = [d for d in seen.deliveries if d.subscriber == subscriber]
    if not mine:
        return np.empty(0, np.int32)
    at = np.concatenate([d.received_ns for d in mine])
    return np.concatenate([d.seq for d in mine])[np.argsort(at, kind="stable")]


def _all(seen: Observation) -> Indices:
    return np.arange(seen.first_seq, seen.first_seq + len(seen.intended_ns), dtype=np.int32)


def _arrivals(seen: Observation, subscriber: int) -> Indices:
    parts = [d.seq for d in seen.deliveries if d.subscriber == subscriber]
    everything = np.concatenate(parts) if parts else np.empty(0, np.int32)
    last = seen.first_seq + len(seen.intended_ns)
    return everything[(everything >= seen.first_seq) & (everything < last)]


def _reordered(seen: Observation, arrivals: Indices, ordering: Ordering) -> int:
    """First arrivals that came after a later message of the same key (or queue) at one consumer."""
    index = arrivals - seen.first_seq
    index = index[(index >= 0) & (index < len(seen.intended_ns))]
    _, first_at = np.unique(index, return_index=True)
    index = index[np.sort(first_at)]
    groups = seen.key[index] if ordering == "key" else np.zeros(len(index), np.int32)
    by_group = np.argsort(groups, kind="stable")
    index, groups = index[by_group].astype(np.int64), groups[by_group].astype(np.int64)
    lifted = index + groups * (len(seen.intended_ns) + 1)
    latest_so_far = np.maximum.accumulate(lifted) if len(lifted) else lifted
    return int((lifted < latest_so_far).sum())
