import threading
import time
from collections import deque

import numpy as np
import pytest

from spikebench.load.body import parse
from spikebench.load.generator import Order
from spikebench.load.sender_loop import SenderLoop
from tests.synthetic.workload import TAG, cargo

FAR_S = 60.0


class Broker:
    """A sender that keeps what it is given and confirms when it is told to."""

    def __init__(self, loop: SenderLoop, confirm_on: str = "send") -> None:
        self.loop, self.confirm_on = loop, confirm_on
        self.bodies: list[bytes] = []
        self.seqs: list[int] = []
        self.waiting: deque[int] = deque()
        self.most_waiting = 0
        self.flushes = 0

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        assert key == b"key:0"
        self.seqs.append(seq)
        self.bodies.append(body)
        self.waiting.append(seq)
        self.most_waiting = max(self.most_waiting, len(self.waiting))
        if self.confirm_on == "send":
            self._confirm()

    def poll(self, timeout_s: float) -> None:
        if self.confirm_on == "poll":
            self._confirm()
        while self.confirm_on == "refuse" and self.waiting:
            self.loop.failed(self.waiting.popleft(), "full")
        time.sleep(min(timeout_s, 0.001))

    def flush(self) -> None:
        self.flushes += 1
        if self.confirm_on == "flush":
            self._confirm()

    def close(self) -> None:
        """There is no connection."""

    def _confirm(self) -> None:
        while self.waiting:
            self.loop.confirmed(self.waiting.popleft())


def order(
    offsets_s: list[float], first_seq: int = 0, length_s: float = FAR_S, confirm_s: float = 5.0
) -> Order:
    count, t0_ns = len(offsets_s), time.monotonic_ns() + 5_000_000
    return Order(
        first_seq=first_seq,
        t0_ns=t0_ns,
        deadline_ns=t0_ns + int(length_s * 1e9),
        confirm_timeout_s=confirm_s,
        offsets_ns=(np.array(offsets_s) * 1e9).astype(np.int64),
        template=np.zeros(count, np.int32),
        key=np.zeros(count, np.int32),
    )


def run(given: Order, confirm_on: str = "send", window: int = 1000) -> tuple[SenderLoop, Broker]:
    loop = SenderLoop(cargo(window))
    broker = Broker(loop, confirm_on)
    loop.load(given)
    loop.run(broker)
    return loop, broker


def test_each_message_is_sent_once_in_order_and_never_early() -> None:
    given = order([0.0, 0.01, 0.01, 0.03], first_seq=7)
    loop, broker = run(given)
    assert broker.seqs == [7, 8, 9, 10]
    assert (loop.sent_ns >= given.t0_ns + given.offsets_ns).all()
    assert (np.diff(loop.sent_ns) >= 0).all()
    assert (loop.confirmed_ns >= loop.sent_ns).all()


def test_a_body_carries_the_trial_its_number_and_its_actual_send() -> None:
    loop, broker = run(order([0.0, 0.002]))
    expected = [(TAG, seq, int(at)) for seq, at in enumerate(loop.sent_ns)]
    assert [parse(body) for body in broker.bodies] == expected


def test_no_more_than_the_window_is_ever_unconfirmed() -> None:
    loop, broker = run(order([0.0] * 100), confirm_on="poll", window=8)
    assert broker.most_waiting == 8
    assert loop.confirmed_count == 100


def test_a_full_window_pushes_out_what_is_gathered() -> None:
    loop, broker = run(order([0.0] * 50), confirm_on="flush", window=10)
    assert loop.confirmed_count == 50
    assert broker.flushes >= 5


def test_refusals_make_room_in_the_window_and_are_counted_by_reason() -> None:
    loop, broker = run(order([0.0] * 6), confirm_on="refuse", window=2)
    assert broker.most_waiting == 2
    assert (loop.sent, loop.failed_count, loop.confirmed_count) == (6, 6, 0)
    assert loop.refusals == {"full": 6}
    assert not loop.confirmed_ns.any()


def test_what_is_not_sent_by_the_deadline_stays_unsent() -> None:
    loop, broker = run(order([0.0] * 20, length_s=0.1, confirm_s=0.05), "never", window=5)
    assert broker.seqs == [0, 1, 2, 3, 4]
    assert (loop.sent_ns > 0).tolist() == [True] * 5 + [False] * 15
    assert loop.sent == 5


def test_the_last_confirms_are_waited_for_no_longer_than_asked() -> None:
    loop, _ = run(order([0.0] * 3, confirm_s=0.05), "never")
    assert (loop.sent, loop.confirmed_count) == (3, 0)


def test_of_repeated_confirms_the_first_counts_and_strangers_do_not() -> None:
    loop, _ = run(order([0.0, 0.0], first_seq=10))
    first = loop.confirmed_ns.copy()
    for seq in (10, 11, 9, 12, -1):
        loop.confirmed(seq)
    assert (loop.confirmed_ns == first).all()
    assert loop.confirmed_count == 2


def test_refusals_of_an_earlier_segment_are_not_of_this_one() -> None:
    loop, _ = run(order([0.0, 0.0]))
    loop.load(order([0.0, 0.0], first_seq=2))
    loop.failed(1, "late")
    assert (loop.failed_count, dict(loop.refusals)) == (0, {})
    loop.failed(2, "full")
    assert (loop.failed_count, dict(loop.refusals)) == (1, {"full": 1})


class Slow(Broker):
    """A client library whose every tenth call takes 30 ms; the others return at once."""

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        super().send(seq, key, body)
        if seq % 10 == 9:
            time.sleep(0.03)


def test_a_call_that_took_long_is_noted_with_the_message_behind_it() -> None:
    loop = SenderLoop(cargo())
    loop.load(order([0.001 * i for i in range(30)]))
    loop.run(Slow(loop))
    held = np.flatnonzero(loop.held_until_ns)
    assert {10, 20} <= set(held.tolist())
    assert (loop.held_until_ns[[10, 20]] >= loop.sent_ns[[9, 19]] + 30_000_000).all()
    assert (loop.held_until_ns[held] <= loop.sent_ns[held]).all()


def test_waiting_for_room_in_the_window_is_noted_until_there_was_some() -> None:
    loop, _ = run(order([0.0] * 30), confirm_on="poll", window=10)
    held = np.flatnonzero(loop.held_until_ns)
    assert {10, 20} <= set(held.tolist())
    assert (loop.held_until_ns[held] >= loop.sent_ns[held - 1]).all()
    assert (loop.held_until_ns[held] <= loop.sent_ns[held]).all()


def test_a_new_order_starts_anew() -> None:
    loop, broker = run(order([0.0] * 3))
    loop.load(order([0.0] * 2, first_seq=3))
    assert (loop.sent, loop.confirmed_count, loop.done) == (0, 0, False)
    loop.run(broker)
    assert broker.seqs == [0, 1, 2, 3, 4]
    assert len(loop.sent_ns) == 2
    assert loop.sent_ns.all()


@pytest.mark.parametrize("confirm_on", ["send", "never"])
def test_it_can_be_abandoned_while_it_waits(confirm_on: str) -> None:
    loop = SenderLoop(cargo(window=1))
    broker = Broker(loop, confirm_on)
    loop.load(order([0.0, 3600.0], length_s=7200.0, confirm_s=3600.0))
    thread = threading.Thread(target=loop.run, args=(broker,))
    thread.start()
    loop.abandon()
    thread.join(timeout=30)
    assert not thread.is_alive()
