"""A driver in memory that misbehaves by rule, so that what a trial must report is known beforehand.

Needs nothing but spikebench, so that the file can be copied into a spike of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from spikebench.errors import DriverError
from spikebench.load.body import patch
from spikebench.load.driver import Confirms, Deliver, Wiring

NAP_S = 0.0005
OTHER_TAG = 7
FOREIGN = (b"short", b"x" * 64, patch(b"0" * 64, OTHER_TAG, 0, 1))
"""A body too short for a header, one without it, and one of another trial."""


@dataclass(frozen=True)
class Faults:
    """What a driver does wrong; 0 is never. ``every`` n: messages n - 1, 2n - 1, ... by number.

    ``swap_every`` delivers such a message after the next one of its key. ``stall_s`` blocks the
    sender that long where ``stall_at`` is the message's number modulo ``stall_every``.
    ``sender_dies_at`` and ``receiver_dies_at`` lose their connection at that message.
    """

    latency_s: float = 0.0
    lose_every: int = 0
    duplicate_every: int = 0
    swap_every: int = 0
    refuse_every: int = 0
    foreign_every: int = 0
    stall_s: float = 0.0
    stall_every: int = 0
    stall_at: int = 0
    sender_dies_at: int = 0
    receiver_dies_at: int = 0
    unconfirmed_every: int = 0

    def options(self) -> dict[str, str]:
        """What a candidate's options say of these."""
        return {"faults": json.dumps(asdict(self))}

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Self:
        """What ``options`` said."""
        return cls(**json.loads(options.get("faults", "{}")))


def is_nth(seq: int, every: int) -> bool:
    """Whether message ``seq`` is an n-th one."""
    return every > 0 and seq % every == every - 1


@dataclass(frozen=True)
class Parcel:
    """A body on its way, with the time from which it may be had."""

    due: float
    seq: int
    body: bytes


Line = deque[Parcel]


class FlawedDriver:
    """A queue a subscriber in one process, between a sender and receivers that obey the faults."""

    def __init__(self, wiring: Wiring) -> None:
        self._faults = Faults.of(wiring.options)
        self._lines: list[Line] = [deque() for _ in range(wiring.subscribers)]
        self._senders: list[FlawedSender] = []

    def sender(self, confirms: Confirms) -> FlawedSender:
        self._senders.append(FlawedSender(self._faults, self._lines, confirms))
        return self._senders[-1]

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> FlawedReceiver:
        del member
        return FlawedReceiver(self._faults, self._lines[subscriber], deliver)

    def version(self) -> str:
        return "flawed 1.0"

    def calls_answered(self) -> Mapping[str, int]:
        """A call a message, as a service has that takes no batches."""
        return {"send": sum(sender.calls for sender in self._senders)}


class FlawedSender:
    def __init__(self, faults: Faults, lines: Sequence[Line], confirms: Confirms) -> None:
        self._faults = faults
        self._lines = lines
        self._confirms = confirms
        self._held: dict[bytes, Parcel] = {}
        self.calls = 0

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        faults = self._faults
        self.calls += 1
        if faults.sender_dies_at and seq >= faults.sender_dies_at:
            raise ConnectionResetError("connection lost while sending")
        if faults.stall_every and seq % faults.stall_every == faults.stall_at:
            time.sleep(faults.stall_s)
        if is_nth(seq, faults.refuse_every):
            self._confirms.failed(seq, "refused by rule")
            return
        if not is_nth(seq, faults.unconfirmed_every):
            self._confirms.confirmed(seq)
        if not is_nth(seq, faults.lose_every):
            self._pass_on(key, Parcel(time.monotonic() + faults.latency_s, seq, body))

    def _pass_on(self, key: bytes, parcel: Parcel) -> None:
        if is_nth(parcel.seq, self._faults.swap_every) and key not in self._held:
            self._held[key] = parcel
            return
        self._append(parcel)
        if held := self._held.pop(key, None):
            self._append(held)

    def _append(self, parcel: Parcel) -> None:
        for line in self._lines:
            line.append(parcel)
            if is_nth(parcel.seq, self._faults.duplicate_every):
                line.append(parcel)
            if is_nth(parcel.seq, self._faults.foreign_every):
                line.extend(Parcel(parcel.due, -1, body) for body in FOREIGN)

    def poll(self, timeout_s: float) -> None:
        if timeout_s > 0:
            time.sleep(timeout_s)

    def flush(self) -> None:
        """A message that is held back waits for the next of its key, whatever is flushed."""

    def close(self) -> None:
        """There is no connection."""


class FlawedReceiver:
    def __init__(self, faults: Faults, line: Line, deliver: Deliver) -> None:
        self._faults = faults
        self._line = line
        self._deliver = deliver

    def receive(self, timeout_s: float) -> int:
        if not self._ready():
            time.sleep(min(timeout_s, NAP_S))
        count = 0
        while self._ready():
            parcel = self._line.popleft()
            if self._faults.receiver_dies_at and parcel.seq >= self._faults.receiver_dies_at:
                raise ConnectionResetError("connection lost while receiving")
            self._deliver([parcel.body])
            count += 1
        return count

    def _ready(self) -> bool:
        return bool(self._line) and self._line[0].due <= time.monotonic()

    def close(self) -> None:
        """There is no connection."""


class HangingDriver(FlawedDriver):
    """A driver whose client library never returns from connecting."""

    def sender(self, confirms: Confirms) -> FlawedSender:
        time.sleep(3600)
        return super().sender(confirms)


class DyingDriver(FlawedDriver):
    """A driver whose client library takes the process down."""

    def sender(self, confirms: Confirms) -> FlawedSender:
        del confirms
        print("client library: fatal assertion in frobnicate()", file=sys.stderr, flush=True)
        os._exit(3)


class LingeringDriver(FlawedDriver):
    """A driver whose client library closes every file and only then takes the process down."""

    def sender(self, confirms: Confirms) -> FlawedSender:
        del confirms
        os.closerange(3, 1024)
        time.sleep(0.5)
        os._exit(3)


class RefusingDriver(FlawedDriver):
    """A driver whose broker lets nobody in."""

    def sender(self, confirms: Confirms) -> FlawedSender:
        del confirms
        raise DriverError("127.0.0.1:5672 refused the user guest; set another user")


class ChattyDriver(FlawedDriver):
    """A driver whose client library prints where a worker answers."""

    def sender(self, confirms: Confirms) -> FlawedSender:
        print('{"ok": "from Python"}', flush=True)
        os.write(1, b'{"ok": "from a library in C"}\n')
        return super().sender(confirms)


class StuckOnCloseDriver(FlawedDriver):
    """A driver whose connection fails to close."""

    def sender(self, confirms: Confirms) -> FlawedSender:
        sender = super().sender(confirms)
        sender.close = _refuse_to_close  # type: ignore[method-assign]
        return sender


def _refuse_to_close() -> None:
    raise DriverError("close was refused")
