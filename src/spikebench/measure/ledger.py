"""The account of every message: sent, confirmed, delivered, lost, duplicated, reordered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from spikebench.candidate import Ordering
from spikebench.measure.column import Joined, column, parts
from spikebench.measure.observation import (
    Delivery,
    Flags,
    Indices,
    Observation,
    Places,
    placed,
)
from spikebench.measure.outcome import Ledger


def account(seen: Observation, ordering: Ordering) -> Ledger:
    """Account for every message of a segment.

    Order is judged per key over all of a subscriber's consumers where ``ordering`` is ``key``, and
    else over what each single consumer got: what was seen is worth knowing even where nothing was
    promised.
    """
    confirmed = seen.confirmed
    arrived = [_arrived(seen, subscriber) for subscriber in range(seen.subscribers)]
    distinct = sum(int(got.sum()) for got, _ in arrived)
    return Ledger(
        sent=int(seen.sent.sum()),
        confirmed=int(confirmed.sum()),
        failed=sum(seen.refusals.values()),
        expected=int(confirmed.sum()) * seen.subscribers,
        delivered=distinct,
        lost=sum(int((confirmed & ~got).sum()) for got, _ in arrived),
        duplicated=sum(count for _, count in arrived) - distinct,
        reordered=sum(_reordered(seen, a, ordering) for a in _sequences(seen, ordering)),
        foreign=sum(delivery.foreign for delivery in seen.deliveries),
    )


def _arrived(seen: Observation, subscriber: int) -> tuple[Flags, int]:
    """Which messages a subscriber got, and how many arrivals there were of them."""
    got, count = np.zeros(seen.messages, dtype=np.bool_), 0
    for place, _ in seen.received_by(subscriber):
        got[place] = True
        count += len(place)
    return got, count


def _sequences(seen: Observation, ordering: Ordering) -> Iterator[Indices]:
    """The arrivals within which order is judged, each in the order of arrival."""
    if ordering != "key":
        yield from (delivery.seq for delivery in seen.deliveries)
        return
    for subscriber in range(seen.subscribers):
        yield _by_time([d for d in seen.deliveries if d.subscriber == subscriber])


def _by_time(deliveries: Sequence[Delivery]) -> Indices:
    """What a subscriber's consumers got, in the order of arrival, as each of them is already."""
    at = Joined([column(d, "received_ns") for d in deliveries], np.int64)[:]
    seq = Joined([column(d, "seq") for d in deliveries], np.int32)[:]
    return seq if (at[1:] >= at[:-1]).all() else seq[np.argsort(at, kind="stable")]


def _reordered(seen: Observation, arrivals: Indices, ordering: Ordering) -> int:
    """First arrivals that came after a later message of the same key (or queue) at one consumer."""
    known = np.zeros(seen.messages, dtype=np.bool_)
    key = seen.key if ordering == "key" else np.zeros(seen.messages, np.int8)
    latest = np.full(int(key.max(initial=0)) + 1, -1, dtype=np.int64)
    late = 0
    for part in parts(len(arrivals)):
        place, ours = placed(arrivals[part], seen.first_seq, seen.messages)
        index = _first_ones(place[ours], known)
        late += _overtaken(index, key[index].astype(np.int64), latest)
    return late


def _first_ones(index: Places, known: Flags) -> Places:
    """Those of ``index`` that did not come before, in their order; all are ``known`` afterwards."""
    _, first_at = np.unique(index, return_index=True)
    first = index[np.sort(first_at)]
    first = first[~known[first]]
    known[first] = True
    return first


def _overtaken(index: Places, groups: Places, latest: Places) -> int:
    """How many came after a later one of their group; ``latest`` is each group's so far."""
    by_group = np.argsort(groups, kind="stable")
    index, groups = index[by_group], groups[by_group]
    lift = groups * (int(index.max(initial=0)) + 1)  # so that no group's maximum reaches the next
    before = np.maximum(np.maximum.accumulate(index + lift) - lift, latest[groups])
    np.maximum.at(latest, groups, index)
    return int((index < before).sum())
