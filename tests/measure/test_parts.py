"""An account made part by part, from files, is the one that is made of all at once."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import linregress

from spikebench.candidate import Ordering
from spikebench.measure import column as column_module
from spikebench.measure.column import Joined, column
from spikebench.measure.latency import latencies
from spikebench.measure.ledger import account
from spikebench.measure.observation import Delivery, Observation
from spikebench.measure.rates import BINS, growth, rising
from spikebench.measure.spool import Spool
from tests.synthetic import whole
from tests.synthetic.segment import T0_NS, delivery, segment

ORDERINGS: list[Ordering] = ["none", "key", "queue"]
PART = 7


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_module, "PART", PART)


def random_segment(seed: int) -> Observation:
    """Anything may happen in it: repeats, losses, strangers, disorder, stalls, many consumers."""
    rng = np.random.default_rng(seed)
    count, subscribers, members = (int(rng.integers(1, most)) for most in (120, 3, 4))
    sent_s = np.maximum.accumulate(rng.exponential(0.002, count))
    deliveries = []
    for consumer in range(subscribers * members):
        seq = rng.integers(95, 105 + count, size=int(rng.integers(0, count + 1)))
        at = T0_NS + np.sort(rng.integers(10**6, 10**9, size=len(seq)))
        deliveries.append(delivery(seq, at, consumer // members, consumer % members))
    unsent = range(int(rng.integers(0, count + 1)), count)
    made = segment(
        count,
        first_seq=100,
        late_s=sent_s,
        subscribers=subscribers,
        deliveries=deliveries,
        unsent=unsent,
        unconfirmed=np.flatnonzero(rng.random(count) < 0.2).tolist(),
        key=rng.integers(0, 5, count).astype(np.int32),
    )
    held = np.where(rng.random(count) < 0.3, made.intended_ns + 500_000, 0)
    return replace(made, held_until_ns=held) if rng.random() < 0.7 else made


def spooled(seen: Observation, folder: Path) -> Observation:
    """The same with every array in a file."""
    spool = Spool.new(folder)
    return replace(
        seen,
        intended_ns=spool.keep(column(seen, "intended_ns"), np.int64),
        sent_ns=spool.keep(column(seen, "sent_ns"), np.int64),
        confirmed_ns=spool.keep(column(seen, "confirmed_ns"), np.int64),
        held_until_ns=spool.keep(column(seen, "held_until_ns"), np.int64),
        key=spool.keep(column(seen, "key"), np.int32),
        size_bytes=spool.keep(column(seen, "size_bytes"), np.int32),
        deliveries=tuple(
            replace(
                d,
                seq=spool.keep(column(d, "seq"), np.int32),
                received_ns=spool.keep(column(d, "received_ns"), np.int64),
            )
            for d in seen.deliveries
        ),
    )


@given(st.integers(0, 2**32 - 1))
def test_every_account_is_that_of_all_at_once(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    seen = random_segment(seed)
    kept = spooled(seen, tmp_path_factory.getbasetemp())
    received = [whole.first_received(seen, s) for s in range(seen.subscribers)]
    for s, at in enumerate(received):
        assert kept.first_received_ns(s).tolist() == at.tolist()
    found = latencies(kept)
    assert found["lateness"].tolist() == whole.lateness(seen).tolist()
    both = seen.confirmed & seen.sent
    assert found["publish"].tolist() == (seen.confirmed_ns - seen.sent_ns)[both].tolist()
    for name, since in (("service", seen.sent_ns), ("end_to_end", seen.intended_ns)):
        waits = np.concatenate([(at - since)[at > 0] for at in received])
        assert found[name].tolist() == waits.tolist()
    assert growth(kept) == pytest.approx(whole.growth(seen))
    for ordering in ORDERINGS:
        ledger = account(kept, ordering)
        assert ledger == account(seen, ordering)
        assert ledger.reordered == whole.reordered(seen, ordering)
        assert ledger.lost == sum(int((seen.confirmed & (at == 0)).sum()) for at in received)


@given(st.lists(st.integers(-1_000, 1_000), min_size=3, max_size=BINS))
def test_a_line_is_that_of_scipy(y: list[int]) -> None:
    assume(len(set(y)) > 1)
    x = np.arange(len(y)) * 0.05 + 0.025
    slope, p = rising(x, np.array(y, np.float64))
    fit = linregress(x, y, alternative="greater")
    assert slope == pytest.approx(fit.slope, rel=1e-9, abs=1e-9)
    assert p == pytest.approx(fit.pvalue, rel=1e-6, abs=1e-9)


def test_a_flat_line_does_not_rise() -> None:
    assert rising(np.arange(12.0), np.full(12, 0.001)) == (0.0, 0.5)


@given(st.lists(st.integers(0, 20), max_size=6), st.integers(0, 60), st.integers(0, 60))
def test_joined_columns_are_as_one_array(lengths: list[int], start: int, stop: int) -> None:
    ends = np.cumsum([0, *lengths])
    pieces = [np.arange(a, b, dtype=np.int32) for a, b in pairwise(ends.tolist())]
    joined = Joined(pieces, np.int32)
    assert len(joined) == ends[-1]
    assert joined[:].tolist() == list(range(ends[-1]))
    assert joined[start:stop].tolist() == list(range(ends[-1]))[start:stop]
    assert joined[:].dtype == np.int32


def test_a_spool_has_no_name_and_holds_what_it_was_given(tmp_path: Path) -> None:
    spool = Spool.new(tmp_path)
    first = spool.keep(np.arange(20), np.int64)
    second = spool.keep(np.arange(5), np.int32)
    nothing = spool.keep(np.empty(0, np.int32), np.int32)
    del spool
    assert list(tmp_path.iterdir()) == []
    assert first[:].tolist() == list(range(20))
    assert first[3:9].tolist() == list(range(3, 9))
    assert second[:].tolist() == list(range(5))
    assert second[:].dtype == np.dtype(np.int32)
    assert (len(nothing), nothing[:].tolist()) == (0, [])


def test_a_spool_that_is_cut_short_is_an_error_and_no_zeros(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"\1" * 12)
    cut = Spool(tmp_path / "short").column(0, 2, np.int64)
    with pytest.raises(OSError, match="4 too early"):
        cut[:]


def test_an_array_that_was_not_given_is_empty_and_one_that_must_be_is_missed() -> None:
    assert len(segment(3).held_until_ns) == 0
    with pytest.raises(TypeError, match="received_ns"):
        Delivery(subscriber=0, member=0, seq=np.arange(3, dtype=np.int32))
