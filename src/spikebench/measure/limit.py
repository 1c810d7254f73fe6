"""Which side was the limit of a trial: broker, client, or the rate that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikebench.measure.observation import Usage
from spikebench.measure.outcome import Limit

SATURATED = 0.90
"""Share of a side's cores, used by it or by anyone, from which it is taken to be the limit."""

NEAR_CEILING = 0.80
"""Share of the null driver's rate above which the generator is taken to be the limit."""


@dataclass(frozen=True)
class Load:
    """How busy each side was, as a share of all cores it may use; None where it can't be seen.

    ``server`` and ``client`` are what the sides used themselves, ``server_cores`` and
    ``client_cores`` what was used of their cores by anyone: a side whose cores are full of other
    work has no more to give either.
    """

    server: float | None
    client: float | None
    server_cores: float | None = None
    client_cores: float | None = None


def load_of(usage: Usage, server_cores: Sequence[int], load_cores: Sequence[int]) -> Load:
    """Turn CPU seconds over a span into shares of the cores each side may use."""
    return Load(
        server=_share(usage.server_cpu_s, usage.span_s, len(server_cores)),
        client=_share(usage.client_cpu_s, usage.span_s, len(load_cores)),
        server_cores=_share(_of_cores(usage, server_cores), usage.span_s, len(server_cores)),
        client_cores=_share(_of_cores(usage, load_cores), usage.span_s, len(load_cores)),
    )


def _of_cores(usage: Usage, cores: Sequence[int]) -> float | None:
    had = [usage.cores_busy_s.get(core) for core in cores]
    known = [busy for busy in had if busy is not None]
    return sum(known) if len(known) == len(cores) else None


def _share(cpu_s: float | None, span_s: float, cores: int) -> float | None:
    return None if cpu_s is None or span_s <= 0 else cpu_s / span_s / cores


def limit_of(load: Load, rate_met: bool, rate: float, ceiling: float | None) -> Limit:
    """Name the limit of a segment.

    ``rate_met`` is whether the rate asked for was held; then the target was the limit. ``ceiling``
    is the null driver's rate with the same client, in messages per second, where it is known.
    A side that filled its cores itself was the limit, of two the one that filled more; else the
    one whose cores were full of other work. If that holds for both, nobody can say.
    """
    if rate_met:
        return "target"
    if ceiling is not None and rate >= NEAR_CEILING * ceiling:
        return "client"
    server, client = load.server or 0.0, load.client or 0.0
    if max(server, client) >= SATURATED:
        return "broker" if server >= client else "client"
    crowded = _crowded(load.server, load.server_cores), _crowded(load.client, load.client_cores)
    if all(crowded) or not any(crowded):
        return "unknown"
    return "broker" if crowded[0] else "client"


def _crowded(own: float | None, cores: float | None) -> bool:
    """Whether a side's cores were full of others' work; one that can't be seen is elsewhere."""
    return own is not None and cores is not None and cores >= SATURATED
