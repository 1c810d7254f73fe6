"""The experiment that breaks something in the middle, and sees what becomes of every message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, cast

from spikebench.errors import TargetError
from spikebench.load.bench import Bench
from spikebench.load.cutter import cut
from spikebench.load.judge import resources
from spikebench.load.session import Limits, Session
from spikebench.measure.ledger import account
from spikebench.measure.observation import Observation
from spikebench.measure.outcome import AWAY, STARTING, Event, Metric, Outcome
from spikebench.measure.recovery import fault_metrics
from spikebench.measure.series import over_time
from spikebench.scenario.messages import Fault, FaultKind

MEASURED = 1
"""The part of a trial for which its schedule is drawn, as in other experiments."""

OVERRUN_S = 20.0
"""How long after its schedule a segment may go on sending what a fault held up."""

CONFIRM_S = 20.0
CUT_EVERY_S = 0.02

LOST = "the connection was lost"
"""How the reason begins for which the Java loop gives up what is unconfirmed."""

PATIENCE_S = 8.0
"""How long a server is given to go on by itself once its disk has room again."""


class Breakable(Protocol):
    """A server that faults can be put into: one of our own (``LocalServer``)."""

    @property
    def ports(self) -> frozenset[int]: ...

    def alive(self) -> bool: ...

    def crash(self) -> None: ...

    def start_again(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def confine(self) -> None: ...

    def fill_disk(self) -> None: ...

    def free_disk(self) -> None: ...


class Led(Protocol):
    """A server of several nodes, one of which leads (``LocalCluster``)."""

    def leader_of(self, name: str) -> Breakable: ...


@dataclass(frozen=True)
class Span:
    """From when to when something was so, in CLOCK_MONOTONIC nanoseconds."""

    what: str
    began_ns: int
    ended_ns: int


@dataclass
class Injection:
    """One fault being put into one trial.

    ``spans`` are the fault itself, which ends when it is undone, and what followed until that had
    an effect; ``restarts`` how often the server had to be started by hand because it did not come
    back by itself.
    """

    fault: Fault
    session: Session
    server: Breakable
    say: Callable[[str], None]
    spans: list[Span] = field(default_factory=list)
    restarts: int = 0

    def run(self) -> None:
        """Wait for its time, break, wait, mend; called while the segment is sent."""
        time.sleep(self.fault.at_s)
        self.say(f"{self.fault.kind} for {self.fault.lasts_s:g} s")
        _KINDS[self.fault.kind](self)

    @property
    def began_ns(self) -> int:
        """When it was put in; to ask for a leader, or for the time, is no part of it."""
        return next(span.began_ns for span in self.spans if span.what == self.fault.kind)

    def kill_broker(self) -> None:
        self._kill(self.server)

    def kill_broker_holding(self) -> None:
        self.kill_broker()
        self.session.attach()

    def kill_leader(self) -> None:
        self._kill(self._leader())

    def pause_leader(self) -> None:
        self._pause(self._leader())

    def _kill(self, server: Breakable) -> None:
        with self._broken():
            server.crash()
            time.sleep(self.fault.down_s)
        self._start(server)

    def _start(self, server: Breakable) -> None:
        with self._during(STARTING):
            server.start_again()

    def _pause(self, server: Breakable) -> None:
        with self._broken():
            server.pause()
            time.sleep(self.fault.paused_s)
        server.resume()

    def _leader(self) -> Breakable:
        """The node that leads what the trial sends to."""
        return cast(Led, self.server).leader_of(self.session.wiring.name)

    def pause_broker(self) -> None:
        self._pause(self.server)

    def cut_connection(self) -> None:
        with self._broken():
            until = time.monotonic() + self.fault.cut_s
            if not cut(self.session.pids, self.server.ports):
                raise TargetError("there was no connection to cut; is the client connected at all?")
            while time.monotonic() < until:
                time.sleep(CUT_EVERY_S)
                cut(self.session.pids, self.server.ports)

    def kill_consumer(self) -> None:
        with self._broken():
            self.session.kill_consumer()
            time.sleep(self.fault.away_s)
        with self._during(STARTING):
            self.session.replace_consumer()

    def fill_disk(self) -> None:
        with self._broken():
            self.server.fill_disk()
            try:
                time.sleep(self.fault.full_s)
            finally:
                self.server.free_disk()
        if not self._flows():
            self._restart()

    def _flows(self) -> bool:
        """Whether the server lives, and messages arrive within a while."""
        before, until = self.session.received(), time.monotonic() + PATIENCE_S
        while self.server.alive() and time.monotonic() < until:
            if self.session.received() > before:
                return True
            time.sleep(0.2)
        return False

    def _restart(self) -> None:
        self.say("it does not come back by itself: starting it again")
        self.restarts += 1
        if self.server.alive():
            self.server.crash()
        self._start(self.server)

    def _broken(self) -> AbstractContextManager[None]:
        return self._during(self.fault.kind)

    @contextmanager
    def _during(self, what: str) -> Iterator[None]:
        began_ns = time.monotonic_ns()
        try:
            yield
        finally:
            self.spans.append(Span(what, began_ns, time.monotonic_ns()))


_KINDS: dict[FaultKind, Callable[[Injection], None]] = {
    "kill-broker": Injection.kill_broker,
    "pause-broker": Injection.pause_broker,
    "cut-connection": Injection.cut_connection,
    "kill-consumer": Injection.kill_consumer,
    "fill-disk": Injection.fill_disk,
    "kill-broker-holding": Injection.kill_broker_holding,
    "kill-leader": Injection.kill_leader,
    "pause-leader": Injection.pause_leader,
}


def fault(bench: Bench) -> Outcome:
    """Send at a fixed rate while something breaks and comes back; account for every message.

    A trial counts whatever was lost: that is its result. It fails where a client gave up.
    """
    planned_fault = bench.scenario.fault
    assert planned_fault is not None, "a scenario of this experiment has a fault"
    duration_s = bench.scenario.timing.measure_s + planned_fault.lasts_s
    limits = Limits(OVERRUN_S, CONFIRM_S, bench.scenario.timing.grace_s)
    planned = bench.schedule(bench.rate_per_s, duration_s, MEASURED)
    server = cast(Breakable, bench.server)
    if planned_fault.kind == "fill-disk":
        server.confine()
    holding = planned_fault.kind == "kill-broker-holding"
    with bench.session(receivers_later=holding) as session:
        if planned_fault.kind == "kill-consumer":
            session.stand_by()
        injection = Injection(planned_fault, session, server, bench.say)
        seen = session.run(planned, duration_s, limits, between=injection.run)
    return Outcome(
        status="failed" if seen.error else "valid",
        reason=seen.error,
        metrics={
            **fault_metrics(seen, injection.began_ns),
            **_restarts(injection),
            **_rejected(seen),
        },
        ledger=account(seen, bench.scenario.promise.ordering),
        resources=resources(seen.usage, bench),
        series=over_time(seen),
        events=_events(injection, seen),
    )


def _events(injection: Injection, seen: Observation) -> tuple[Event, ...]:
    """What was done, in the segment's own time; consumers may have been away at first."""
    start_ns = int(seen.intended_ns[0])
    away = [Span(AWAY, start_ns, seen.attached_ns)] if seen.attached_ns else []
    return tuple(
        Event(
            what=span.what,
            began_s=round((span.began_ns - start_ns) / 1e9, 6),
            ended_s=round((span.ended_ns - start_ns) / 1e9, 6),
        )
        for span in [*away, *injection.spans]
    )


def _rejected(seen: Observation) -> dict[str, Metric]:
    """What broker or client would not take, other than for a lost connection."""
    refusals = {why: n for why, n in seen.refusals.items() if not why.startswith(LOST)}
    if not refusals:
        return {}
    note = max(refusals, key=lambda why: refusals[why])
    return {"rejected": Metric(value=sum(refusals.values()), unit="messages", note=note)}


def _restarts(injection: Injection) -> dict[str, Metric]:
    if not injection.restarts:
        return {}
    note = "it did not come back by itself, and was started again"
    return {"restarts": Metric(value=injection.restarts, unit="restarts", note=note)}
