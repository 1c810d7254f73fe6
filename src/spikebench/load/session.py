"""A session: one trial's topology with its clients connected, on which segments are run.

``run`` is the whole of a measurement: hand out the schedule, wait while it is sent, wait until all
that was confirmed has arrived or nothing comes any more, and put the timestamps together.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from spikebench.candidate import Client
from spikebench.load.crew import Crew, Hand, Runtime, split_roles
from spikebench.load.driver import Topology, Wiring
from spikebench.load.generator import Cargo, Harvest, Order, Progress, Roles
from spikebench.load.journal import read_journals
from spikebench.load.schedule import Schedule
from spikebench.measure import processes
from spikebench.measure.column import Joined, column
from spikebench.measure.observation import Delivery, Flags, Observation, Usage
from spikebench.measure.spool import Spool
from spikebench.target.software import Running

LEAD_S = 0.06
"""Time between handing out a schedule and its start, so that every worker is ready."""

DRAIN_POLL_S = 0.05

Watch = Callable[[Progress], None]
"""Called with running totals a few times a second while a segment is sent."""


@dataclass(frozen=True)
class Limits:
    """How long a segment may take beyond its schedule, in seconds.

    ``overrun_s``: for sending what the window held back; ``confirm_s``: for the last confirms;
    ``grace_s``: how long a drain may be silent before what is missing counts as lost.
    """

    overrun_s: float = 2.0
    confirm_s: float = 5.0
    grace_s: float = 5.0


@dataclass
class Session:
    """Clients of one trial. A context manager: opened on entry, everything deleted on exit.

    ``versions`` is told the client library's version under ``client``.
    """

    crew: Crew
    runtime: Runtime
    client: Client
    wiring: Wiring
    topology: Topology | None
    cargo: Cargo
    server: Running | None
    watch: Watch = lambda _: None
    receivers_later: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    _staffed: list[tuple[Hand, str, Roles]] = field(default_factory=list)
    _left_behind: list[Delivery] = field(default_factory=list)
    _next_seq: int = 0
    _attached_ns: int = 0
    _vacant: Roles = field(default_factory=lambda: Roles(False))
    _spare: Hand | None = None
    _server_before: float | None = None
    _client_before: dict[int, float | None] = field(default_factory=dict)
    _client_ended: dict[int, float | None] = field(default_factory=dict)
    _cores_before: dict[int, float] = field(default_factory=dict)
    _called: dict[tuple[int, str], Counter[str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        try:
            if self.topology:
                self.topology.create()
            self._open(self._roles())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def attach(self) -> None:
        """Connect the receivers of a session that was opened without them."""
        consumers = [
            Roles(False, roles.receives)
            for roles in split_roles(
                self.client.one_process, self.wiring.subscribers, self.wiring.consumers
            )
            if roles.receives
        ]
        first = 0 if self.client.one_process else 1
        # workers are started first: their start is neither the consumers' CPU nor their return
        for hand in self.crew.hands(self.runtime, first + len(consumers)):
            self._client_before.setdefault(hand.pid, processes.cpu_s([hand.pid]))
        self._attached_ns = time.monotonic_ns()
        self._open(consumers, name="receivers", first=first)

    @property
    def pids(self) -> list[int]:
        """Process numbers of the generators at work."""
        return sorted({hand.pid for hand, _, _ in self._staffed})

    def received(self) -> int:
        """Messages that the consumers have got so far, over all segments."""
        told = (hand.ask("progress", name=name) for hand, name, _ in self._staffed)
        return sum(progress["received"] for progress in told)

    def stand_by(self) -> None:
        """Start the worker that is to take a killed consumer's place before it is needed."""
        self._spare = self.crew.hands(self.runtime, len(self._staffed) + 1)[-1]

    def kill_consumer(self) -> None:
        """Kill the process of the first consumer; what it had got is read from its journal.

        The client must run sender and consumers in processes of their own, with a journal.
        """
        victim = next(staffed for staffed in self._staffed if not staffed[2].sends)
        self._client_ended[victim[0].pid] = victim[0].kill()
        self._staffed.remove(victim)
        self._vacant = victim[2]
        journal = Path(self.wiring.journal)
        self._left_behind.extend(read_journals(journal, victim[0].pid))

    def replace_consumer(self) -> None:
        """Put the worker that stands by where a consumer was killed."""
        assert self._spare is not None, "a worker stands by"
        self._employ(self._spare, self._vacant, "main")

    def run(
        self,
        schedule: Schedule,
        duration_s: float,
        limits: Limits,
        between: Callable[[], None] | None = None,
    ) -> Observation:
        """Send ``schedule``, which spans ``duration_s``, and return what was seen.

        ``between`` is called once, while it is sent.
        """
        order = self._order(schedule, duration_s, limits)
        sender = self._staffed[0]
        self._begin(sender, order)
        if between:
            between()
        error = self._await_sent(sender[0], order, limits)
        busy = self._usage_since(order.t0_ns)
        return self._observe(schedule, order, busy, limits, error)

    def _roles(self) -> list[Roles]:
        dealt = split_roles(self.client.one_process, self.wiring.subscribers, self.wiring.consumers)
        return [Roles(True)] if self.receivers_later else dealt

    def _open(self, dealt: Sequence[Roles], name: str = "main", first: int = 0) -> None:
        hands = self.crew.hands(self.runtime, first + len(dealt))[first:]
        # receivers are opened before the sender, so that none misses what a broker fans out
        for hand, roles in sorted(zip(hands, dealt, strict=True), key=lambda pair: pair[1].sends):
            self._employ(hand, roles, name)

    def _employ(self, hand: Hand, roles: Roles, name: str) -> None:
        self._staffed.append((hand, name, roles))
        self.versions["client"] = hand.ask(
            "open",
            name=name,
            language=self.client.language,
            driver=self.client.driver,
            wiring=self.wiring.to_json(),
            cargo=hand.hand_over(self.cargo, "cargo"),
            sends=roles.sends,
            receives=[list(pair) for pair in roles.receives],
        )
        self._staffed.sort(key=lambda staffed: not staffed[2].sends)

    def _order(self, schedule: Schedule, duration_s: float, limits: Limits) -> Order:
        t0_ns = time.monotonic_ns() + int(LEAD_S * 1e9)
        order = Order(
            first_seq=self._next_seq,
            t0_ns=t0_ns,
            deadline_ns=t0_ns + int((duration_s + limits.overrun_s) * 1e9),
            confirm_timeout_s=limits.confirm_s,
            offsets_ns=schedule.offsets_ns,
            template=schedule.template,
            key=schedule.key,
        )
        self._next_seq += len(schedule.offsets_ns)
        return order

    def _begin(self, sender: tuple[Hand, str, Roles], order: Order) -> None:
        hand, name, _ = sender
        hand.latest = Progress(done=False)
        hand.order(name, order)
        time.sleep(max(order.t0_ns - time.monotonic_ns(), 0) / 1e9)
        self._server_before = self.server.cpu_s() if self.server else None
        spare = [self._spare.pid] if self._spare else []
        self._client_before = {pid: processes.cpu_s([pid]) for pid in [*self.pids, *spare]}
        self._cores_before = processes.cores_busy_s()

    def _await_sent(self, hand: Hand, order: Order, limits: Limits) -> str:
        """Wait until the sender is done; return its error, or nothing."""
        until_ns = order.deadline_ns + int((limits.confirm_s + 5.0) * 1e9)
        while time.monotonic_ns() < until_ns:
            progress = hand.watch(0.5)
            self.watch(progress)
            if progress.done or progress.error:
                return progress.error
        return "the sender did not finish in time"

    def _usage_since(self, t0_ns: int) -> Usage:
        before, now = self._server_before, self.server.cpu_s() if self.server else None
        cores = processes.cores_busy_s()
        return Usage(
            server_cpu_s=_difference(now, before),
            client_cpu_s=self._client_cpu_s(),
            span_s=(time.monotonic_ns() - t0_ns) / 1e9,
            server_peak_rss=self.server.peak_rss_bytes() if self.server else None,
            client_peak_rss=processes.rss_bytes(self.pids),
            cores_busy_s={n: busy - self._cores_before.get(n, 0.0) for n, busy in cores.items()},
        )

    def _client_cpu_s(self) -> float | None:
        """CPU seconds of all workers since the segment began, one that was killed included.

        None where one ended unseen.
        """
        ended = self._client_ended
        return processes.whole_sum(
            _difference(ended[pid] if pid in ended else processes.cpu_s([pid]), before)
            for pid, before in self._client_before.items()
        )

    def _observe(
        self, schedule: Schedule, order: Order, busy: Usage, limits: Limits, error: str
    ) -> Observation:
        called_before = self._calls()
        first, *others = self._harvest()
        spool = self.crew.spool()
        gathered = [*first.deliveries, *self._left_behind]
        gathered += [delivery for harvest in others for delivery in harvest.deliveries]
        arrived = Arrived(self.wiring.subscribers, order.first_seq, len(schedule))
        arrived.note(gathered)
        expected = _to_arrive(first, self.wiring.confirmed)
        silent_since = time.monotonic()
        while not arrived.has(expected):
            if time.monotonic() - silent_since > limits.grace_s:
                break
            time.sleep(DRAIN_POLL_S)
            more = [delivery for harvest in self._harvest() for delivery in harvest.deliveries]
            if any(delivery.count for delivery in more):
                silent_since = time.monotonic()
            arrived.note(more)
            with self.crew.room():
                gathered += [_kept(spool, delivery) for delivery in more]
        sizes = np.array([len(template) for template in self.cargo.templates], dtype=np.int32)
        with self.crew.room():
            intended_ns = spool.keep(order.t0_ns + order.offsets_ns, np.int64)
            key = spool.keep(schedule.key, np.int32)
            size_bytes = spool.keep(sizes[schedule.template], np.int32)
        confirmed_ns, never = column(first, "confirmed_ns"), np.zeros(len(schedule), np.int64)
        return Observation(
            first_seq=order.first_seq,
            intended_ns=intended_ns,
            sent_ns=column(first, "sent_ns"),
            confirmed_ns=confirmed_ns if self.wiring.confirmed else never,
            key=key,
            size_bytes=size_bytes,
            subscribers=self.wiring.subscribers,
            deliveries=_merge(gathered),
            busy=busy,
            confirms=self.wiring.confirmed,
            held_until_ns=column(first, "held_until_ns"),
            refusals=first.refusals,
            error=error or self._error(),
            attached_ns=self._attached_ns,
            calls=self._calls() - called_before,
            usage=self._usage_since(order.t0_ns),
        )

    def _harvest(self) -> list[Harvest]:
        """What every client has gathered since the last call, the sender's first."""
        found = [(hand.pid, name, hand.harvest(name)) for hand, name, _ in self._staffed]
        for pid, name, harvest in found:
            self._called[pid, name] = Counter(harvest.calls)
        return [harvest for _, _, harvest in found]

    def _calls(self) -> Counter[str]:
        """Calls that the candidate had answered to all clients when they were last asked."""
        return sum(self._called.values(), Counter())

    def _error(self) -> str:
        """The first error of any client: a consumer that broke is not the broker's loss."""
        told = (hand.ask("progress", name=name)["error"] for hand, name, _ in self._staffed)
        return next(filter(None, told), "")

    def _close(self) -> None:
        """Close every client and then delete the topology, even where one of them refuses."""
        with ExitStack() as closing:
            if self.topology:
                closing.callback(self.topology.delete)
            for hand, name, _ in reversed(self._staffed):
                if hand.alive:
                    closing.callback(hand.ask, "close", name=name, within_s=20.0)
            self._staffed.clear()


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


class Arrived:
    """Which messages of a segment each subscriber has got so far."""

    def __init__(self, subscribers: int, first_seq: int, messages: int) -> None:
        self._first_seq = first_seq
        self._got = np.zeros((subscribers, messages), dtype=np.bool_)

    def note(self, deliveries: Sequence[Delivery]) -> None:
        """Take in what has come; what is of another segment is left out."""
        for delivery in deliveries:
            got = self._got[delivery.subscriber]
            for place, _ in delivery.within(self._first_seq, len(got)):
                got[place] = True

    def has(self, expected: Flags) -> bool:
        """Whether every subscriber has got all that is ``expected``."""
        return not (expected & ~self._got).any()


def _to_arrive(harvest: Harvest, confirmed: bool) -> Flags:
    """The messages a subscriber must get: the confirmed, or, unconfirmed, the sent."""
    return (harvest.confirmed_ns if confirmed else harvest.sent_ns) > 0


def _kept(spool: Spool, delivery: Delivery) -> Delivery:
    """The same delivery in ``spool``: what is got while a segment drains comes in many pieces."""
    return replace(
        delivery,
        seq=spool.keep(column(delivery, "seq"), np.int32),
        received_ns=spool.keep(column(delivery, "received_ns"), np.int64),
    )


def _merge(deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """One delivery per consumer, in the order of arrival."""
    by_consumer: dict[tuple[int, int], list[Delivery]] = {}
    for delivery in deliveries:
        by_consumer.setdefault((delivery.subscriber, delivery.member), []).append(delivery)
    return tuple(
        Delivery(
            subscriber=subscriber,
            member=member,
            seq=Joined([column(part, "seq") for part in parts], np.int32),
            received_ns=Joined([column(part, "received_ns") for part in parts], np.int64),
            foreign=sum(part.foreign for part in parts),
        )
        for (subscriber, member), parts in sorted(by_consumer.items())
    )
