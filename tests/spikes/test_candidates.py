"""The table of candidates, and what the Python drivers do that needs no server."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Mapping, Sequence

import pytest

from spikebench.candidate import Candidate, Client
from spikebench.errors import UsageError
from spikebench.load.driver import Wiring
from spikes.messaging.candidates.batches import BatchSender, Carry, Message
from spikes.messaging.candidates.kafka import partitions
from spikes.messaging.candidates.null import NullDriver
from spikes.messaging.candidates.rabbitmq import (
    every_parameters,
    exchange_of,
    queue_arguments,
    queue_of,
)
from spikes.messaging.candidates.rabbitmq_pika import Unconfirmed
from spikes.messaging.candidates.sns_sqs import topic_of
from spikes.messaging.spike import SPIKE

CLIENTS = [
    pytest.param(candidate, client, id=f"{candidate.name}-{client.name}")
    for candidate in SPIKE.candidates
    for client in candidate.clients
]
ORDINARY = [candidate for candidate in SPIKE.candidates if not candidate.faults_only]


class Answers:
    """A ``Confirms`` that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.accepted: list[int] = []
        self.refused: dict[int, str] = {}
        self._changed = threading.Condition()

    def confirmed(self, seq: int) -> None:
        with self._changed:
            self.accepted.append(seq)
            self._changed.notify_all()

    def failed(self, seq: int, reason: str) -> None:
        with self._changed:
            self.refused[seq] = reason
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            done = self._changed.wait_for(lambda: self.count >= count, timeout=10)
        assert done, f"{self.count} of {count} messages were answered for"

    @property
    def count(self) -> int:
        return len(self.accepted) + len(self.refused)


class Destination:
    """A service that takes batches, keeps them, and refuses the bodies it was told to."""

    def __init__(self, refuses: Mapping[bytes, str] | None = None) -> None:
        self.batches: list[list[int]] = []
        self._refuses = refuses or {}

    def __call__(self, messages: Sequence[Message]) -> Mapping[int, str]:
        self.batches.append([message.seq for message in messages])
        return {
            place: self._refuses[message.body]
            for place, message in enumerate(messages)
            if message.body in self._refuses
        }


def sender(answers: Answers, *carries: Carry, in_flight: int = 1, **wiring: object) -> BatchSender:
    values = {"name": "sb-1", "connection": {}, "batch_messages": 10, **wiring}
    return BatchSender(
        Wiring.from_json(values),
        answers,
        carries,
        largest_batch=10,
        largest_bytes=1_000,
        in_flight=in_flight,
    )


def wiring(**values: object) -> Wiring:
    return Wiring.from_json({"name": "sb-1", "connection": {}, **values})


def test_an_unknown_candidate_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown candidate 'rabbit' .* rabbitmq-quorum, .*null"):
        SPIKE.candidate("rabbit")


def test_a_candidate_is_found_by_its_name() -> None:
    assert SPIKE.candidate("kafka").name == "kafka"


def test_candidates_are_those_of_the_question() -> None:
    assert [candidate.name for candidate in SPIKE.candidates] == [
        "rabbitmq-classic",
        "rabbitmq-quorum",
        "rabbitmq-quorum-3",
        "rabbitmq-stream",
        "kafka",
        "kafka-3",
        "sqs-standard",
        "sqs-fifo",
        "sns-sqs",
        "kinesis",
        "null",
    ]


@pytest.mark.parametrize("candidate", SPIKE.candidates, ids=lambda candidate: candidate.name)
def test_clusters_are_there_to_be_broken_by_a_client_that_reconnects(candidate: Candidate) -> None:
    assert candidate.faults_only == (candidate.nodes > 1) == candidate.name.endswith("-3")
    if candidate.faults_only:
        assert candidate.client_names == ("java",)
        assert candidate.options["replicas"] == str(candidate.nodes)


@pytest.mark.parametrize("candidate", ORDINARY, ids=lambda candidate: candidate.name)
def test_java_is_the_default_client_with_a_python_one_beside_it(candidate: Candidate) -> None:
    assert candidate.client_names[0] == "java"
    assert [client.language for client in candidate.clients] == ["java", "python"]


@pytest.mark.parametrize(("candidate", "client"), CLIENTS)
def test_what_a_client_names_is_there(candidate: Candidate, client: Client) -> None:
    assert candidate.topology is not None
    paths = [candidate.topology]
    if client.language == "python":
        paths.append(client.driver)
    for path in paths:
        module, name = path.split(":")
        assert callable(getattr(importlib.import_module(module), name))
    for file in (*client.artefacts, *client.sources):
        assert file.exists()


@pytest.mark.parametrize(("candidate", "client"), CLIENTS)
def test_a_java_driver_has_a_source_of_its_class(candidate: Candidate, client: Client) -> None:
    del candidate
    if client.language == "java":
        file = client.driver.rsplit(".", 1)[1] + ".java"
        assert any((folder / file).exists() for folder in client.sources)


def test_rabbitmq_goes_to_its_queue_by_the_default_exchange_or_to_all_by_a_fanout() -> None:
    assert (exchange_of(wiring()), queue_of(wiring(), 0)) == ("", "sb-1.0")
    three = wiring(subscribers=3)
    assert (exchange_of(three), queue_of(three, 2)) == ("sb-1", "sb-1.2")


def test_a_rabbitmq_cluster_is_asked_node_by_node_in_its_order() -> None:
    one = {"host": "a", "port": "1", "user": "me", "password": "s3cret"}
    assert [(each.host, each.port) for each in every_parameters(one)] == [("a", 1)]
    three = every_parameters({**one, "addresses": "a:1,b:2,c:3"})
    assert [(each.host, each.port) for each in three] == [("a", 1), ("b", 2), ("c", 3)]
    assert {each.credentials.username for each in three} == {"me"}


def test_a_quorum_queue_has_the_replicas_it_is_given() -> None:
    quorum = {"kind": "quorum"}
    assert queue_arguments(wiring(options=quorum)) == {"x-queue-type": "quorum"}
    assert queue_arguments(wiring(options={**quorum, "replicas": "3"})) == {
        "x-queue-type": "quorum",
        "x-quorum-initial-group-size": 3,
    }


def test_a_rabbitmq_stream_is_one_queue_for_all() -> None:
    stream = wiring(subscribers=3, options={"kind": "stream"})
    assert (exchange_of(stream), queue_of(stream, 2)) == ("", "sb-1")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 4),
        ({"consumers": 6}, 6),
        ({"ordering": "queue", "consumers": 6}, 1),
        ({"ordering": "queue", "options": {"partitions": "12"}}, 12),
    ],
)
def test_kafka_has_partitions_for_its_consumers_unless_one_order_is_asked(
    values: dict[str, object], expected: int
) -> None:
    assert partitions(wiring(**values)) == expected


def test_an_sns_topic_is_fifo_where_order_is_asked() -> None:
    assert topic_of(wiring()) == "sb-1"
    assert topic_of(wiring(ordering="key")) == "sb-1.fifo"


def test_a_confirm_settles_its_own_message() -> None:
    open_ones = Unconfirmed()
    for seq in (10, 11, 12):
        open_ones.add(seq)
    assert open_ones.settle(2, multiple=False) == [11]
    assert open_ones.settle(2, multiple=False) == []


def test_a_multiple_confirm_settles_all_that_are_open_up_to_it() -> None:
    open_ones = Unconfirmed()
    for seq in range(100, 106):
        open_ones.add(seq)
    assert open_ones.settle(2, multiple=False) == [101]
    assert open_ones.settle(1, multiple=False) == [100]
    assert open_ones.settle(4, multiple=True) == [102, 103]
    assert open_ones.settle(6, multiple=True) == [104, 105]


def test_a_full_batch_leaves_at_once_and_the_rest_on_flush() -> None:
    answers, service = Answers(), Destination()
    batching = sender(answers, service, linger_ms=60_000)
    for seq in range(25):
        batching.send(seq, b"k", b"body")
    answers.wait_for(20)
    assert service.batches == [list(range(10)), list(range(10, 20))]
    batching.flush()
    answers.wait_for(25)
    assert service.batches[2] == [20, 21, 22, 23, 24]
    batching.close()


def test_a_batch_is_cut_where_it_would_be_too_long() -> None:
    answers, service = Answers(), Destination()
    batching = sender(answers, service, linger_ms=60_000, batch_bytes=100)
    for seq in range(3):
        batching.send(seq, b"k", b"x" * 60)
    batching.close()
    assert service.batches == [[0], [1], [2]]


def test_poll_sends_what_has_lingered_and_not_before() -> None:
    answers, service = Answers(), Destination()
    batching = sender(answers, service, linger_ms=60_000)
    batching.send(0, b"k", b"body")
    batching.poll(0)
    assert service.batches == []
    batching.close()
    assert service.batches == [[0]]
    prompt = sender(answers, service, linger_ms=0)
    prompt.send(1, b"k", b"body")
    prompt.poll(0)
    answers.wait_for(2)
    prompt.close()
    assert service.batches == [[0], [1]]


def test_a_refused_message_fails_with_its_reason_and_the_others_are_confirmed() -> None:
    answers = Answers()
    batching = sender(answers, Destination({b"bad": "TooBig: no"}))
    for seq, body in enumerate((b"good", b"bad", b"fine")):
        batching.send(seq, b"k", body)
    batching.close()
    assert answers.accepted == [0, 2]
    assert answers.refused == {1: "TooBig: no"}


def test_a_call_that_fails_refuses_its_whole_batch() -> None:
    def broken(_messages: Sequence[Message]) -> Mapping[int, str]:
        raise ConnectionError("gone")

    answers = Answers()
    batching = sender(answers, broken)
    for seq in range(3):
        batching.send(seq, b"k", b"body")
    batching.close()
    assert answers.accepted == []
    assert answers.refused == dict.fromkeys(range(3), "ConnectionError: gone")


def test_copies_are_confirmed_when_the_last_is_and_fail_once_when_any_does() -> None:
    may_go = threading.Event()

    def slow(_messages: Sequence[Message]) -> Mapping[int, str]:
        may_go.wait(10)
        return {}

    answers = Answers()
    batching = sender(answers, Destination({b"bad": "no"}), slow)
    for seq, body in enumerate((b"good", b"bad")):
        batching.send(seq, b"k", body)
    batching.flush()
    time.sleep(0.05)
    assert answers.count == 0
    may_go.set()
    batching.close()
    assert (answers.accepted, answers.refused) == ([0], {1: "no"})


def test_one_call_in_flight_keeps_the_order_of_batches() -> None:
    answers, service = Answers(), Destination()

    def uneven(messages: Sequence[Message]) -> Mapping[int, str]:
        time.sleep(0.01 if messages[0].seq == 0 else 0)
        return service(messages)

    batching = sender(answers, uneven, batch_messages=1)
    for seq in range(8):
        batching.send(seq, b"k", b"body")
    batching.close()
    assert service.batches == [[seq] for seq in range(8)]


def test_several_calls_in_flight_do_not_wait_for_each_other() -> None:
    both = threading.Barrier(2, timeout=10)

    def together(_messages: Sequence[Message]) -> Mapping[int, str]:
        both.wait()
        return {}

    answers = Answers()
    batching = sender(answers, together, in_flight=2, batch_messages=1)
    for seq in range(2):
        batching.send(seq, b"k", b"body")
    batching.close()
    assert sorted(answers.accepted) == [0, 1]


def test_null_hands_each_subscriber_every_message_and_a_member_its_share() -> None:
    driver, answers = NullDriver(wiring(subscribers=2, consumers=2, prefetch=3)), Answers()
    got: dict[tuple[int, int], list[bytes]] = {
        (subscriber, member): [] for subscriber in range(2) for member in range(2)
    }
    receivers = {at: driver.receiver(*at, bodies.extend) for at, bodies in got.items()}
    sending = driver.sender(answers)
    for seq in range(5):
        sending.send(seq, b"k", b"%d" % seq)
    assert {at: receiver.receive(0) for at, receiver in receivers.items()} == {
        (0, 0): 3,
        (0, 1): 2,
        (1, 0): 3,
        (1, 1): 2,
    }
    assert got[0, 0] + got[0, 1] == [b"0", b"1", b"2", b"3", b"4"]
    assert answers.accepted == [0, 1, 2, 3, 4]
