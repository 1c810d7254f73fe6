"""Trial records: the evidence everything else is made from.

One line of JSON a trial, appended, flushed and synced as the trial ends.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from spikebench.candidate import Fidelity

SCHEMA = 1

Better = Literal["higher", "lower", "neither"]
Status = Literal["valid", "void", "failed", "unavailable"]
Limit = Literal["broker", "client", "target", "unknown"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(_Part):
    """One number of a trial. ``value`` is None where it is withheld, with the reason in ``note``.

    ``exact`` marks a noise-free measure (a count). ``n`` is the number of samples beneath it.
    """

    value: float | None
    unit: str
    better: Better = "neither"
    n: int | None = None
    note: str = ""


class Ledger(_Part):
    """The account of every measured message of a trial.

    ``expected`` is confirmed × subscribers; ``delivered`` counts distinct deliveries,
    ``duplicated`` the repeats, ``lost`` confirmed messages that a subscriber never got (each
    subscriber counts), ``reordered`` deliveries that arrived after a later message of the same key
    (or queue, as the scenario asks) at the same subscriber; repeats are not counted as reordered.
    """

    sent: int
    confirmed: int
    failed: int = 0
    expected: int
    delivered: int
    lost: int
    duplicated: int
    reordered: int
    foreign: int = 0


class Resources(_Part):
    """CPU seconds over the measured segment and peak memory in bytes; None where it can't be seen."""

    candidate_cpu_s: float | None = None
    client_cpu_s: float | None = None
    peak_rss: int | None = None
    client_peak_rss: int | None = None
    startup_s: float | None = None


class Record(_Part):
    """One trial of one cell, whole.

    ``cell`` is the readable key of spike × scenario × candidate × client × target × params.
    ``status`` is ``unavailable`` for a cell whose candidate could not be had: it keeps its row.
    ``quantiles`` maps a latency's name to {"0.5": ns, ...} of those with enough samples.
    ``series`` maps a name to its values (time offsets in s beside them under ``t``), for plots.
    """

    schema_: int = Field(default=SCHEMA, alias="schema")
    run_id: str
    spike: str
    scenario: str
    candidate: str
    client: str
    target: str
    fidelity: Fidelity
    params: dict[str, str | int | float]
    cell: str
    arm: Literal["", "A/A"] = ""
    block: int
    trial: int
    seed: int
    started_at: str
    duration_s: float
    status: Status
    reason: str = ""
    limit: Limit = "unknown"
    metrics: dict[str, Metric] = {}
    quantiles: dict[str, dict[str, float | None]] = {}
    ledger: Ledger | None = None
    resources: Resources = Resources()
    series: dict[str, list[float]] = {}
    versions: dict[str, str] = {}
    environment: dict[str, Any] = {}

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
