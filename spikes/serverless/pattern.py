"""How a service is called, and what would serve it on Fargate: what a cost rests on, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from spikebench.scenario.check import validated
from spikebench.scenario.document import Document

HOURS_A_MONTH = 730.0
"""8,760 hours a year ÷ 12, as AWS's own calculator counts."""

_MEMORY_GB = {
    0.25: (0.5, 1.0, 2.0),
    0.5: tuple(map(float, range(1, 5))),
    1.0: tuple(map(float, range(2, 9))),
    2.0: tuple(map(float, range(4, 17))),
    4.0: tuple(map(float, range(8, 31))),
    8.0: tuple(map(float, range(16, 61, 4))),
    16.0: tuple(map(float, range(32, 121, 8))),
}
"""What a task may have, by vCPU (Amazon ECS Developer Guide, "Task CPU and memory")."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Fargate(_Part):
    """``tasks`` that run all day, each with ``vcpu`` and ``memory_gb``, behind a load balancer.

    ``requests_per_connection`` and ``kb_per_request`` (request and response, kB of 1,000 bytes) are
    what the load balancer's capacity units follow from. ``rate_per_task_per_s`` is what one task
    was seen to carry; None where nobody has measured it.
    """

    vcpu: float
    memory_gb: float
    tasks: int = Field(default=2, ge=1, le=1000)
    load_balancer: bool = True
    requests_per_connection: float = Field(default=1.0, ge=1)
    kb_per_request: float = Field(default=0.0, ge=0)
    rate_per_task_per_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_a_size_there_is(self) -> Self:
        sizes = _MEMORY_GB.get(self.vcpu)
        known = ", ".join(f"{size:g}" for size in sizes or _MEMORY_GB)
        if sizes is None or self.memory_gb not in sizes:
            key = "memory_gb" if sizes else "vcpu"
            what = f"Fargate has no such size; write one of {known}"
            raise PydanticCustomError("scenario", "{what}", {"what": what, "key": key})
        return self


class Pattern(_Part):
    """Poisson requests at ``rate_per_s``, all month, and the assumptions that a cost needs.

    ``idle_timeout_s`` is how long an idle environment is kept; AWS documents no figure.
    ``cold_share`` replaces the simulation where the share was counted (CloudWatch). ``free_tier``
    takes the free units of a month off, as if no other function of the account used them.
    ``snapstart_versions`` is how many published versions are kept.
    """

    title: str = ""
    rate_per_s: float = Field(gt=0, le=1_000_000)
    idle_timeout_s: float = Field(ge=0, le=86_400)
    routing: Literal["most-recent", "least-recent"] = "most-recent"
    cold_share: float | None = Field(default=None, ge=0, le=1)
    architecture: Literal["x86", "arm"] = "x86"
    free_tier: bool = False
    snapstart_versions: int = Field(default=1, ge=1, le=1000)
    seed: int = Field(default=1, ge=0)
    fargate: Fargate

    @property
    def invocations_per_month(self) -> float:
        """Requests in a month of 730 hours."""
        return self.rate_per_s * HOURS_A_MONTH * 3600

    def at(self, invocations_per_month: float) -> Self:
        """Return the same pattern with so many requests a month."""
        rate_per_s = invocations_per_month / (HOURS_A_MONTH * 3600)
        return self.model_copy(update={"rate_per_s": rate_per_s})


def read_pattern(path: Path) -> Pattern:
    """Return the pattern in ``path``; raise ScenarioError for anything wrong with it."""
    document = Document.read(path, begins="rate_per_s: <requests a second>")
    return validated(Pattern, document.values, document)
