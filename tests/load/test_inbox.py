import threading

from spikebench.load.body import BLANK, patch
from spikebench.load.inbox import Inbox

TAG = 42
TEMPLATE = BLANK + b'"a":1}'


def body(seq: int, tag: int = TAG) -> bytes:
    return patch(TEMPLATE, tag, seq, 1_000)


def test_bodies_come_out_in_the_order_they_came_in() -> None:
    inbox = Inbox(2, 1, TAG)
    inbox.deliver([body(5), body(3)])
    inbox.deliver([body(4)])
    found = inbox.empty()
    assert (found.subscriber, found.member) == (2, 1)
    assert found.seq.tolist() == [5, 3, 4]
    assert found.received_ns[0] == found.received_ns[1] <= found.received_ns[2]


def test_emptying_forgets() -> None:
    inbox = Inbox(0, 0, TAG)
    inbox.deliver([body(0)])
    assert inbox.empty().seq.tolist() == [0]
    inbox.deliver([body(1), b"short"])
    second = inbox.empty()
    assert (second.seq.tolist(), second.foreign) == ([1], 1)
    third = inbox.empty()
    assert (third.seq.tolist(), third.foreign) == ([], 0)


def test_what_is_not_of_this_trial_is_foreign_and_of_no_number() -> None:
    inbox = Inbox(0, 0, TAG)
    inbox.deliver([b"", b"short", b"x" * 100, body(1, tag=TAG + 1), body(2)])
    found = inbox.empty()
    assert (found.seq.tolist(), found.foreign) == ([2], 4)
    assert len(found.received_ns) == 1


def test_the_count_goes_on_when_it_is_emptied() -> None:
    inbox = Inbox(0, 0, TAG)
    inbox.deliver([body(0), body(1)])
    inbox.empty()
    inbox.deliver([body(2)])
    assert inbox.count == 3


def test_nothing_is_lost_between_threads() -> None:
    inbox, total, parts = Inbox(0, 0, TAG), 30_000, []

    def write() -> None:
        for seq in range(total):
            inbox.deliver([body(seq), b"short"])

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        parts.append(inbox.empty())
    writer.join()
    parts.append(inbox.empty())
    assert [seq for part in parts for seq in part.seq.tolist()] == list(range(total))
    assert sum(part.foreign for part in parts) == total
