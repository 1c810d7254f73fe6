"""Two clients of one broker, alive at once, that run by turns of a fraction of a second.

On a virtual machine a core may be half as fast in one second as in the one before, for a neighbour
shares it. Two runs of ten seconds, one after the other, then differ by a third whatever they do.
Turns this short meet the same machine, and are counted by one observer.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

TURN_S = 0.25
EMPTY_S = 0.05
"""After a client is stopped, until what it had sent has left its sockets and is in the log."""


@dataclass(frozen=True)
class Client:
    """A process, and how many records of it the broker has."""

    pid: int
    records: Callable[[], int]


@dataclass(frozen=True)
class Turn:
    """What came of one client's turn."""

    records: int
    running_s: float


def by_turns(clients: Sequence[Client], rounds: int) -> list[list[Turn]]:
    """Let each client run ``rounds`` times, one at a time, and return the turns of each.

    They take turns in going first. All run on once this returns, however it does. Raises
    ProcessLookupError where one ends meanwhile.
    """
    turns: list[list[Turn]] = [[] for _ in clients]
    with _stopped([client.pid for client in clients]):
        for number in range(rounds):
            order = range(len(clients))
            for at in order if number % 2 == 0 else reversed(order):
                turns[at].append(_turn(clients[at]))
    return turns


def await_records(clients: Sequence[Client], within_s: float) -> None:
    """Wait until each client has sent something; TimeoutError where one has not in time."""
    until = time.monotonic() + within_s
    while not all(client.records() for client in clients):
        if time.monotonic() > until:
            raise TimeoutError(f"a client has sent nothing for {within_s:.0f} s")
        time.sleep(EMPTY_S)


def per_s(turns: Sequence[Turn]) -> float:
    """Records a second of the time in which a client ran."""
    return sum(turn.records for turn in turns) / sum(turn.running_s for turn in turns)


def _turn(client: Client) -> Turn:
    before = client.records()
    began = time.monotonic()
    os.kill(client.pid, signal.SIGCONT)
    time.sleep(TURN_S)
    os.kill(client.pid, signal.SIGSTOP)
    running_s = time.monotonic() - began
    time.sleep(EMPTY_S)
    return Turn(client.records() - before, running_s)


@contextmanager
def _stopped(pids: Sequence[int]) -> Iterator[None]:
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(EMPTY_S)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
