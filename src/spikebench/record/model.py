"""What one trial's record holds, whole, with the version of its schema."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from spikebench.candidate import Fidelity
from spikebench.measure.outcome import STRICT, Event, Ledger, Limit, Metric, Part, Resources, Status

SCHEMA = 1


class Record(Part):
    """One trial of one cell, whole.

    ``cell`` is the readable key of spike × scenario × candidate × client × target × params.
    ``workload`` is a digest of the scenario as it was run. ``arm`` is ``A/A`` for a candidate
    measured a second time against itself, and ``search`` for a search for capacity, which belongs
    to no block (``block`` is -1); neither is a row of a table. ``status`` is ``unavailable`` for a
    cell whose candidate could not be had: it keeps its row.
    ``quantiles`` maps a latency's name to {"0.5": ns, ...} of those with enough samples.
    ``series`` maps a name to its values (time offsets in s beside them under ``t``), for plots;
    ``measure.series`` says which a trial with a fault has. ``events`` are the fault that was put in
    and what followed from it.
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
    workload: str = ""
    arm: Literal["", "A/A", "search"] = ""
    block: int
    trial: int
    seed: int
    started_at: str
    duration_s: float
    status: Status
    reason: str = ""
    limit: Limit = "unknown"
    metrics: dict[str, Metric] = Field(default_factory=dict)
    quantiles: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    ledger: Ledger | None = None
    resources: Resources = Resources()
    series: dict[str, list[float]] = Field(default_factory=dict)
    events: tuple[Event, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    environment: dict[str, Any] = Field(default_factory=dict)

    @property
    def spoilt(self) -> bool:
        """Whether the trial does not count because the load generator was the limit."""
        return self.status == "void" and self.limit == "client"

    model_config = STRICT | ConfigDict(frozen=True, populate_by_name=True)
