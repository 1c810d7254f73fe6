"""Which spike a command is about, and which run of it."""

from __future__ import annotations

from pathlib import Path

from spikebench.discovery import find_spike, spike_names
from spikebench.errors import UsageError
from spikebench.spike import Spike


def chosen_spike(name: str | None) -> Spike:
    """Return the spike called ``name``, or the only one there is; raise UsageError otherwise."""
    names = spike_names()
    if name is None and len(names) != 1:
        known = ", ".join(names) or f"none below {Path.cwd()}; change to the project's folder"
        raise UsageError(f"which spike? name one with --spike; there are: {known}")
    return find_spike(names[0] if name is None else name)
