"""The null candidate: messages handed over in memory, to show what the generator itself can do."""

from __future__ import annotations

import platform
import time
from collections import deque

from spikebench.load.driver import Confirms, Deliver, Wiring

NAP_S = 0.0005
"""How long an idle receiver sleeps: short enough for latency, long enough to leave the core."""


class NullTopology:
    """Nothing to create: the queues live in the driver."""

    def __init__(self, wiring: Wiring) -> None:
        del wiring

    def create(self) -> None:
        """Do nothing."""

    def delete(self) -> None:
        """Do nothing."""

    def backlog(self) -> int | None:
        """Return None: the queues are in another process."""
        return None

    def version(self) -> str:
        """Return the interpreter's version, for it is all there is."""
        return f"in memory, Python {platform.python_version()}"


class NullDriver:
    """A queue a subscriber, shared by sender and receivers of one process."""

    def __init__(self, wiring: Wiring) -> None:
        self._queues: list[deque[bytes]] = [deque() for _ in range(wiring.subscribers)]
        self._prefetch = wiring.prefetch

    def sender(self, confirms: Confirms) -> NullSender:
        """Return a sender that appends to every subscriber's queue."""
        return NullSender(self._queues, confirms)

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> NullReceiver:
        """Return a receiver of ``subscriber``'s queue, whichever member it is."""
        del member
        return NullReceiver(self._queues[subscriber], self._prefetch, deliver)

    def version(self) -> str:
        """Return the name of what moves the messages."""
        return f"collections.deque {platform.python_version()}"


class NullSender:
    """Appends a message to every queue and confirms it at once."""

    def __init__(self, queues: list[deque[bytes]], confirms: Confirms) -> None:
        self._queues = queues
        self._confirmed = confirms.confirmed

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        """Append ``body`` for every subscriber, then confirm."""
        del key
        for queue in self._queues:
            queue.append(body)
        self._confirmed(seq)

    def poll(self, timeout_s: float) -> None:
        """Sleep: every confirm has been given."""
        if timeout_s > 0:
            time.sleep(timeout_s)

    def flush(self) -> None:
        """Do nothing: nothing is gathered."""

    def close(self) -> None:
        """Do nothing: there is no connection."""


class NullReceiver:
    """Takes from one subscriber's queue, ``prefetch`` at once; what was taken is acknowledged."""

    def __init__(self, queue: deque[bytes], prefetch: int, deliver: Deliver) -> None:
        self._queue = queue
        self._prefetch = prefetch
        self._deliver = deliver

    def receive(self, timeout_s: float) -> int:
        """Hand over what is there, after one short nap where there is nothing."""
        if not self._queue and timeout_s > 0:
            time.sleep(min(timeout_s, NAP_S))
        bodies = self._take()
        if bodies:
            self._deliver(bodies)
        return len(bodies)

    def _take(self) -> list[bytes]:
        queue, bodies = self._queue, []
        try:
            for _ in range(min(len(queue), self._prefetch)):
                bodies.append(queue.popleft())
        except IndexError:  # a competing consumer was faster
            pass
        return bodies

    def close(self) -> None:
        """Do nothing: there is no connection."""
