import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from spikebench.load.generator import Order, PythonGenerator, Roles
from tests.synthetic.driver import Faults, FlawedDriver
from tests.synthetic.workload import cargo, wiring

BOTH = Roles(True, ((0, 0), (1, 0)))


@contextmanager
def opened(faults: Faults | None = None, roles: Roles = BOTH) -> Iterator[PythonGenerator]:
    generator = PythonGenerator(FlawedDriver(wiring(faults, subscribers=2)), cargo(), roles)
    try:
        assert generator.open() == "flawed 1.0"
        yield generator
    finally:
        generator.close()


def order(count: int, first_seq: int = 0) -> Order:
    t0_ns = time.monotonic_ns() + 5_000_000
    return Order(
        first_seq=first_seq,
        t0_ns=t0_ns,
        deadline_ns=t0_ns + 60 * 10**9,
        confirm_timeout_s=5.0,
        offsets_ns=np.arange(count, dtype=np.int64) * 100_000,
        template=np.zeros(count, np.int32),
        key=np.zeros(count, np.int32),
    )


def finished(generator: PythonGenerator, received: int) -> bool:
    """Wait until all is sent and got; False if that never happens."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        now = generator.progress()
        if now.error or (now.done and now.received >= received):
            return True
        time.sleep(0.005)
    return False


def test_every_subscriber_gets_every_message() -> None:
    with opened() as generator:
        generator.begin(order(200))
        assert finished(generator, 400)
        harvest = generator.harvest()
    assert [(d.subscriber, d.member) for d in harvest.deliveries] == [(0, 0), (1, 0)]
    assert all(d.seq.tolist() == list(range(200)) for d in harvest.deliveries)
    assert all((d.received_ns >= harvest.sent_ns).all() for d in harvest.deliveries)
    assert (harvest.confirmed_ns >= harvest.sent_ns).all()


def test_progress_counts_what_happened() -> None:
    with opened(Faults(refuse_every=10)) as generator:
        generator.begin(order(100))
        assert finished(generator, 180)
        now = generator.progress()
    assert (now.sent, now.confirmed, now.failed, now.received) == (100, 90, 10, 180)
    assert (now.done, now.error) == (True, "")


def test_a_harvest_holds_what_came_since_the_last_one() -> None:
    with opened() as generator:
        generator.begin(order(50))
        assert finished(generator, 100)
        generator.harvest()
        generator.begin(order(30, first_seq=50))
        assert finished(generator, 160)
        harvest = generator.harvest()
        again = generator.harvest()
    assert len(harvest.sent_ns) == 30
    assert harvest.deliveries[0].seq.tolist() == list(range(50, 80))
    assert again.deliveries[0].seq.tolist() == []


def test_refusals_are_told_by_reason() -> None:
    with opened(Faults(refuse_every=4)) as generator:
        generator.begin(order(40))
        assert finished(generator, 60)
        assert generator.harvest().refusals == {"refused by rule": 10}


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (Faults(sender_dies_at=20), "ConnectionResetError: connection lost while sending"),
        (Faults(receiver_dies_at=20), "ConnectionResetError: connection lost while receiving"),
    ],
)
def test_a_lost_connection_ends_the_segment_with_the_librarys_words(
    faults: Faults, said: str
) -> None:
    with opened(faults) as generator:
        generator.begin(order(100_000))
        assert finished(generator, 200_000)
        assert generator.progress().error == said
        assert not generator.harvest().sent_ns.all()


def test_a_generator_that_only_receives_has_nothing_to_send() -> None:
    with opened(roles=Roles(False, ((0, 0),))) as generator:
        generator.begin(order(10))
        now, harvest = generator.progress(), generator.harvest()
    assert (now.done, now.sent, len(harvest.sent_ns)) == (True, 0, 0)


def test_closing_stops_a_segment_that_would_go_on_for_long() -> None:
    with opened() as generator:
        generator.begin(order(1_000_000))
    assert generator.progress().done
