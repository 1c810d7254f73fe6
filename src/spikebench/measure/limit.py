"""Which side was the limit of a trial: broker, client, or the rate that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikebench.measure.observation import Usage
from spikebench.measure.outcome import Limit

SATURATED = 0.90
"""Share of a side's cores above which it is taken to be the limit."""

NEAR_CEILING = 0.80
"""Share of the null driver's rate above which the generator is taken to be the limit."""


@dataclass(frozen=True)
class Load:
    """How busy each side's cores were, as a share of all of them; None where it can't be seen."""

    server: float | None
    client: float | None


def load_of(usage: Usage, server_cores: Sequence[int], load_cores: Sequence[int]) -> Load:
    """Turn CPU seconds over a span into shares of the cores each side may use."""
    return Load(
        server=_share(usage.server_cpu_s, usage.span_s, len(server_cores)),
        client=_share(usage.client_cpu_s, usage.span_s, len(load_cores)),
    )


def _share(cpu_s: float | None, span_s: float, cores: int) -> float | None:
    return None if cpu_s is None or span_s <= 0 else cpu_s / span_s / cores


def limit_of(load: Load, rate_met: bool, rate: float, ceiling: float | None) -> Limit:
    """Name the limit of a segment.

    ``rate_met`` is whether the rate asked for was held; then the target was the limit. ``ceiling``
    is the null driver's rate with the same client, in messages per second, where it is known.
    """
    if rate_met:
        return "target"
    if ceiling is not None and rate >= NEAR_CEILING * ceiling:
        return "client"
    server, client = load.server or 0.0, load.client or 0.0
    if max(server, client) < SATURATED:
        return "unknown"
    return "broker" if server >= client else "client"
