"""What was the limit: a side that is throttled is, until the other one is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spikebench.candidate import Client
from spikebench.load.crew import Crew, Runtime
from spikebench.load.judge import judged
from spikebench.load.session import Limits, Session
from spikebench.measure.observation import Usage
from spikebench.measure.outcome import Limit, Outcome
from spikebench.target.software import Cores
from tests.synthetic.burning import Broker, broker, burners, idle_share
from tests.synthetic.queue import QueueSession, bench
from tests.synthetic.segment import segment
from tests.synthetic.workload import cargo, evenly, wiring

BROKER_S, CLIENT_S = 300e-6, 200e-6
"""CPU that a message costs each side."""

ASKED_PER_S = 20_000.0


def worked_out(broker_share: float, client_share: float) -> Outcome:
    """A second in which each side had a share of a core of its own, and others had the rest of it.

    The slower side sets the rate: its share of a core over what a message costs it.
    """
    rate = min(broker_share / BROKER_S, client_share / CLIENT_S)
    own = rate * BROKER_S, rate * CLIENT_S
    others = 1 - broker_share, 1 - client_share
    busy = {
        core: mine + theirs for core, (mine, theirs) in enumerate(zip(own, others, strict=True))
    }
    usage = Usage(*own, span_s=1.0, cores_busy_s=busy)
    came, count = round(rate), int(ASKED_PER_S)
    seen = segment(count, ASKED_PER_S, unsent=range(came, count), usage=usage)
    return judged(bench(QueueSession(1)), seen, 1.0)


@pytest.mark.parametrize(
    ("broker_share", "client_share", "limit"),
    [
        (1.0, 1.0, "broker"),
        (1.0, 0.1, "client"),
        (0.1, 1.0, "broker"),
        (1.0, 0.15, "client"),
        (0.1, 0.01, "unknown"),
    ],
)
def test_the_side_that_is_throttled_is_the_limit(
    broker_share: float, client_share: float, limit: Limit
) -> None:
    found = worked_out(broker_share, client_share)
    assert found.status == "void"
    assert found.limit == limit


CORES = sorted(os.sched_getaffinity(0))[:2]
BURNING = Client(
    "burning", "python", "tests.synthetic.burning:BurningDriver", "none", one_process=True
)
LENGTH_S = 2.0
COMPETING = 9
TRIES = 3


@pytest.fixture(scope="module")
def pinned() -> Iterator[Crew]:
    """Workers on the second core; the broker has the first."""
    with Crew(CORES[1:]) as crew:
        yield crew


def measured(crew: Crew, server: Broker) -> Outcome:
    """A trial at a rate that neither side reaches."""
    options = {**server.connection, "burn_s": str(CLIENT_S)}
    wired = wiring(options=options, confirm_window=200)
    session = Session(crew, Runtime("python"), BURNING, wired, None, cargo(200), server)
    with session as opened:
        schedule = evenly(int(ASKED_PER_S * LENGTH_S), ASKED_PER_S)
        seen = opened.run(schedule, LENGTH_S, Limits(overrun_s=0.0, grace_s=1.0))
    at = bench(QueueSession(1), server=server, cores=Cores(CORES[:1], CORES[1:]))
    return judged(at, seen, LENGTH_S)


@pytest.mark.slow
@pytest.mark.skipif(len(CORES) < 2, reason="each side needs a core of its own")
def test_throttling_real_processes_moves_the_limit_and_back(pinned: Crew, tmp_path: Path) -> None:
    """Nine processes compete for the client's core, and then for the broker's.

    Tried again where others were at work in between: then nobody can say who was throttled.
    """
    seen: list[list[Limit]] = []
    with broker(tmp_path / "socket", BROKER_S, CORES[0]) as server:
        for _ in range(TRIES):
            _skip_in_a_crowd()
            seen.append([throttled(pinned, server, core) for core in (None, CORES[1], CORES[0])])
            if seen[-1] == ["broker", "client", "broker"]:
                return
    _skip_in_a_crowd()
    pytest.fail(f"the limits of {TRIES} tries: {seen}")


def throttled(crew: Crew, server: Broker, core: int | None) -> Limit:
    with burners(core or 0, 0 if core is None else COMPETING):
        return measured(crew, server).limit


def _skip_in_a_crowd() -> None:
    if idle_share(CORES) < 0.7:
        pytest.skip("others are at work on these cores: who is throttled is not ours to say")
