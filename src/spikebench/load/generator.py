"""A generator: what sends and receives inside one worker process, whatever the language.

``PythonGenerator`` runs each role in a thread and calls a Python driver for each message;
``JavaGenerator`` (``spikebench.load.jvm``) has the same verbs and runs the loop in Java.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from spikebench.load.driver import Billed, Driver, Receiver, Sender
from spikebench.load.inbox import Inbox
from spikebench.load.sender_loop import SenderLoop
from spikebench.measure.column import Kept
from spikebench.measure.observation import Delivery


@dataclass(frozen=True)
class Roles:
    """What a generator does: send or not, and for which (subscriber, member) pairs it receives."""

    sends: bool
    receives: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Cargo:
    """What is sent: body templates with an empty header, keys, and the trial's tag (uint32)."""

    tag: int
    templates: Sequence[bytes]
    keys: Sequence[bytes]
    confirm_window: int


@dataclass(frozen=True)
class Order:
    """One segment to send: message ``first_seq + i`` is due at ``t0_ns + offsets_ns[i]``.

    What is not sent by ``deadline_ns`` stays unsent; confirms are waited for ``confirm_timeout_s``
    longer. All times are CLOCK_MONOTONIC nanoseconds.
    """

    first_seq: int
    t0_ns: int
    deadline_ns: int
    confirm_timeout_s: float
    offsets_ns: Kept[np.int64] = Kept()
    template: Kept[np.int32] = Kept()
    key: Kept[np.int32] = Kept()


@dataclass(frozen=True)
class Progress:
    """Running totals of the present segment (``received`` since the generator was opened)."""

    sent: int = 0
    confirmed: int = 0
    failed: int = 0
    received: int = 0
    done: bool = True
    error: str = ""


@dataclass(frozen=True)
class Harvest:
    """What was gathered since the last harvest; the sender's arrays are the segment's.

    ``held_until_ns`` is until when a full window, or a call into the client of 20 ms or longer,
    held the generator back before each message; 0 where neither did. ``calls`` is how many the
    driver's service has answered since it was opened, by operation, where it bills calls.
    """

    deliveries: tuple[Delivery, ...]
    sent_ns: Kept[np.int64] = Kept()
    confirmed_ns: Kept[np.int64] = Kept()
    held_until_ns: Kept[np.int64] = Kept()
    refusals: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)


class Generator(Protocol):
    """Sends and receives for one trial; used from one thread."""

    def open(self) -> str:
        """Connect everything, subscribed and ready; return the client library's version."""

    def begin(self, order: Order) -> None:
        """Start sending a segment in the background."""

    def ended(self) -> bool:
        """Return whether no segment is being sent, as cheaply as can be."""

    def progress(self) -> Progress:
        """Return running totals, cheaply."""

    def harvest(self) -> Harvest:
        """Return what was gathered since the last harvest."""

    def close(self) -> None:
        """Stop and disconnect everything, within seconds."""


class PythonGenerator:
    """A generator for a Python driver: a thread for the sender and one for each receiver."""

    def __init__(self, driver: Driver, cargo: Cargo, roles: Roles) -> None:
        self._driver = driver
        self._cargo = cargo
        self._roles = roles
        self._loop: SenderLoop | None = None
        self._sender: Sender | None = None
        self._inboxes: list[Inbox] = []
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._errors: list[str] = []

    def open(self) -> str:
        """Connect; receivers first, so that nothing is sent before they listen."""
        for subscriber, member in self._roles.receives:
            inbox = Inbox(subscriber, member, self._cargo.tag)
            self._inboxes.append(inbox)
            receiver = self._driver.receiver(subscriber, member, inbox.deliver)
            self._spawn(self._receive, receiver)
        if self._roles.sends:
            self._loop = SenderLoop(self._cargo)
            self._sender = self._driver.sender(self._loop)
        return self._driver.version()

    def begin(self, order: Order) -> None:
        """Start sending ``order`` in a thread of its own."""
        if self._loop is None or self._sender is None:
            return
        self._loop.load(order)
        self._spawn(self._send, self._loop, self._sender)

    def ended(self) -> bool:
        """Return whether no segment is being sent."""
        return self._loop is None or self._loop.done or bool(self._errors)

    def progress(self) -> Progress:
        """Return running totals and the first error of any thread."""
        loop = self._loop
        return Progress(
            sent=loop.sent if loop else 0,
            confirmed=loop.confirmed_count if loop else 0,
            failed=loop.failed_count if loop else 0,
            received=sum(inbox.count for inbox in self._inboxes),
            done=loop.done if loop else True,
            error=self._errors[0] if self._errors else "",
        )

    def harvest(self) -> Harvest:
        """Return the segment's arrays and what the inboxes hold, emptying them."""
        loop = self._loop
        return Harvest(
            sent_ns=loop.sent_ns if loop else np.empty(0, np.int64),
            confirmed_ns=loop.confirmed_ns if loop else np.empty(0, np.int64),
            deliveries=tuple(inbox.empty() for inbox in self._inboxes),
            refusals=dict(loop.refusals) if loop else {},
            held_until_ns=loop.held_until_ns if loop else np.empty(0, np.int64),
            calls=dict(self._driver.calls_answered()) if isinstance(self._driver, Billed) else {},
        )

    def close(self) -> None:
        """Stop the threads, then close what they used."""
        self._stop.set()
        if self._loop:
            self._loop.abandon()
        for thread in self._threads:
            thread.join(timeout=5)
        if self._sender:
            self._sender.close()

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=self._guarded, args=(target, *arguments), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, target: object, *arguments: object) -> None:
        try:
            target(*arguments)  # type: ignore[operator]
        except Exception as error:  # a client library's own errors are of any kind
            self._errors.append(f"{type(error).__name__}: {error}")
            if self._loop:
                self._loop.abandon()

    def _send(self, loop: SenderLoop, sender: Sender) -> None:
        try:
            loop.run(sender)
        finally:
            loop.done = True

    def _receive(self, receiver: Receiver) -> None:
        try:
            while not self._stop.is_set():
                receiver.receive(0.1)
        finally:
            receiver.close()
