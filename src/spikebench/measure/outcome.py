"""What an experiment hands back of one trial: metrics, ledger, resources, whether it counts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

Better = Literal["higher", "lower", "neither"]
Status = Literal["valid", "void", "failed", "unavailable"]
Limit = Literal["broker", "client", "target", "unknown"]


STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
"""Unknown keys are refused, and numbers that are not finite."""


Figure = Annotated[float, Field(ge=-1e15, le=1e15)]
"""A figure; beyond a million billion of whatever unit it is no measurement of ours."""

Count = Annotated[int, Field(ge=0, le=10**15)]
"""A number of messages, samples or bytes."""


class Part(BaseModel):
    """A frozen piece of a record; unknown keys are refused."""

    model_config = STRICT | ConfigDict(frozen=True)


# What a record holds by the dozen has slots: a model takes four times the memory of a slotted
# dataclass and twice the time to check, and a table of ten thousand trials has a quarter of a
# million metrics.
@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Metric:
    """One number of a trial. ``value`` is None where it is withheld, with the reason in ``note``.

    ``n`` is the number of samples beneath it. ``noise_free`` declares that nothing of it is
    estimated: it was counted, message by message, and what it says of its trial is so.
    """

    value: Figure | None
    unit: str
    better: Better = "neither"
    n: Count | None = None
    note: str = ""
    noise_free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Ledger:
    """The account of every measured message of a trial.

    ``expected`` is confirmed × subscribers; ``delivered`` counts distinct deliveries,
    ``duplicated`` the repeats, ``lost`` confirmed messages that a subscriber never got (each
    subscriber counts), ``reordered`` first deliveries that arrived after a later message of the
    same key (or queue, as the scenario asks) at the same consumer.
    """

    sent: Count
    confirmed: Count
    failed: Count = 0
    expected: Count
    delivered: Count
    lost: Count
    duplicated: Count
    reordered: Count
    foreign: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Resources:
    """CPU seconds over the measured segment, peak memory in bytes; None where it can't be seen."""

    candidate_cpu_s: Figure | None = None
    client_cpu_s: Figure | None = None
    peak_rss: Count | None = None
    client_peak_rss: Count | None = None
    startup_s: Figure | None = None


STARTING = "starting"
"""An event: what was broken has been started again, and does not serve yet."""

AWAY = "consumers-away"
"""An event: no consumer was connected."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Event:
    """Something that was done to a trial on purpose: a fault of some kind, ``STARTING``, ``AWAY``.

    ``began_s`` and ``ended_s`` are seconds from the first intended send of the measured segment.
    """

    what: str
    began_s: Figure
    ended_s: Figure


class Outcome(Part):
    """One trial of one cell as an experiment saw it.

    ``headline_s`` is the scenario's metric as seconds, smaller being better: what pytest-benchmark
    is given. ``quantiles`` maps a latency's name to {"0.5": ns, ...}. ``series`` and ``events`` are
    as in a record.
    """

    status: Status
    reason: str = ""
    limit: Limit = "unknown"
    metrics: dict[str, Metric] = {}
    quantiles: dict[str, dict[str, float | None]] = {}
    ledger: Ledger | None = None
    resources: Resources = Resources()
    series: dict[str, list[float]] = {}
    events: tuple[Event, ...] = ()
