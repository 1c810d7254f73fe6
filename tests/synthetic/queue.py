"""A server with a known service rate, worked out instead of run: stands in for a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import numpy as np

from spikebench.load.bench import Bench
from spikebench.load.schedule import Schedule
from spikebench.load.session import Limits
from spikebench.measure.observation import Observation, Usage
from spikebench.scenario.messages import MessageScenario
from spikebench.target.software import Cores
from tests.synthetic.segment import T0_NS, delivery, ns
from tests.synthetic.workload import bodies, scenario

IDLE = Usage(server_cpu_s=0.0, client_cpu_s=0.0, span_s=1.0)
NEVER_S = 1e6


@dataclass
class QueueSession:
    """One server, first come first served, at ``rate_per_s`` messages a second.

    A message takes ``latency_s`` beside its wait and service; above ``slow_above_per_s`` messages a
    second it takes ``slow_s``. The sender keeps ``window`` messages unconfirmed and stops at its
    deadline. With a work-conserving server the window delays sending and never the server, so a
    message is done at max(its due time, the one before it is done) + 1/rate, whatever the window.
    """

    rate_per_s: float
    latency_s: float = 0.001
    slow_above_per_s: float = np.inf
    slow_s: float = 0.0
    window: int = 1000
    usage: Usage = IDLE
    error: str = ""
    tried: list[float] = field(default_factory=list)
    opened_later: bool = False
    attached_s: float = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is nothing to close."""

    def attach(self) -> None:
        """Consumers come back."""

    def run(
        self,
        schedule: Schedule,
        duration_s: float,
        limits: Limits,
        between: Callable[[], None] | None = None,
    ) -> Observation:
        if between:
            between()
        count = len(schedule)
        asked = count / duration_s
        self.tried.append(asked)
        due = schedule.offsets_ns / 1e9
        number = np.arange(count)
        if count and self.rate_per_s:
            ready = np.maximum(due, self.attached_s)
            done = np.maximum.accumulate(ready - number / self.rate_per_s)
            done += (number + 1) / self.rate_per_s
        else:
            done = np.full(count, NEVER_S)
        sent = due.copy()
        sent[self.window :] = np.maximum(due[self.window :], done[: max(count - self.window, 0)])
        unsent = sent > duration_s + limits.overrun_s
        arrived = done + (self.slow_s if asked > self.slow_above_per_s else self.latency_s)
        got = ~unsent & (done < NEVER_S)
        return Observation(
            first_seq=0,
            intended_ns=T0_NS + schedule.offsets_ns,
            sent_ns=np.where(unsent, 0, T0_NS + ns(sent)),
            confirmed_ns=np.where(got, T0_NS + ns(done), 0),
            key=schedule.key,
            size_bytes=np.full(count, 128, np.int32),
            subscribers=1,
            deliveries=(delivery(np.flatnonzero(got), T0_NS + ns(arrived[got])),),
            usage=replace(self.usage, span_s=duration_s),
            error=self.error,
            attached_ns=T0_NS + int(self.attached_s * 1e9),
        )


@dataclass
class Up:
    """A server that is up and does nothing."""

    connection: dict[str, str] = field(default_factory=dict)
    startup_s: float | None = 3.5
    paused: bool = False
    stopped: bool = False
    log: list[str] = field(default_factory=list)

    def cpu_s(self) -> float | None:
        return 1.0

    def peak_rss_bytes(self) -> int | None:
        return 50_000_000

    def alive(self) -> bool:
        return not self.stopped

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def log_tail(self) -> str:
        return "all is well"

    def stop(self) -> None:
        self.stopped = True


def bench(queue: QueueSession, given: MessageScenario | None = None, **changes: Any) -> Bench:
    """A bench whose every session is ``queue``."""

    def session(receivers_later: bool = False) -> Any:
        queue.opened_later = receivers_later
        return queue

    values: dict[str, Any] = {
        "scenario": given or scenario(),
        "templates": bodies(),
        "session": session,
        "cores": Cores([0], [1]),
        "server": Up(),
        "seed": 1,
        "rate_per_s": 1000.0,
    }
    return Bench(**(values | changes))
