"""Java drivers under the Java loop, against the real servers: what conformance cannot see."""

import gc
import importlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
import pytest

from spikebench.candidate import Candidate
from spikebench.errors import DriverError
from spikebench.load import jvm
from spikebench.load.crew import Crew, Hand, Runtime
from spikebench.load.driver import Topology, Wiring
from spikebench.load.generator import Cargo, Harvest, Order
from spikebench.target import java, maven
from spikebench.target.cache import Cache
from spikebench.target.cores import split_cores
from spikebench.target.software import Running
from spikes.messaging.spike import SPIKE

pytestmark = [
    pytest.mark.slow,
    # Python clients of a server that was taken away leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATIENCE_S = 60.0
MEMORY_LIMIT_MB = 500
BODY = b'{"_sb":"' + b"0" * 32 + b'","pad":"' + b"x" * 975 + b'"}'
CARGO = Cargo(7, [BODY], [b"people:%d" % key for key in range(20)], confirm_window=500)

WITH_SOFTWARE = [
    each.name for each in SPIKE.candidates if each.software is not None and not each.faults_only
]


class Serve(Protocol):
    """Start a server of its own for a test."""

    def __call__(self, candidate: Candidate) -> Running: ...


class Trial:
    """A topology, and one generator that sends to it and receives from it, in a worker."""

    def __init__(self, candidate: Candidate, running: Running, hand: Hand, **values: Any) -> None:
        fields = {"batch_messages": 10, "linger_ms": 2.0, "confirm_window": 500, **values}
        self.hand = hand
        self.wiring = Wiring(
            name=f"sb-{uuid4().hex[:8]}-0002",
            connection=dict(running.connection),
            options=dict(candidate.options),
            ordering=candidate.capabilities.ordering,
            **fields,
        )
        module, name = str(candidate.topology).split(":")
        self.topology: Topology = getattr(importlib.import_module(module), name)(self.wiring)
        self._driver = candidate.client("java").driver

    def open(self) -> None:
        self.hand.ask(
            "open",
            name="main",
            language="java",
            driver=self._driver,
            wiring=self.wiring.to_json(),
            cargo=self.hand.hand_over(CARGO, "cargo"),
            sends=True,
            receives=[(subscriber, 0) for subscriber in range(self.wiring.subscribers)],
        )

    def begin(self, count: int, rate_per_s: float) -> None:
        index = np.arange(count)
        t0_ns = time.monotonic_ns()
        order = Order(
            first_seq=0,
            t0_ns=t0_ns,
            deadline_ns=t0_ns + int(PATIENCE_S * 1e9),
            confirm_timeout_s=PATIENCE_S,
            offsets_ns=(index * 1e9 / rate_per_s).astype(np.int64),
            template=np.zeros(count, np.int32),
            key=(index % 20).astype(np.int32),
        )
        self.hand.order("main", order)

    def progress(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.hand.ask("progress", name="main")
        return answer

    def until(self, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while not done(progress := self.progress()):
            assert time.monotonic() < deadline, f"what was waited for did not happen: {progress}"
            time.sleep(0.05)
        return progress

    def harvest(self) -> Harvest:
        return self.hand.harvest("main")

    def close(self) -> None:
        self.hand.ask("close", name="main")


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    with Crew(sorted(os.sched_getaffinity(0))) as crew:
        yield crew


def hand_for(candidate: Candidate, crew: Crew) -> Hand:
    cache, client = Cache.open(), candidate.client("java")
    home = java.java_home(cache, print)
    jars = [path for lock in client.artefacts for path in maven.class_path(lock, cache, print)]
    classes = jvm.compile_sources(client.sources, jars, cache, home, print)
    (hand,) = crew.hands(Runtime("java", home, (classes, *jars)), 1)
    return hand


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(candidate: Candidate) -> Running:
            assert candidate.software is not None
            recipe = candidate.software.recipes["local"]
            recipe.install(Cache.open(), print)
            running = recipe.start(Cache.open(), split_cores(), print)
            stack.callback(running.stop)
            return running

        yield start
    gc.collect()


@pytest.mark.parametrize("name", WITH_SOFTWARE)
def test_an_open_schedule_is_sent_and_every_subscriber_gets_it(
    name: str, serve: Serve, crew: Crew
) -> None:
    candidate = SPIKE.candidate(name)
    trial = Trial(candidate, serve(candidate), hand_for(candidate, crew), subscribers=2)
    trial.topology.create()
    trial.open()
    trial.begin(300, rate_per_s=300)
    progress = trial.until(lambda seen: seen["error"] or (seen["done"] and seen["received"] >= 600))
    harvest = trial.harvest()
    trial.close()
    trial.topology.delete()
    assert progress["error"] == ""
    assert (harvest.confirmed_ns >= harvest.sent_ns).all()
    for delivery in harvest.deliveries:
        assert sorted(set(delivery.seq.tolist())) == list(range(300))
        assert (delivery.received_ns >= harvest.sent_ns[delivery.seq]).all()
        for key in range(20 if candidate.capabilities.ordering != "none" else 0):
            of_key = delivery.seq[delivery.seq % 20 == key]
            assert (np.diff(of_key) > 0).all()


@pytest.mark.parametrize("name", ["rabbitmq-classic", "rabbitmq-stream", "kafka"])
def test_a_window_always_full_loses_nothing_and_stays_within_memory(
    name: str, serve: Serve, crew: Crew
) -> None:
    candidate = SPIKE.candidate(name)
    trial = Trial(candidate, serve(candidate), hand_for(candidate, crew), ack_batch=50)
    trial.topology.create()
    trial.open()
    trial.begin(60_000, rate_per_s=1e9)
    progress = trial.until(lambda seen: seen["received"] >= 60_000 or seen["error"])
    harvest = trial.harvest()
    trial.close()
    trial.topology.delete()
    assert progress["error"] == ""
    assert sorted(harvest.deliveries[0].seq.tolist()) == list(range(60_000))
    assert peak_mb(trial.hand.pid) < MEMORY_LIMIT_MB


@pytest.mark.parametrize("name", WITH_SOFTWARE)
def test_a_server_that_goes_away_ends_the_segment_with_an_error(
    name: str, serve: Serve, crew: Crew
) -> None:
    candidate = SPIKE.candidate(name)
    running = serve(candidate)
    trial = Trial(candidate, running, hand_for(candidate, crew))
    trial.topology.create()
    trial.open()
    trial.begin(50 * int(PATIENCE_S), rate_per_s=50)
    trial.until(lambda seen: seen["received"] > 0)
    running.stop()
    progress = trial.until(lambda seen: seen["done"])
    assert progress["error"].startswith(candidate.client("java").driver)
    assert progress["sent"] < 50 * PATIENCE_S
    trial.hand.end()  # its client library may still be looking for the server
    with suppress(DriverError):
        trial.topology.delete()


@pytest.mark.parametrize("name", WITH_SOFTWARE)
def test_a_server_that_is_not_there_is_one_clear_error(name: str, serve: Serve, crew: Crew) -> None:
    candidate = SPIKE.candidate(name)
    running = serve(candidate)
    trial = Trial(candidate, running, hand_for(candidate, crew))
    running.stop()
    with pytest.raises(DriverError) as caught:
        trial.open()
    assert candidate.client("java").driver in str(caught.value)
    assert "\n" not in str(caught.value)
    trial.hand.end()  # its client library may still be looking for the server


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024
