"""Synthetic trials with a fault: away from 2 s on for a known time, measured as a real one is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spikebench.measure.ledger import account
from spikebench.measure.outcome import STARTING, Event
from spikebench.measure.recovery import fault_metrics
from spikebench.measure.series import over_time
from spikebench.record import Record
from tests.report.synthetic import record
from tests.synthetic.segment import T0_NS, segment

BROKEN_S, MENDED_S, RATE_PER_S, COUNT = 2.0, 3.0, 500.0, 3500


def broken(
    candidate: str = "kafka",
    kind: str = "kill-broker",
    block: int = 0,
    *,
    away_s: float = 3.0,
    lost: Sequence[int] = (),
    **changes: object,
) -> Record:
    """A trial of 7 s at 500 messages/s: what is due from 2 s on comes when ``away_s`` is over.

    The fault lasts a second, and what was broken then takes the rest of the time to start.
    """
    due_s = np.arange(COUNT) / RATE_PER_S
    back_s = BROKEN_S + away_s
    latency_s = np.where((due_s >= BROKEN_S) & (due_s < back_s), back_s - due_s, 0.001)
    seen = segment(COUNT, RATE_PER_S, latency_s=latency_s, lost=lost)
    events = [Event(what=kind, began_s=BROKEN_S, ended_s=MENDED_S)]
    if back_s > MENDED_S:
        events.append(Event(what=STARTING, began_s=MENDED_S, ended_s=back_s))
    measured: dict[str, object] = {
        "scenario": "faults-durable",
        "params": {"kind": kind},
        "metrics": fault_metrics(seen, T0_NS + int(BROKEN_S * 1e9)),
        "ledger": account(seen, "key"),
        "series": over_time(seen),
        "events": tuple(events),
    }
    return record(candidate, block, {}, **(measured | changes))


def of_old(trial: Record) -> Record:
    """The same trial as it was recorded before there were series and events."""
    return trial.model_copy(update={"series": {}, "events": ()})
