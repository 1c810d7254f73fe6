"""Trials at a known rate whose sender stands still for a known time, worked out instead of run.

Who is to blame is known as well: the client library (a call that does not return), the broker (a
window that stays full) or the generator itself.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from spikebench.load.schedule import Schedule
from spikebench.measure.observation import Observation
from tests.synthetic.segment import IDLE, T0_NS, delivery, ns

RATE_PER_S = 1000.0
STALL_S = 1.0
PERIOD_S = 10.0
CALL_S = 20e-6
LATENCY_S = 0.001
LONG_CALL_S = 0.020
WINDOW = 50

Blame = Literal["client", "broker", "generator"]


def response_s(quantile: float) -> float:
    """The response time at a quantile, by arithmetic: of each period's messages those that come due
    in the stall wait for its end, evenly from the whole of it down to nothing."""
    return STALL_S - (1 - quantile) * PERIOD_S


def trial(schedule: Schedule, blame: Blame) -> Observation:
    """A segment whose sender stands still for 1 s in the middle of every 10 s."""
    due = schedule.offsets_ns / 1e9
    walk = {"client": _client, "broker": _broker, "generator": _generator}[blame]
    sent, held, got = walk(due)
    count = len(due)
    return Observation(
        first_seq=0,
        intended_ns=T0_NS + schedule.offsets_ns,
        sent_ns=T0_NS + ns(sent),
        confirmed_ns=T0_NS + ns(got),
        key=schedule.key,
        size_bytes=np.full(count, 128, np.int32),
        subscribers=1,
        deliveries=(delivery(np.arange(count), T0_NS + ns(got)),),
        usage=IDLE,
        held_until_ns=np.where(held > 0, T0_NS + ns(held), 0),
    )


Times = npt.NDArray[np.float64]


def _stalls(at: float, before: float) -> bool:
    """Whether a stall begins in between: in the middle of each period."""
    return (at + PERIOD_S / 2) // PERIOD_S > (before + PERIOD_S / 2) // PERIOD_S


def _client(due: Times) -> tuple[Times, Times, Times]:
    """Every 10 s one call into the client library takes 1 s."""
    sent, held, got = (np.zeros(len(due)) for _ in range(3))
    free = before = call = 0.0
    for i, at in enumerate(due):
        held[i] = free if call >= LONG_CALL_S else 0.0
        sent[i] = max(at, free)
        call = STALL_S if _stalls(sent[i], before) else CALL_S
        free, before = sent[i] + call, sent[i]
        got[i] = free + LATENCY_S
    return sent, held, got


def _broker(due: Times) -> tuple[Times, Times, Times]:
    """Every 10 s the broker takes nothing for 1 s; 50 messages may be unconfirmed."""
    sent, held, got = (np.zeros(len(due)) for _ in range(3))
    free = 0.0
    for i, at in enumerate(due):
        room = got[i - WINDOW] if i >= WINDOW else 0.0
        ready = max(at, free)
        held[i] = room if room > ready else 0.0
        sent[i] = max(ready, room)
        free = sent[i] + CALL_S
        got[i] = _awake(sent[i]) + LATENCY_S
    return sent, held, got


def _awake(at: float) -> float:
    """When a broker that stands still for 1 s in the middle of each period takes a message."""
    since = (at + PERIOD_S / 2) % PERIOD_S
    first = at < PERIOD_S / 2
    return at if first or since >= STALL_S else at + STALL_S - since


def _generator(due: Times) -> tuple[Times, Times, Times]:
    """Every 10 s the generator itself sleeps for 1 s before a message that is due."""
    sent, held, got = (np.zeros(len(due)) for _ in range(3))
    free = before = 0.0
    for i, at in enumerate(due):
        ready = max(at, free)
        sent[i] = ready + (STALL_S if _stalls(ready, before) else 0.0)
        free, before = sent[i] + CALL_S, ready
        got[i] = sent[i] + LATENCY_S
    return sent, held, got
