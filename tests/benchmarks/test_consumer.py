from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.consumer import Consumed, check_account, consume
from benchmarks.kafka_consumer import consuming
from benchmarks.rig import Rig, candidate
from spikebench.measure.observation import Delivery, Observation, Usage

S = 1_000_000_000


def consumed(seqs: list[int], *, subscriber: int = 3, foreign: int = 0) -> Consumed:
    """One message each tenth of a second; ready half a second before the first."""
    at = 10 * S + np.arange(len(seqs), dtype=np.int64) * (S // 10)
    return Consumed(10 * S - S // 2, Delivery(subscriber, 0, np.array(seqs, np.int32), at, foreign))


def filled(messages: int) -> Observation:
    sent = np.arange(1, messages + 1, dtype=np.int64)
    zeros = np.zeros(messages, np.int32)
    usage = Usage(None, 0.0, 1.0)
    return Observation(0, 0, (), usage, sent, sent, sent + 1, zeros, zeros + 1_024)


def test_without_a_warm_up_the_time_runs_from_being_ready() -> None:
    assert consumed(list(range(6))).per_s() == pytest.approx(6 / 1.0)


def test_after_a_warm_up_it_runs_from_the_last_message_of_that() -> None:
    assert consumed(list(range(11))).per_s(warm_up=6) == pytest.approx(5 / 0.5)


def test_an_account_that_adds_up_is_no_error() -> None:
    check_account(filled(4), consumed([0, 1, 2, 3]))


@pytest.mark.parametrize("seqs", [[0, 1, 2], [0, 1, 2, 2, 3], [0, 2, 1, 3], []])
def test_lost_repeated_and_reordered_messages_are_errors(seqs: list[int]) -> None:
    with pytest.raises(RuntimeError, match="does not add up"):
        check_account(filled(4), consumed(seqs))


def test_foreign_messages_and_a_topic_that_was_not_filled_are_errors() -> None:
    with pytest.raises(RuntimeError, match="does not add up"):
        check_account(filled(4), consumed([0, 1, 2, 3], foreign=1))
    seen = filled(4)
    half = replace(seen, sent_ns=seen.sent_ns * (seen.sent_ns < 3))
    half = replace(half, confirmed_ns=seen.confirmed_ns * (seen.sent_ns < 3))
    with pytest.raises(RuntimeError, match="does not add up"):
        check_account(half, consumed([0, 1]))


@pytest.mark.slow
@pytest.mark.parametrize("client", ["java", "kafka-python"])
def test_a_filled_topic_is_read_again_by_each_new_subscriber(client: str) -> None:
    kafka, messages = candidate("kafka"), 2_000
    with Rig(print) as rig:
        wiring = consuming(rig, 500, messages)
        with rig.generator(kafka, "java", wiring) as generator:
            seen = generator.flood(messages)
            for subscriber in range(2):
                check_account(seen, consume(rig, kafka, client, wiring, subscriber, messages))
