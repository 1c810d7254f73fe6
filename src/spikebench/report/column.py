"""The columns of a table for people: which metric, under which header."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NOTHING = "—"


@dataclass(frozen=True)
class Column:
    """A metric's column; ``header`` names the unit. A ``fixed`` one stays when it is empty."""

    metric: str
    header: str
    fixed: bool = True


COLUMNS = (
    Column("throughput", "throughput msg/s"),
    Column("throughput_bytes", "throughput MB/s"),
    Column("capacity", "capacity msg/s", fixed=False),
    Column("headroom", "headroom ×", fixed=False),
    Column("drain_s", "drain s", fixed=False),
    Column("publish_p50", "publish p50 ms"),
    Column("publish_p95", "publish p95 ms"),
    Column("publish_p99", "publish p99 ms"),
    Column("publish_p999", "publish p99.9 ms"),
    Column("end_to_end_p50", "end-to-end p50 ms"),
    Column("end_to_end_p95", "end-to-end p95 ms"),
    Column("end_to_end_p99", "end-to-end p99 ms"),
    Column("end_to_end_p999", "end-to-end p99.9 ms"),
    Column("service_p50", "service p50 ms", fixed=False),
    Column("service_p99", "service p99 ms", fixed=False),
    Column("lateness_p99", "generator lateness p99 ms"),
    Column("broker_cpu_per_million", "broker CPU s per million msg"),
    Column("client_cpu_per_million", "client CPU s per million msg"),
    Column("broker_peak_memory", "server peak memory MB, whole life"),
    Column("startup", "server start-up s"),
)

COUNTS = ("lost", "duplicated", "reordered")


def shown(metrics: Iterable[str]) -> list[Column]:
    """The columns a section has: all fixed ones, and others where a row has something to show."""
    had = set(metrics)
    return [column for column in COLUMNS if column.fixed or column.metric in had]


def figure(value: float | None) -> str:
    """Three significant digits, thousands grouped; ``—`` where there is nothing."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    if abs(rounded) >= 100:
        return f"{rounded:,.0f}"
    return f"{rounded:#.3g}" if abs(rounded) >= 1e-4 else f"{rounded:.0e}"


def count(value: int | None) -> str:
    """A count in full; ``—`` where nothing was counted."""
    return NOTHING if value is None else f"{value:,}"
