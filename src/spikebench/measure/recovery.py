"""How long a fault was felt: until messages came on time again, and the longest silence."""

from __future__ import annotations

import numpy as np

from spikebench.measure.observation import Nanoseconds, Observation
from spikebench.measure.outcome import Metric

ON_TIME_NS = 250_000_000
"""A message that comes later than this after its intended send is late, in nanoseconds."""


def fault_metrics(seen: Observation, fault_ns: int) -> dict[str, Metric]:
    """Return ``recovery_s``, ``longest_gap_s`` and ``undelivered`` of a segment with a fault.

    ``fault_ns`` is when the fault began. ``undelivered`` counts what was sent and some subscriber
    never got, confirmed or not.
    """
    received = [seen.first_received_ns(s) for s in range(seen.subscribers)]
    everywhere = np.stack(received)
    missing = int((seen.sent & (everywhere == 0).any(axis=0)).sum())
    return {
        "recovery_s": _recovery(seen, everywhere, fault_ns),
        "longest_gap_s": _longest_gap(everywhere, seen.intended_ns),
        "undelivered": Metric(value=missing, unit="messages", better="lower"),
    }


def _recovery(seen: Observation, everywhere: Nanoseconds, fault_ns: int) -> Metric:
    """Seconds from the fault until the last message that came late; 0 where none did.

    Withheld where nothing of the schedule's last tenth arrived: then it had not recovered.
    """
    last_tenth = everywhere[:, -max(1, len(seen.intended_ns) // 10) :]
    if not (last_tenth > 0).any(axis=1).all():
        note = "nothing sent at the end of the trial arrived: it had not recovered"
        return Metric(value=None, unit="s", better="lower", note=note)
    late = (everywhere > 0) & (everywhere - seen.intended_ns > ON_TIME_NS)
    late &= everywhere > fault_ns
    last_ns = int(everywhere[late].max(initial=fault_ns))
    return Metric(value=(last_ns - fault_ns) / 1e9, unit="s", better="lower")


def _longest_gap(everywhere: Nanoseconds, intended: Nanoseconds) -> Metric:
    """The longest time in which a subscriber got nothing, in s, from the first intended send on."""
    gaps = [np.diff(np.sort([*at[at > 0], intended[0]])).max(initial=0) for at in everywhere]
    return Metric(value=float(max(gaps)) / 1e9, unit="s", better="lower")
