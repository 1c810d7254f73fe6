"""What every driver of every client must do, against the real servers on the local target."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple, Self, cast
from uuid import uuid4

import pytest

from spikebench.candidate import Candidate, Client
from spikebench.errors import DriverError
from spikebench.load.driver import Deliver, Driver, Receiver, Topology, Wiring
from spikebench.target.cache import Cache
from spikebench.target.cores import split_cores
from spikebench.target.software import Running, Software
from spikes.messaging.spike import SPIKE
from tests.spikes.java_driver import JavaDriver

pytestmark = pytest.mark.slow

PATIENCE_S = 20.0
"""How long a test waits for what must come; it fails after that, and never passes by waiting."""

QUIET_S = 1.0
"""How long a receiver is listened to for what must not come."""

LARGEST_TRIED = 262_144

REFUSES_LARGE = ("kafka", "sqs-standard", "sqs-fifo", "sns-sqs", "kinesis")
"""Whose declared limit is small enough to be gone beyond in a test."""

POSITION_OF_THE_READER = ("rabbitmq-stream", "kinesis")
"""Where a reader that comes back starts from the beginning: it keeps its position itself."""


class Cell(NamedTuple):
    """A candidate with one of its clients."""

    candidate: Candidate
    client: Client


class Message(NamedTuple):
    """A message of a test."""

    seq: int
    key: bytes
    body: bytes


class Answers:
    """A ``Confirms`` that remembers."""

    def __init__(self) -> None:
        self.accepted: list[int] = []
        self.refused: dict[int, str] = {}

    def confirmed(self, seq: int) -> None:
        self.accepted.append(seq)

    def failed(self, seq: int, reason: str) -> None:
        self.refused[seq] = reason


class Trial:
    """One topology with one driver, both gone when the test ends."""

    def __init__(self, cell: Cell, wiring: Wiring) -> None:
        self.wiring = wiring
        self.topology = _topology(cell.candidate, wiring)
        self._client = cell.client
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.callback(self.topology.delete)
        self.topology.create()
        self._driver = _driver(self._client, self.wiring, self._stack)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def client_version(self) -> str:
        return self._driver.version()

    def send(self, messages: Sequence[Message], *, flush: bool = True) -> Answers:
        """Send, wait until every message has been answered for, and close."""
        answers = Answers()
        sender = self._driver.sender(answers)
        try:
            for message in messages:
                sender.send(*message)
            if flush:
                sender.flush()
            wait(
                lambda: len(answers.accepted) + len(answers.refused) >= len(messages),
                sender.poll,
                lambda: f"{len(answers.accepted)} confirmed, {len(answers.refused)} failed",
            )
        finally:
            sender.close()
            sender.close()
        return answers

    def publish(self, messages: Sequence[Message]) -> None:
        """Send messages that must all be confirmed."""
        answers = self.send(messages)
        assert answers.refused == {}
        assert len(answers.accepted) == len(messages)

    def open(self, deliver: Deliver, subscriber: int = 0, member: int = 0) -> Receiver:
        """Open a receiver that is closed when the test ends, if not before."""
        receiver = self._driver.receiver(subscriber, member, deliver)
        self._stack.callback(receiver.close)
        return receiver

    def receive(self, count: int, subscriber: int = 0) -> list[bytes]:
        """Receive until ``count`` have come, listen for more, and close."""
        bodies: list[bytes] = []
        receiver = self.open(bodies.extend, subscriber)
        wait(
            lambda: len(bodies) >= count,
            receiver.receive,
            lambda: f"{len(bodies)} of {count} messages came; backlog {self.topology.backlog()}",
        )
        listen(receiver)
        receiver.close()
        return bodies


class Servers:
    """Local servers, each started when first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[str, Running] = {}

    def connection(self, software: Software | None) -> Mapping[str, str]:
        if software is None:
            return {}
        if software.name not in self._running:
            self._running[software.name] = self._start(software)
        return self._running[software.name].connection

    def _start(self, software: Software) -> Running:
        recipe, cache = software.recipes["local"], Cache.open()
        recipe.install(cache, print)
        running = recipe.start(cache, split_cores(), print)
        self._stack.callback(running.stop)
        return running


Start = Callable[..., Trial]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack)


@pytest.fixture
def start(servers: Servers) -> Iterator[Start]:
    """Start trials of a cell; all of them are cleaned up after."""
    with ExitStack() as stack:

        def begin(cell: Cell, **wiring: object) -> Trial:
            name = f"sb-{uuid4().hex[:8]}-0001"
            connection = servers.connection(cell.candidate.software)
            options = {**cell.candidate.options, "visibility_timeout_s": "2"}
            values = {"ordering": cell.candidate.capabilities.ordering, **wiring}
            return stack.enter_context(
                Trial(cell, Wiring.from_json({**_base(name, connection, options), **values}))
            )

        yield begin


def cells(which: Callable[[Candidate], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Parametrize a test over the clients of the candidates that ``which`` picks."""
    picked = [
        Cell(candidate, client)
        for candidate in SPIKE.candidates
        if which(candidate) and not candidate.faults_only
        for client in candidate.clients
    ]
    names = [f"{cell.candidate.name}-{cell.client.name}" for cell in picked]
    return pytest.mark.parametrize("cell", picked, ids=names)


def messages(count: int, keys: int = 1, size_bytes: int = 200) -> list[Message]:
    """Return messages as the harness makes them: JSON of one size, with a header and a number."""
    return [
        Message(seq, b"people:%d" % (seq % keys), _body(seq, seq % keys, size_bytes))
        for seq in range(count)
    ]


def wait(
    done: Callable[[], bool],
    step: Callable[[float], object],
    found: Callable[[], str] = lambda: "nothing changed",
) -> None:
    """Step until ``done``; fail the test with what was found after ``PATIENCE_S``."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE_S:.0f} s: {found()}")
        step(0.1)


def listen(receiver: Receiver) -> None:
    """Receive for a while, for what should not come."""
    until = time.monotonic() + QUIET_S
    while time.monotonic() < until:
        receiver.receive(0.2)


def key_of(body: bytes) -> bytes:
    return body.split(b'"key":', 1)[1].split(b",", 1)[0]


def in_order(bodies: Sequence[bytes]) -> bool:
    return list(bodies) == sorted(bodies)


def _base(
    name: str, connection: Mapping[str, str], options: Mapping[str, str]
) -> dict[str, object]:
    return {"name": name, "connection": connection, "options": options, "prefetch": 50}


def _body(seq: int, key: int, size_bytes: int) -> bytes:
    head = b'{"_sb":"%032x","key":%d,"pad":"' % (seq, key)
    return head + b"x" * (size_bytes - len(head) - 2) + b'"}'


def _load(path: str) -> Callable[[Wiring], object]:
    module, name = path.split(":")
    return cast("Callable[[Wiring], object]", getattr(importlib.import_module(module), name))


def _topology(candidate: Candidate, wiring: Wiring) -> Topology:
    assert candidate.topology
    return cast("Topology", _load(candidate.topology)(wiring))


def _driver(client: Client, wiring: Wiring, stack: ExitStack) -> Driver:
    if client.language == "python":
        return cast("Driver", _load(client.driver)(wiring))
    driver = JavaDriver(client, wiring)
    stack.callback(driver.close)
    return driver


@cells()
def test_every_message_is_confirmed_once_and_arrives_whole(cell: Cell, start: Start) -> None:
    trial, sent = start(cell), messages(120, keys=7)
    answers = trial.send(sent)
    assert answers.refused == {}
    assert sorted(answers.accepted) == list(range(120))
    assert sorted(trial.receive(120)) == [message.body for message in sent]


@cells()
def test_gathered_messages_leave_without_a_flush(cell: Cell, start: Start) -> None:
    trial = start(cell, batch_messages=10, linger_ms=5.0)
    answers = trial.send(messages(25), flush=False)
    assert sorted(answers.accepted) == list(range(25))
    assert len(trial.receive(25)) == 25


@cells(lambda candidate: candidate.name not in POSITION_OF_THE_READER)
def test_what_was_acknowledged_does_not_come_back(cell: Cell, start: Start) -> None:
    trial = start(cell, ack_batch=7)
    trial.publish(messages(40))
    assert len(trial.receive(40)) == 40
    assert trial.receive(0) == []


@cells(lambda candidate: candidate.capabilities.redelivers)
def test_what_was_not_acknowledged_comes_back(cell: Cell, start: Start) -> None:
    trial, sent = start(cell), messages(5)
    trial.publish(sent)

    def crash(_bodies: Sequence[bytes]) -> None:
        raise RuntimeError("the consumer died with the messages in its hands")

    receiver = trial.open(crash)
    with pytest.raises(RuntimeError, match="died"):
        wait(lambda: False, receiver.receive)
    receiver.close()
    assert sorted(trial.receive(5)) == [message.body for message in sent]


@cells(lambda candidate: candidate.capabilities.ordering == "key")
def test_order_is_kept_for_each_key(cell: Cell, start: Start) -> None:
    trial = start(cell, batch_messages=10, linger_ms=2.0)
    trial.publish(messages(200, keys=5))
    received = trial.receive(200)
    for key in {key_of(body) for body in received}:
        assert in_order([body for body in received if key_of(body) == key])
    assert len(received) == 200


@cells(lambda candidate: candidate.capabilities.ordering == "queue")
def test_order_is_kept_for_the_whole_queue(cell: Cell, start: Start) -> None:
    trial, sent = start(cell), messages(200, keys=5)
    trial.publish(sent)
    assert trial.receive(200) == [message.body for message in sent]


@cells()
def test_each_of_three_subscribers_gets_every_message_once(cell: Cell, start: Start) -> None:
    trial, sent = start(cell, subscribers=3, batch_messages=10), messages(30, keys=3)
    answers = trial.send(sent)
    assert sorted(answers.accepted) == list(range(30))
    for subscriber in range(3):
        assert sorted(trial.receive(30, subscriber)) == [message.body for message in sent]


@cells(lambda candidate: candidate.capabilities.competing_consumers)
def test_competing_consumers_share_without_duplicates(cell: Cell, start: Start) -> None:
    trial, sent = start(cell, consumers=2, prefetch=10), messages(80, keys=16)
    shares: list[list[bytes]] = [[], []]
    members = [trial.open(share.extend, member=member) for member, share in enumerate(shares)]
    trial.publish(sent)

    def turn(timeout_s: float) -> None:
        for receiver in members:
            receiver.receive(timeout_s)

    wait(lambda: sum(len(share) for share in shares) >= 80, turn)
    for receiver in members:
        listen(receiver)
    assert sorted(shares[0] + shares[1]) == [message.body for message in sent]
    assert all(shares)


@cells()
def test_a_large_body_arrives_whole(cell: Cell, start: Start) -> None:
    size = min(cell.candidate.capabilities.largest_message_bytes or LARGEST_TRIED, LARGEST_TRIED)
    trial, sent = start(cell, largest_body_bytes=size), messages(3, size_bytes=size)
    assert trial.send(sent).refused == {}
    assert sorted(trial.receive(3)) == [message.body for message in sent]


@cells(lambda candidate: candidate.name in REFUSES_LARGE)
def test_a_body_beyond_the_declared_limit_is_refused(cell: Cell, start: Start) -> None:
    limit = cell.candidate.capabilities.largest_message_bytes
    assert limit is not None
    trial = start(cell, largest_body_bytes=limit + 1)
    answers = trial.send(messages(1, size_bytes=limit + 1))
    assert answers.accepted == []
    assert list(answers.refused) == [0]
    assert answers.refused[0]


@cells()
def test_the_backlog_is_what_waits(cell: Cell, start: Start) -> None:
    trial = start(cell, subscribers=2)
    trial.publish(messages(20))
    if trial.topology.backlog() is None:
        assert cell.candidate.name in {*POSITION_OF_THE_READER, "null"}
        return
    wait(lambda: trial.topology.backlog() == 40, time.sleep)
    trial.receive(20, subscriber=0)
    trial.receive(20, subscriber=1)
    wait(lambda: trial.topology.backlog() == 0, time.sleep)


@cells(lambda candidate: candidate.software is not None)
def test_delete_removes_ours_and_only_ours(cell: Cell, start: Start) -> None:
    stranger, ours = start(cell), start(cell)
    sent = messages(4)
    stranger.publish(sent)
    ours.publish(messages(4))
    ours.topology.delete()
    ours.topology.delete()
    with pytest.raises(DriverError):
        ours.open(lambda _: None)
    assert sorted(stranger.receive(4)) == [message.body for message in sent]


@cells(lambda candidate: candidate.software is not None)
def test_deleting_what_was_never_created_is_safe(
    cell: Cell, start: Start, servers: Servers
) -> None:
    connection = servers.connection(cell.candidate.software)
    wiring = start(cell).wiring
    never = Wiring.from_json({**wiring.to_json(), "name": f"{wiring.name}-never"})
    assert never.connection == connection
    _topology(cell.candidate, never).delete()


@cells()
def test_versions_are_told(cell: Cell, start: Start) -> None:
    trial = start(cell)
    assert trial.topology.version()
    assert any(digit.isdigit() for digit in trial.client_version)
