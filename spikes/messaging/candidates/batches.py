"""Sending in batches through blocking calls: gather, carry in threads, settle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from spikebench.load.driver import Confirms, Wiring


class Message(NamedTuple):
    """One message on its way."""

    seq: int
    key: bytes
    body: bytes


Carry = Callable[[Sequence[Message]], Mapping[int, str]]
"""One call that takes a batch somewhere; returns the refused messages' places and reasons."""


class Batch:
    """Messages on their way to one or more destinations, settled when all have answered.

    A message is confirmed when every destination took it, and failed once when any refused it.
    """

    def __init__(self, messages: Sequence[Message], destinations: int, confirms: Confirms) -> None:
        self.messages = messages
        self._open = destinations
        self._confirms = confirms
        self._refused: dict[int, str] = {}
        self._lock = threading.Lock()

    def answer(self, refused: Mapping[int, str]) -> bool:
        """Take one destination's answer; return whether it was the last and settled the batch."""
        with self._lock:
            self._refused.update(refused)
            self._open -= 1
            if self._open:
                return False
        for place, message in enumerate(self.messages):
            if place in self._refused:
                self._confirms.failed(message.seq, self._refused[place])
            else:
                self._confirms.confirmed(message.seq)
        return True


class BatchSender:
    """A ``Sender`` over blocking calls that take several messages.

    Each of ``destinations`` gets every batch. With ``in_flight`` 1 a destination's batches go one
    after another, which keeps their order; else up to so many at once.
    """

    def __init__(
        self,
        wiring: Wiring,
        confirms: Confirms,
        destinations: Sequence[Carry],
        *,
        largest_batch: int,
        largest_bytes: int,
        in_flight: int,
    ) -> None:
        self._confirms = confirms
        self._most = min(wiring.batch_messages, largest_batch)
        self._most_bytes = min(wiring.batch_bytes, largest_bytes)
        self._linger_s = wiring.linger_ms / 1000
        self._lanes = [(carry, ThreadPoolExecutor(in_flight)) for carry in destinations]
        self._gathered: list[Message] = []
        self._bytes = 0
        self._due = 0.0
        self._answered = threading.Event()

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        """Gather one message; send the batch when it is full."""
        if self._gathered and self._bytes + len(body) > self._most_bytes:
            self.flush()
        if not self._gathered:
            self._due = time.monotonic() + self._linger_s
        self._gathered.append(Message(seq, key, body))
        self._bytes += len(body)
        if len(self._gathered) >= self._most:
            self.flush()

    def poll(self, timeout_s: float) -> None:
        """Send the batch if it has lingered long enough, and wait for an answer."""
        wait_s = timeout_s
        if self._gathered:
            wait_s = min(timeout_s, max(self._due - time.monotonic(), 0.0))
            self._flush_if_due()
        if wait_s > 0:
            self._answered.wait(wait_s)
            self._flush_if_due()
        self._answered.clear()

    def flush(self) -> None:
        """Send the batch as it is."""
        if not self._gathered:
            return
        batch = Batch(self._gathered, len(self._lanes), self._confirms)
        self._gathered, self._bytes = [], 0
        for carry, lane in self._lanes:
            lane.submit(self._take, carry, batch)

    def close(self) -> None:
        """Send what is gathered, wait for all answers, and end the threads."""
        self.flush()
        for _, lane in self._lanes:
            lane.shutdown(wait=True)

    def _flush_if_due(self) -> None:
        if self._gathered and time.monotonic() >= self._due:
            self.flush()

    def _take(self, carry: Carry, batch: Batch) -> None:
        """Carry a batch in a lane's thread; an error refuses all of it.

        Any error: one that died with its thread would leave messages without an answer.
        """
        try:
            refused = carry(batch.messages)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            refused = dict.fromkeys(range(len(batch.messages)), reason)
        if batch.answer(refused):
            self._answered.set()


def in_flight(wiring: Wiring, *, ordered: bool) -> int:
    """Return how many calls a destination may have open: 1 to keep order, else the option's 4."""
    return 1 if ordered else int(wiring.options.get("in_flight", 4))
