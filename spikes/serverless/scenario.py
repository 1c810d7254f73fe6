"""What a serverless scenario's file may say: a handler, the function's size, and what is required.

Times are in seconds unless a name says otherwise, memory in MB as Lambda counts it (1,024² bytes).
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from spikebench.scenario import model
from spikebench.scenario.model import Part, Scenario, refuse
from spikebench.scenario.variant import pinned

Handler = Literal["hello", "json", "spring", "in-process"]

Lever = Literal[
    "baseline",
    "c1",
    "lambda-flags",
    "lambda-runtime",
    "appcds",
    "appcds+c1",
    "aot-cache",
    "aot-cache+c1",
    "snapshot",
    "snapstart",
    "native",
]
"""What may make a start faster; ``docs/serverless.md`` says what each does."""

PageCache = Literal["warm", "dropped"]

Metric = Literal[
    "cold_start",
    "runtime_up",
    "init",
    "first_invoke",
    "warm_p50",
    "warm_p99",
    "invokes_until_warm",
    "peak_memory",
    "cpu_cold",
]
"""What a scenario's comparison can rest on."""

SMOKE_INVOKES = 5


class Invokes(Part):
    """How often a function is invoked in a trial, and how long each may take.

    ``after_first`` are the invokes that follow the first. ``init_s`` bounds what Lambda calls the
    init phase and ends after 10 s: here it may take longer, and the record says that it did.
    ``about_s`` is how long a trial takes, for the estimate of a run.
    """

    after_first: int = Field(default=40, ge=0, le=100_000)
    init_s: float = Field(default=60.0, gt=0, le=900)
    invoke_s: float = Field(default=60.0, gt=0, le=900)
    about_s: float = Field(default=1.0, gt=0, le=900)


class Requires(Part):
    """What the user needs; the table says met, not met or not shown."""

    cold_start_ms: float | None = Field(default=None, gt=0)


class Analysis(model.Analysis):
    """Declared before the run; of the metrics that a cold start has."""

    metric: Metric = "cold_start"


class ColdStart(Scenario):
    """A handler that is started anew in each trial: how long until it has answered?

    ``memory_mb`` is the function's size, which gives it its share of a processor. ``page_cache`` is
    whether its files are in the machine's page cache when it starts.
    """

    SWEPT: ClassVar[tuple[str, ...]] = ("lever", "memory_mb", "page_cache")

    handler: Handler
    lever: Lever = "baseline"
    memory_mb: int = Field(default=1769, ge=128, le=10_240)
    page_cache: PageCache = "warm"
    invokes: Invokes = Invokes()
    requires: Requires = Requires()
    analysis: Analysis

    @property
    def kind(self) -> str:
        """The handler."""
        return f"handler {self.handler}"

    @property
    def seconds(self) -> float:
        """About how long a trial takes: longer where it has less of a processor."""
        return self.invokes.about_s * max(1.0, 1769 / self.memory_mb)

    def shortened(self) -> Self:
        """Return the scenario with few invokes; a start is as long as it is."""
        few = min(self.invokes.after_first, SMOKE_INVOKES)
        return pinned(self, {"invokes.after_first": few})

    def stretched(self, factor: float) -> Self:
        """Return the scenario with ``factor`` times as many invokes after the first."""
        return pinned(self, {"invokes.after_first": round(self.invokes.after_first * factor)})

    @model_validator(mode="after")
    def _emulates_nothing(self) -> Self:
        if self.emulator:
            raise refuse("emulator", "no function runs on an emulator of a service; remove it")
        return self
