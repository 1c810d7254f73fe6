import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebench.candidate import Ordering
from spikebench.measure.ledger import account
from spikebench.measure.observation import Observation
from tests.synthetic.segment import T0_NS, delivery, segment

ORDERINGS: list[Ordering] = ["none", "key", "queue"]


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_a_flawless_segment_balances(ordering: Ordering) -> None:
    found = account(segment(100, subscribers=3), ordering)
    assert (found.sent, found.confirmed, found.failed) == (100, 100, 0)
    assert (found.expected, found.delivered) == (300, 300)
    assert (found.lost, found.duplicated, found.reordered, found.foreign) == (0, 0, 0, 0)


def test_each_subscriber_that_misses_a_confirmed_message_counts() -> None:
    seen = segment(
        5, subscribers=2, deliveries=[delivery([0, 1, 2, 4]), delivery([0, 4], subscriber=1)]
    )
    found = account(seen, "queue")
    assert (found.expected, found.delivered, found.lost) == (10, 6, 4)


def test_what_was_never_confirmed_is_not_lost_and_may_arrive_all_the_same() -> None:
    seen = segment(5, unconfirmed=[1, 2], deliveries=[delivery([0, 2, 3, 4])])
    found = account(seen, "queue")
    assert (found.sent, found.confirmed, found.expected) == (5, 3, 3)
    assert (found.delivered, found.lost) == (4, 0)


def test_what_was_never_sent_is_nowhere() -> None:
    found = account(segment(10, unsent=[8, 9], refusals={"full": 2, "shut": 1}), "none")
    assert (found.sent, found.confirmed, found.delivered, found.lost) == (8, 8, 8, 0)
    assert found.failed == 3


def test_repeats_are_duplicates_and_not_reordered() -> None:
    found = account(segment(4, deliveries=[delivery([0, 1, 0, 2, 3, 3, 3])]), "queue")
    assert (found.delivered, found.duplicated, found.reordered) == (4, 3, 0)


def test_a_repeat_at_another_consumer_of_the_same_subscriber_is_a_duplicate() -> None:
    seen = segment(2, deliveries=[delivery([0, 1]), delivery([1], member=1)])
    assert account(seen, "none").duplicated == 1


def test_messages_of_other_segments_are_left_out() -> None:
    seen = segment(3, first_seq=100, deliveries=[delivery([99, 100, 101, 102, 103], foreign=7)])
    found = account(seen, "queue")
    assert (found.delivered, found.duplicated, found.reordered, found.foreign) == (3, 0, 0, 7)


@pytest.mark.parametrize(
    ("arrivals", "late"), [([0, 1, 2, 3], 0), ([1, 0, 2, 3], 1), ([3, 0, 1, 2], 3), ([0, 3, 2], 1)]
)
def test_arrivals_after_a_later_message_of_the_queue_are_reordered(
    arrivals: list[int], late: int
) -> None:
    assert account(segment(4, deliveries=[delivery(arrivals)]), "queue").reordered == late


def test_order_per_key_ignores_other_keys() -> None:
    arrivals = [delivery([2, 3, 0, 1])]
    seen = segment(4, key=[0, 0, 1, 1], deliveries=arrivals)
    assert account(seen, "key").reordered == 0
    assert account(seen, "queue").reordered == 2
    assert account(segment(4, key=[0, 1, 0, 1], deliveries=arrivals), "key").reordered == 2


def test_order_per_key_is_judged_over_all_consumers_of_a_subscriber() -> None:
    early, late = np.array([T0_NS + 10]), np.array([T0_NS + 20])
    swapped = [delivery([1], early), delivery([0], late, member=1)]
    assert account(segment(2, deliveries=swapped), "key").reordered == 1
    assert account(segment(2, deliveries=swapped), "none").reordered == 0


def test_subscribers_are_judged_apart() -> None:
    early, late = np.array([T0_NS + 10]), np.array([T0_NS + 20])
    seen = segment(
        2, subscribers=2, deliveries=[delivery([1], early), delivery([0], late, subscriber=1)]
    )
    assert account(seen, "key").reordered == 0


def test_nothing_arrived_at_all() -> None:
    found = account(segment(3, deliveries=[]), "key")
    assert (found.delivered, found.lost, found.reordered) == (0, 3, 0)


@st.composite
def segments(draw: st.DrawFn) -> Observation:
    count = draw(st.integers(1, 40))
    numbers = st.lists(st.integers(0, count - 1), max_size=3 * count)
    subscribers = draw(st.integers(1, 3))
    return segment(
        count,
        subscribers=subscribers,
        unconfirmed=draw(st.lists(st.integers(0, count - 1), unique=True)),
        key=draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)),
        deliveries=[delivery(draw(numbers), subscriber=s) for s in range(subscribers)],
        first_seq=0,
    )


@given(segments(), st.sampled_from(ORDERINGS))
def test_the_books_balance_whatever_arrives(seen: Observation, ordering: Ordering) -> None:
    found = account(seen, ordering)
    arrived = [set(d.seq.tolist()) for d in seen.deliveries]
    confirmed = set(np.flatnonzero(seen.confirmed).tolist())
    unpromised = sum(len(got - confirmed) for got in arrived)
    assert found.expected == found.lost + found.delivered - unpromised
    assert found.delivered + found.duplicated == sum(len(d.seq) for d in seen.deliveries)
    assert found.reordered <= found.delivered


@given(segments(), st.sampled_from(ORDERINGS))
def test_reordered_is_what_counting_one_by_one_gives(seen: Observation, ordering: Ordering) -> None:
    late = 0
    for one in seen.deliveries:
        met: set[int] = set()
        latest: dict[int, int] = {}
        for seq in one.seq.tolist():
            if seq in met:
                continue
            met.add(seq)
            group = int(seen.key[seq]) if ordering == "key" else 0
            late += seq < latest.get(group, -1)
            latest[group] = max(seq, latest.get(group, -1))
    assert account(seen, ordering).reordered == late


@given(st.integers(2, 60), st.integers(2, 6), st.randoms(use_true_random=False))
def test_shuffling_keys_against_each_other_reorders_nothing(
    count: int, keys: int, rng: "np.random.Generator"
) -> None:
    key = [seq % keys for seq in range(count)]
    lines = {k: [seq for seq in range(count) if key[seq] == k] for k in range(keys)}
    arrivals = []
    while any(lines.values()):
        arrivals.append(lines[rng.choice([k for k in lines if lines[k]])].pop(0))
    seen = segment(count, key=key, deliveries=[delivery(arrivals)])
    assert account(seen, "key").reordered == 0
