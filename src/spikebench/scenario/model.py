"""What a scenario file may say: a workload and what it requires, as data.

Durations are in seconds, rates in messages per second, sizes in bytes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from spikebench.candidate import Ordering

Percent = Annotated[str, Field(pattern=r"^[1-9][0-9]?\s?%$")]
Rate = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Payload(_Part):
    """Message bodies: ``filler`` of one size (half of it random), or ``row-events`` as a change-data
    capture daemon writes them, between ``size_bytes`` and ``largest_bytes``.

    ``keys`` is how many distinct keys there are; ``templates`` how many distinct bodies are made
    beforehand and sent again and again with their own sequence number and send time.
    """

    kind: Literal["filler", "row-events"] = "filler"
    size_bytes: int = Field(default=1024, ge=64)
    largest_bytes: int | None = Field(default=None, ge=64)
    keys: int = Field(default=1000, ge=1)
    templates: int = Field(default=256, ge=1)


class Arrivals(_Part):
    """When messages are meant to be sent: an open schedule at a mean ``rate_per_s``.

    A rate is a number, or a share of measured capacity such as ``30 %``. ``bursts`` sends
    transactions of ``burst_min`` to ``burst_max`` messages at once, transactions being Poisson.
    """

    kind: Literal["uniform", "poisson", "bursts"] = "uniform"
    rate_per_s: Rate | Percent
    burst_min: int = Field(default=1, ge=1)
    burst_max: int = Field(default=1, ge=1)


class Promise(_Part):
    """What the user is promised, the same for every candidate."""

    durable: bool = True
    confirmed: bool = True
    delivery: Literal["at-most-once", "at-least-once"] = "at-least-once"
    ordering: Ordering = "none"


class Producer(_Part):
    """One producer: its window of unconfirmed messages, and how far it may gather messages."""

    confirm_window: int = Field(default=1000, ge=1)
    batch_messages: int = Field(default=1, ge=1)
    batch_bytes: int = Field(default=131_072, ge=1)
    linger_ms: float = Field(default=0.0, ge=0)


class Consumers(_Part):
    """``subscribers`` each get every message; ``competing`` consumers share a subscriber's."""

    subscribers: int = Field(default=1, ge=1)
    competing: int = Field(default=1, ge=1)
    prefetch: int = Field(default=200, ge=1)
    ack_batch: int = Field(default=1, ge=1)
    away_s: float = Field(default=0.0, ge=0)


class Timing(_Part):
    """How long the parts of a trial last; ``grace_s`` is how long a silent drain is waited for."""

    warmup_s: float = Field(default=0.5, ge=0)
    measure_s: float = Field(gt=0)
    grace_s: float = Field(default=5.0, gt=0)


class Requires(_Part):
    """What the user needs; the table says met, not met or not shown. ``headroom`` is capacity ÷ rate."""

    rate_per_s: float | None = Field(default=None, gt=0)
    end_to_end_p99_ms: float | None = Field(default=None, gt=0)
    publish_p99_ms: float | None = Field(default=None, gt=0)
    lost: int | None = Field(default=None, ge=0)
    ordering: Ordering | None = None
    headroom: float | None = Field(default=None, ge=1)


class Analysis(_Part):
    """Declared before the run: what is compared, on which metric, and the difference that matters.

    ``delta`` is a ratio: 0.10 means that ±10 % does not matter. ``baseline`` is the candidate the
    others are compared with.
    """

    metric: str
    delta: float = Field(default=0.10, gt=0, lt=1)
    baseline: str
    trials: int = Field(default=6, ge=1)


class Scenario(_Part):
    """A workload, what it requires, and how it is analysed.

    ``experiment`` is ``latency`` (open schedule at a fixed rate), ``capacity`` (search for the
    highest rate that holds ``slo_p99_ms`` with a flat backlog) or ``backlog`` (consumers away, then
    drain). ``sweep`` maps a dotted key to the values it takes; each combination is a cell.
    ``emulator`` maps dotted keys to the values used where the target is an emulator, whose speed
    says nothing of the service. ``full_sweep`` widens ``sweep`` in the profile ``full``.
    """

    scenario: str
    title: str
    question: str
    experiment: Literal["latency", "capacity", "backlog"]
    payload: Payload = Payload()
    arrivals: Arrivals
    promise: Promise = Promise()
    producer: Producer = Producer()
    consumers: Consumers = Consumers()
    timing: Timing
    slo_p99_ms: float = Field(default=250.0, gt=0)
    requires: Requires = Requires()
    analysis: Analysis
    sweep: dict[str, list[Any]] = {}
    full_sweep: dict[str, list[Any]] = {}
    emulator: dict[str, Any] = {}

    @model_validator(mode="after")
    def _bursts_are_ordered(self) -> Scenario:
        if self.arrivals.burst_max < self.arrivals.burst_min:
            raise ValueError("arrivals.burst_max must not be below arrivals.burst_min")
        return self
