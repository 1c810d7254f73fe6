"""Something that a trial waits for: a call of the runtime's, its mark, its start, its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "started",
    "unstarted",
    "mark",
    "next",
    "response",
    "error",
    "init_error",
    "restore_next",
    "restore_error",
    "ended",
]


@dataclass(frozen=True)
class Happening:
    """What happened, and when, in nanoseconds of ``time.monotonic_ns``.

    ``request_id`` and ``body`` are those of a response or an error; ``peer_port`` is the caller's
    port on loopback; ``text`` says how a process ended, or why it could not be started.
    """

    kind: Kind
    at_ns: int
    request_id: str = ""
    body: bytes = b""
    peer_port: int = 0
    text: str = ""


Deliver = Callable[[Happening], None]
