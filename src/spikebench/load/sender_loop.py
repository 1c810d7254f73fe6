"""The Python sending loop: an open schedule, a window of unconfirmed messages, and the times."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from spikebench.load.body import patch
from spikebench.load.driver import Sender

if TYPE_CHECKING:
    from spikebench.load.generator import Cargo, Order

POLL_EVERY = 64
"""Messages sent back to back before the client library is given a chance to take confirms in."""

LONGEST_WAIT_S = 0.05

LONG_CALL_NS = 20_000_000
"""A send that takes this long was held up by the client library; a shorter one may as well have
been interrupted by the scheduler, which is the generator's own."""


class SenderLoop:
    """Sends one order after another; is the ``Confirms`` its sender reports to."""

    def __init__(self, cargo: Cargo) -> None:
        self._cargo = cargo
        self._abandoned = threading.Event()
        self._order: Order | None = None
        self.refusals: Counter[str] = Counter()
        self.sent = self.confirmed_count = self.failed_count = 0
        self.sent_ns = self.confirmed_ns = self.held_until_ns = np.empty(0, np.int64)
        self._called_ns = 0
        self._first_seq = 0
        self._confirmed = self.confirmed_ns.data
        self.done = True

    def load(self, order: Order) -> None:
        """Make ready for ``order``; counters and times start anew."""
        self._order = order
        self.refusals = Counter()
        self.sent = self.confirmed_count = self.failed_count = 0
        self.sent_ns = np.zeros(len(order.offsets_ns), np.int64)
        self.confirmed_ns = np.zeros(len(order.offsets_ns), np.int64)
        self.held_until_ns = np.zeros(len(order.offsets_ns), np.int64)
        self._first_seq = order.first_seq
        self._confirmed = self.confirmed_ns.data  # one at a time, twice as fast as the array
        self.done = False

    def abandon(self) -> None:
        """Make ``run`` return soon."""
        self._abandoned.set()

    def confirmed(self, seq: int) -> None:
        """Note when the broker took responsibility; of repeats the first counts."""
        index, confirmed_ns = seq - self._first_seq, self._confirmed
        if 0 <= index < len(confirmed_ns) and not confirmed_ns[index]:
            confirmed_ns[index] = time.monotonic_ns()
            self.confirmed_count += 1

    def failed(self, seq: int, reason: str) -> None:
        """Count a refusal by its reason; one of an earlier segment is not of this one."""
        if 0 <= seq - self._first_seq < len(self.confirmed_ns):
            self.refusals[reason] += 1
            self.failed_count += 1

    def run(self, sender: Sender) -> None:
        """Send the loaded order and wait for its confirms."""
        order = self._order
        assert order is not None, "load() comes first"
        self._send_all(sender, order)
        sender.flush()
        self._await_confirms(sender, order)

    @property
    def _outstanding(self) -> int:
        return self.sent - self.confirmed_count - self.failed_count

    def _send_all(self, sender: Sender, order: Order) -> None:
        templates, keys, tag = self._cargo.templates, self._cargo.keys, self._cargo.tag
        due = (order.offsets_ns + order.t0_ns).tolist()
        which, key = order.template.tolist(), order.key.tolist()
        first, sent_ns, now = order.first_seq, self.sent_ns.data, time.monotonic_ns
        self._called_ns = now()
        for i, at in enumerate(due):
            sent_at = now()
            if not self._goes_at(sent_at, at, order.deadline_ns):
                if not self._wait_until(sender, i, at, order.deadline_ns):
                    return
                sent_at = now()
            sent_ns[i] = self._called_ns = sent_at
            self.sent = i + 1
            sender.send(
                first + i, keys[key[i]], patch(templates[which[i]], tag, first + i, sent_at)
            )
            if i % POLL_EVERY == POLL_EVERY - 1:
                sender.poll(0)

    def _goes_at(self, now: int, due_ns: int, deadline_ns: int) -> bool:
        """Whether a message goes without waiting, and nothing held it back."""
        return (
            due_ns <= now < deadline_ns
            and now - self._called_ns < LONG_CALL_NS
            and self._outstanding < self._cargo.confirm_window
            and not self._abandoned.is_set()
        )

    def _wait_until(self, sender: Sender, i: int, due_ns: int, deadline_ns: int) -> bool:
        """Wait for the time and for room in the window; False once there is no use in sending.

        Notes until when the client or the window held message ``i`` back.
        """
        held = time.monotonic_ns() - self._called_ns >= LONG_CALL_NS
        while True:
            now = time.monotonic_ns()
            if held:
                self.held_until_ns[i] = now
            if now >= deadline_ns or self._abandoned.is_set():
                return False
            held = full = self._outstanding >= self._cargo.confirm_window
            if full:
                sender.flush()
            elif now >= due_ns:
                return True
            wait_ns = deadline_ns - now if full else due_ns - now
            sender.poll(min(wait_ns / 1e9, LONGEST_WAIT_S))

    def _await_confirms(self, sender: Sender, order: Order) -> None:
        until = time.monotonic() + order.confirm_timeout_s
        while self._outstanding > 0 and time.monotonic() < until and not self._abandoned.is_set():
            sender.poll(LONGEST_WAIT_S)
