"""The team's load and how each candidate would be run for it: what a cost rests on, as data."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from spikebench.scenario.check import validated
from spikebench.scenario.document import Document
from spikebench.scenario.model import Part, refuse

HOURS_A_MONTH = 730.0
"""8,760 hours a year ÷ 12, as AWS's own calculator counts."""


class Polling(Part):
    """What a consumer of SQS does while nothing comes: polls of ``wait_s``, 0 for short ones.

    Short polls are ``pause_s`` apart. A long poll waits up to 20 s (Amazon SQS Developer Guide,
    "Amazon SQS short and long polling").
    """

    wait_s: float = Field(default=20.0, ge=0, le=20)
    pause_s: float = Field(default=1.0, gt=0, le=3600)

    @property
    def every_s(self) -> float:
        """Seconds from one vain poll to the next."""
        return self.wait_s or self.pause_s


class Nodes(Part):
    """Brokers run by the team: ``count`` of them, each with a disk of ``storage_gb``.

    On EC2 ``instance`` names their type. Else they are tasks on Fargate, of ``vcpu``,
    ``memory_gb`` and ``architecture``; ECS deletes a task's disk when it stops, unless told
    otherwise, and a new task has a new one (Amazon ECS Developer Guide, "Use Amazon EBS volumes
    with Amazon ECS"). They stand in as many zones as there are, up to three. ``load_balancer`` is
    for RabbitMQ.
    """

    count: int = Field(default=3, ge=1, le=99)
    instance: str = ""
    vcpu: float | None = Field(default=None, gt=0)
    memory_gb: float | None = Field(default=None, gt=0)
    architecture: Literal["x86", "arm"] = "x86"
    storage_gb: float = Field(default=0.0, ge=0)
    load_balancer: bool = True

    @model_validator(mode="after")
    def _run_somewhere(self) -> Self:
        task = (self.vcpu, self.memory_gb)
        if bool(self.instance) == any(task) or (not self.instance and None in task):
            what = "write instance, a type of EC2, or vcpu and memory_gb, of a task on Fargate"
            raise refuse("instance", what)
        return self


class Managed(Part):
    """Brokers run by AWS, and a disk each: ``brokers`` of the type ``msk`` on Amazon MSK; on Amazon
    MQ a cluster of three of the type ``mq``, as RabbitMQ has there.
    """

    brokers: int = Field(default=3, ge=1, le=99)
    msk: str = Field(min_length=1)
    mq: str = Field(min_length=1)
    storage_gb: float = Field(default=0.0, ge=0)


class Upkeep(Part):
    """Hours of a person a month; without ``usd_per_hour`` they are not priced."""

    nodes_hours: float = Field(default=0.0, ge=0)
    managed_hours: float = Field(default=0.0, ge=0)
    service_hours: float = Field(default=0.0, ge=0)
    usd_per_hour: float | None = Field(default=None, ge=0)


class Pattern(Part):
    """Messages at a mean ``rate_per_s`` for ``hours_per_month``, and what would carry them.

    ``scenario`` is the one whose batches, bursts, subscribers and order a cost has that is asked
    for without a run; ``size_bytes`` is the mean body then. ``free_tier`` takes the free units of a
    month off, as if nothing else in the account used them.
    """

    title: str = ""
    rate_per_s: float = Field(gt=0, le=10_000_000)
    size_bytes: float = Field(gt=0)
    hours_per_month: float = Field(default=HOURS_A_MONTH, gt=0, le=744)
    scenario: str = Field(min_length=1)
    free_tier: bool = False
    polling: Polling = Polling()
    nodes: Nodes
    managed: Managed
    upkeep: Upkeep = Upkeep()

    @cached_property
    def seconds_per_month(self) -> float:
        """Seconds a month in which messages come."""
        return self.hours_per_month * 3600


def read_pattern(path: Path) -> Pattern:
    """Return the pattern in ``path``; raise ScenarioError for anything wrong with it."""
    document = Document.read(path, begins="rate_per_s: <messages a second>")
    return validated(Pattern, document.values, document)
