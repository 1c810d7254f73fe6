"""A driver whose queue is a file a subscriber, for sender and receivers in processes of their own.

The ``folder`` option is where the files are, ``burn_s`` what CPU time the first messages cost a
receiver. A line is one message; consumers of one subscriber
share its lines by number. Faults are those of ``tests.synthetic.driver`` that need no key.
"""

from __future__ import annotations

import time
from pathlib import Path

from spikebench.load.driver import Confirms, Deliver, Wiring
from tests.synthetic.burning import burn
from tests.synthetic.driver import Faults, is_nth

NAP_S = 0.002


def _path(wiring: Wiring, subscriber: int) -> Path:
    return Path(wiring.options["folder"]) / f"{wiring.name}-{subscriber}"


class SpoolTopology:
    """A file a subscriber."""

    def __init__(self, wiring: Wiring) -> None:
        self._paths = [_path(wiring, subscriber) for subscriber in range(wiring.subscribers)]

    def create(self) -> None:
        for path in self._paths:
            path.touch()

    def delete(self) -> None:
        for path in self._paths:
            path.unlink(missing_ok=True)

    def backlog(self) -> int | None:
        return None

    def version(self) -> str:
        return "spool 1.0"


class SpoolDriver:
    """Appends lines and tails them."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def sender(self, confirms: Confirms) -> SpoolSender:
        return SpoolSender(self._wiring, confirms)

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> SpoolReceiver:
        return SpoolReceiver(self._wiring, subscriber, member, deliver)

    def version(self) -> str:
        return "spool 1.0"


class SpoolSender:
    def __init__(self, wiring: Wiring, confirms: Confirms) -> None:
        self._faults = Faults.of(wiring.options)
        self._files = [_path(wiring, s).open("ab", buffering=0) for s in range(wiring.subscribers)]
        self._confirms = confirms

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        del key
        copies = 2 if is_nth(seq, self._faults.duplicate_every) else 1
        if not is_nth(seq, self._faults.lose_every):
            for file in self._files:
                file.write((body + b"\n") * copies)
        self._confirms.confirmed(seq)

    def poll(self, timeout_s: float) -> None:
        if timeout_s > 0:
            time.sleep(timeout_s)

    def flush(self) -> None:
        """Nothing is gathered."""

    def close(self) -> None:
        for file in self._files:
            file.close()


class SpoolReceiver:
    def __init__(self, wiring: Wiring, subscriber: int, member: int, deliver: Deliver) -> None:
        self._burn_s = float(wiring.options.get("burn_s", 0))
        self._dies_after = Faults.of(wiring.options).receiver_dies_at
        self._members, self._member = wiring.consumers, member
        self._file = _path(wiring, subscriber).open("rb")
        self._deliver = deliver
        self._torn = b""
        self._lines = 0

    def receive(self, timeout_s: float) -> int:
        data = self._file.read()
        if not data:
            time.sleep(min(timeout_s, NAP_S))
            return 0
        burn(self._burn_s)
        self._burn_s = 0.0
        *whole, self._torn = (self._torn + data).split(b"\n")
        first, self._lines = self._lines, self._lines + len(whole)
        if self._dies_after and self._lines > self._dies_after:
            raise ConnectionResetError("connection lost while receiving")
        mine = [b for n, b in enumerate(whole, first) if n % self._members == self._member]
        if mine:
            self._deliver(mine)
        return len(mine)

    def close(self) -> None:
        self._file.close()
