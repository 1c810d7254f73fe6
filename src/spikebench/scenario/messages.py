"""What a messaging scenario's file may say: a workload and what it requires, as data.

Durations are in seconds, rates in messages per second, sizes in bytes. ``docs/scenarios.md`` is the
reference of every key.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from spikebench.candidate import Ordering
from spikebench.scenario import model
from spikebench.scenario.document import shown
from spikebench.scenario.model import Part, Scenario, refuse
from spikebench.scenario.variant import pinned

Metric = Literal[
    "throughput",
    "capacity",
    "drain_s",
    "recovery_s",
    "publish_p50",
    "publish_p95",
    "publish_p99",
    "publish_p999",
    "service_p50",
    "service_p95",
    "service_p99",
    "service_p999",
    "end_to_end_p50",
    "end_to_end_p95",
    "end_to_end_p99",
    "end_to_end_p999",
]
"""What a scenario's comparison can rest on."""

_HIGHEST_RATE_PER_S = 10_000_000
_MOST_MESSAGES = 50_000_000
_MOST_TEMPLATE_BYTES = 128 * 1024 * 1024
_LONGEST_ROW_HEAD_BYTES = 512
_SHARE = re.compile(r"([1-9][0-9]?)\s?%")
_SMOKE_WARMUP_S = 0.2
_SMOKE_MEASURE_S = 0.8
_SMOKE_AWAY_S = 0.4
_SMOKE_FAULT_AT_S = 0.3
_SMOKE_RATE_PER_S = 200.0
TRIAL_OVERHEAD_S = 0.4
"""Seconds a trial takes beside warm-up and measured time, for estimates before a run."""

CLIMBING_S = 2.5
"""Seconds a capacity trial takes beside that: the rates it tries."""

FAULT_OVERHEAD_S = 6.0
"""Seconds a trial with a fault takes beside that: starting anew, and waiting for what is lost."""

_STRENGTH = {"none": 0, "key": 1, "queue": 2}


def _rate(value: object) -> float | str:
    """Return a rate in messages a second, or a share of capacity as ``30 %``."""
    if isinstance(value, str) and (share := _SHARE.fullmatch(value.strip())):
        return f"{share[1]} %"
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value <= _HIGHEST_RATE_PER_S
    ):
        return float(value)
    what = (
        f"{shown(value)} is not a rate; write messages a second, above 0 and at most "
        f"{_HIGHEST_RATE_PER_S}, or a share of measured capacity such as 30 %"
    )
    raise PydanticCustomError("scenario", "{what}", {"what": what})


Rate = Annotated[float | str, BeforeValidator(_rate)]


class Payload(Part):
    """Message bodies of ``kind`` ``filler`` (one size, half of it random) or ``row-events``.

    Row events are written as a change-data capture daemon writes them, between ``size_bytes`` and
    ``largest_bytes`` long. ``keys`` is how many distinct keys there are; ``templates`` how many
    distinct bodies are made beforehand (row events: at least one a key) and sent again and again
    with their own sequence number and send time.
    """

    kind: Literal["filler", "row-events"] = "filler"
    size_bytes: int = Field(default=1024, ge=64, le=64 * 1024 * 1024)
    largest_bytes: int | None = Field(default=None, ge=64, le=64 * 1024 * 1024)
    keys: int = Field(default=1000, ge=1, le=1_000_000)
    templates: int = Field(default=256, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.largest_bytes is not None and self.kind == "filler":
            raise refuse("largest_bytes", "filler has one size; remove it, or use row-events")
        if self.largest_bytes is not None and self.largest_bytes < self.size_bytes:
            raise refuse("largest_bytes", "below size_bytes; make it the larger of the two")
        if self.kind == "row-events" and self.longest_bytes < _LONGEST_ROW_HEAD_BYTES:
            what = f"a row event may need {_LONGEST_ROW_HEAD_BYTES} bytes; allow at least as many"
            raise refuse("largest_bytes" if self.largest_bytes else "size_bytes", what)
        return self

    @model_validator(mode="after")
    def _templates_fit_in_memory(self) -> Self:
        if self.bodies * self.longest_bytes > _MOST_TEMPLATE_BYTES:
            size = "largest_bytes" if self.largest_bytes else "size_bytes"
            what = f"bodies of {size} each would take over {_MOST_TEMPLATE_BYTES} bytes; have fewer"
            raise refuse("templates" if self.templates >= self.bodies else "keys", what)
        return self

    @property
    def longest_bytes(self) -> int:
        """Length of the longest body there may be."""
        return self.largest_bytes or self.size_bytes

    @property
    def bodies(self) -> int:
        """How many distinct bodies are made."""
        return max(self.templates, self.keys) if self.kind == "row-events" else self.templates


class Arrivals(Part):
    """When messages are meant to be sent: an open schedule at a mean ``rate_per_s``.

    A rate is a number, or a share of measured capacity such as ``30 %``. ``bursts`` sends
    transactions of ``burst_min`` to ``burst_max`` messages at once, transactions being Poisson.
    """

    kind: Literal["uniform", "poisson", "bursts"] = "uniform"
    rate_per_s: Rate
    burst_min: int = Field(default=1, ge=1, le=100_000)
    burst_max: int = Field(default=1, ge=1, le=100_000)

    @model_validator(mode="after")
    def _bursts_are_ordered(self) -> Self:
        if self.burst_max < self.burst_min:
            raise refuse("burst_max", "below burst_min; make it the larger of the two")
        return self

    @property
    def capacity_share(self) -> float | None:
        """The rate as a part of capacity, in (0, 1); None where it is a number of messages."""
        return int(self.rate_per_s[:-2]) / 100 if isinstance(self.rate_per_s, str) else None

    @property
    def fixed_rate_per_s(self) -> float | None:
        """The rate in messages a second; None where it is a share of capacity."""
        return None if isinstance(self.rate_per_s, str) else self.rate_per_s


class Promise(Part):
    """What the user is promised, the same for every candidate.

    ``durable``: survives a restart of the broker. ``confirmed``: the producer hears that the broker
    has taken responsibility. ``delivery``: consumers acknowledge once they have a message in hand;
    acknowledging before that is nothing that drivers can be asked for.
    """

    durable: bool = True
    confirmed: bool = True
    delivery: Literal["at-least-once"] = "at-least-once"
    ordering: Ordering = "none"


class Producer(Part):
    """One producer: its window of unconfirmed messages, and how far it may gather messages."""

    confirm_window: int = Field(default=1000, ge=1, le=1_000_000)
    batch_messages: int = Field(default=1, ge=1, le=100_000)
    batch_bytes: int = Field(default=131_072, ge=1, le=64 * 1024 * 1024)
    linger_ms: float = Field(default=0.0, ge=0, le=60_000)


class Consumers(Part):
    """``subscribers`` each get every message; ``competing`` consumers share a subscriber's."""

    subscribers: int = Field(default=1, ge=1, le=100)
    competing: int = Field(default=1, ge=1, le=100)
    prefetch: int = Field(default=200, ge=1, le=65_535)
    ack_batch: int = Field(default=1, ge=1, le=65_535)
    away_s: float = Field(default=0.0, ge=0, le=3600)

    @model_validator(mode="after")
    def _acknowledges_what_it_may_hold(self) -> Self:
        if self.ack_batch > self.prefetch:
            what = "above prefetch, so that a consumer would wait for ever; lower it"
            raise refuse("ack_batch", what)
        return self


FaultKind = Literal[
    "kill-broker",
    "kill-broker-holding",
    "pause-broker",
    "cut-connection",
    "kill-consumer",
    "fill-disk",
    "kill-leader",
    "pause-leader",
]


LEADER_FAULTS: frozenset[FaultKind] = frozenset({"kill-leader", "pause-leader"})
"""Kinds that break one node of several: the one that leads."""


class Fault(Part):
    """What goes wrong in the middle of a trial, ``at_s`` seconds after its start.

    ``kill-broker``: all its processes, as by ``kill -9``, and started again on its data ``down_s``
    later. ``kill-broker-holding``: the same while consumers are away, so that it holds all that was
    sent; they come when it is back. ``pause-broker``: taken off the processor for ``paused_s``.
    ``cut-connection``: every connection of the clients, again and again for ``cut_s``.
    ``kill-consumer``: the process of the first consumer, with what it has in hand; another takes
    its place ``away_s`` later. ``fill-disk``: the broker's file system, full for ``full_s``.
    ``kill-leader`` and ``pause-leader``: as the broker, but only that node of a cluster that leads
    the queue or topic.
    """

    kind: FaultKind = "kill-broker"
    at_s: float = Field(default=2.0, ge=0.1, le=3600)
    down_s: float = Field(default=1.0, ge=0, le=600)
    paused_s: float = Field(default=10.0, gt=0, le=600)
    cut_s: float = Field(default=1.0, gt=0, le=600)
    away_s: float = Field(default=1.0, ge=0, le=600)
    full_s: float = Field(default=5.0, gt=0, le=600)

    @property
    def lasts_s(self) -> float:
        """How long the fault itself lasts, in seconds."""
        spans = {
            "kill-broker": self.down_s,
            "kill-broker-holding": self.down_s,
            "pause-broker": self.paused_s,
            "cut-connection": self.cut_s,
            "kill-consumer": self.away_s,
            "fill-disk": self.full_s,
            "kill-leader": self.down_s,
            "pause-leader": self.paused_s,
        }
        return spans[self.kind]


class Timing(Part):
    """How long the parts of a trial last; ``grace_s`` is how long a silent drain is waited for."""

    warmup_s: float = Field(default=0.5, ge=0, le=3600)
    measure_s: float = Field(gt=0, le=3600)
    grace_s: float = Field(default=5.0, gt=0, le=3600)


class Requires(Part):
    """What the user needs; the table says met, not met or not shown.

    ``headroom`` is capacity ÷ rate.
    """

    rate_per_s: float | None = Field(default=None, gt=0)
    end_to_end_p99_ms: float | None = Field(default=None, gt=0)
    publish_p99_ms: float | None = Field(default=None, gt=0)
    lost: int | None = Field(default=None, ge=0)
    ordering: Ordering | None = None
    headroom: float | None = Field(default=None, ge=1)


class Analysis(model.Analysis):
    """Declared before the run; of the metrics that messaging has."""

    metric: Metric


class MessageScenario(Scenario):
    """A workload of messages, what it requires, and how it is analysed.

    ``experiment`` is ``latency`` (open schedule at a fixed rate), ``capacity`` (search for the
    highest rate that holds ``slo_p99_ms`` with a flat backlog), ``backlog`` (consumers away, then
    drain) or ``fault`` (something breaks and comes back; run with ``-m faults`` only).
    """

    SWEPT: ClassVar[tuple[str, ...]] = (
        "payload",
        "arrivals",
        "promise",
        "producer",
        "consumers",
        "fault",
        "slo_p99_ms",
    )

    experiment: Literal["latency", "capacity", "backlog", "fault"]
    payload: Payload = Payload()
    arrivals: Arrivals
    promise: Promise = Promise()
    producer: Producer = Producer()
    consumers: Consumers = Consumers()
    fault: Fault | None = None
    timing: Timing
    slo_p99_ms: float = Field(default=250.0, gt=0)
    requires: Requires = Requires()
    analysis: Analysis

    @property
    def kind(self) -> str:
        """The experiment."""
        return self.experiment

    @property
    def breaks(self) -> bool:
        """Whether it has a fault."""
        return self.fault is not None

    @property
    def seconds(self) -> float:
        """About how long a trial takes: its warm-up, its measured time, and what is around them."""
        if self.fault is not None:
            return self.timing.measure_s + self.fault.lasts_s + FAULT_OVERHEAD_S
        climbing_s = CLIMBING_S if self.experiment == "capacity" else 0.0
        return self.timing.warmup_s + self.timing.measure_s + TRIAL_OVERHEAD_S + climbing_s

    def shortened(self) -> Self:
        """Return the scenario shortened to about a second, at no more than 200 messages/s."""
        rate = min(self.arrivals.fixed_rate_per_s or _SMOKE_RATE_PER_S, _SMOKE_RATE_PER_S)
        values = {
            "timing.warmup_s": min(self.timing.warmup_s, _SMOKE_WARMUP_S),
            "timing.measure_s": _SMOKE_MEASURE_S,
            "consumers.away_s": min(self.consumers.away_s, _SMOKE_AWAY_S),
            "arrivals.rate_per_s": rate,
        }
        if self.fault is not None:
            values["fault.at_s"] = min(self.fault.at_s, _SMOKE_FAULT_AT_S)
        return pinned(self, values)

    def stretched(self, factor: float) -> Self:
        """Return the scenario with its measured time multiplied by ``factor``."""
        return pinned(self, {"timing.measure_s": self.timing.measure_s * factor})

    @model_validator(mode="after")
    def _fits_its_experiment(self) -> Self:
        if self.experiment == "capacity" and self.arrivals.capacity_share is not None:
            what = "a share of capacity can't start the search for it; write messages a second"
            raise refuse("arrivals.rate_per_s", what)
        if self.experiment == "capacity" and self.emulator:
            what = "the capacity of an emulator says nothing, and is not measured; remove it"
            raise refuse("emulator", what)
        if self.experiment == "backlog" and not 0 < self.consumers.away_s < self.timing.measure_s:
            what = "a backlog needs consumers away for a part of measure_s; choose in between"
            raise refuse("consumers.away_s", what)
        if (self.experiment == "fault") != (self.fault is not None):
            what = "experiment fault needs it, and no other has it; add it or remove it"
            raise refuse("fault", what)
        if self.fault is not None and self.fault.at_s >= self.timing.measure_s:
            raise refuse("fault.at_s", "after the trial's end; choose less than measure_s")
        if self.experiment != "backlog" and self.consumers.away_s:
            raise refuse("consumers.away_s", "only for experiment backlog; remove it")
        return self

    @model_validator(mode="after")
    def _asks_no_more_than_is_promised(self) -> Self:
        needed = self.requires.ordering or "none"
        if _STRENGTH[needed] > _STRENGTH[self.promise.ordering]:
            what = f"{needed} is more than promise.ordering asks of candidates; make them agree"
            raise refuse("requires.ordering", what)
        return self

    @model_validator(mode="after")
    def _can_be_scheduled(self) -> Self:
        duration_s = self.timing.warmup_s + self.timing.measure_s
        if (self.arrivals.fixed_rate_per_s or 0) * duration_s > _MOST_MESSAGES:
            what = f"over {_MOST_MESSAGES} messages a trial; lower the rate or shorten timing"
            raise refuse("arrivals.rate_per_s", what)
        return self
