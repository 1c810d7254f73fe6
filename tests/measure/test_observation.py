import numpy as np

from tests.synthetic.segment import T0_NS, delivery, segment


def test_of_repeats_the_first_arrival_counts() -> None:
    times = np.array([50, 10, 30, 20]) + T0_NS
    seen = segment(3, deliveries=[delivery([0, 0, 1, 0], times)])
    assert seen.first_received_ns(0).tolist() == [T0_NS + 10, T0_NS + 30, 0]


def test_arrivals_at_all_consumers_of_a_subscriber_count_and_no_others() -> None:
    at = np.array([T0_NS + 5])
    seen = segment(
        3,
        first_seq=10,
        subscribers=2,
        deliveries=[delivery([10], at), delivery([12], at, member=1), delivery([11], at, 1)],
    )
    assert (seen.first_received_ns(0) > 0).tolist() == [True, False, True]
    assert (seen.first_received_ns(1) > 0).tolist() == [False, True, False]


def test_messages_of_other_segments_are_not_taken_for_ours() -> None:
    at = np.array([1, 2, 3]) + T0_NS
    seen = segment(1, first_seq=7, deliveries=[delivery([6, 8, 7], at)])
    assert seen.first_received_ns(0).tolist() == [T0_NS + 3]


def test_a_subscriber_that_got_nothing_has_no_times() -> None:
    assert segment(2, deliveries=[]).first_received_ns(0).tolist() == [0, 0]
