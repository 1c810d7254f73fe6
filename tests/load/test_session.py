import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikebench.candidate import Client
from spikebench.errors import DriverError
from spikebench.load.crew import Crew, Runtime
from spikebench.load.driver import Topology
from spikebench.load.generator import Progress
from spikebench.load.session import Limits, Session
from spikebench.measure import processes
from spikebench.measure.latency import latencies, latency_metrics, spreads
from spikebench.measure.ledger import account
from spikebench.measure.observation import Observation
from tests.synthetic.driver import Faults
from tests.synthetic.spool import SpoolTopology
from tests.synthetic.workload import FLAWED, SPOOL, cargo, evenly, wiring

COUNT = 200
RATE = 2000.0
LIMITS = Limits(overrun_s=20.0, confirm_s=0.3, grace_s=0.7)


def session(crew: Crew, faults: Faults | None = None, **changes: Any) -> Session:
    values: dict[str, Any] = {
        "crew": crew,
        "runtime": Runtime("python"),
        "client": FLAWED,
        "wiring": wiring(faults),
        "topology": None,
        "cargo": cargo(),
        "server": None,
    }
    return Session(**(values | changes))


def observed(
    crew: Crew, faults: Faults, count: int = COUNT, rate_per_s: float = RATE, keys: int = 1
) -> Observation:
    with session(crew, faults, cargo=cargo(keys=keys)) as opened:
        return opened.run(evenly(count, rate_per_s, keys), count / rate_per_s, LIMITS)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (Faults(), {}),
        (Faults(lose_every=10), {"delivered": 180, "lost": 20}),
        (Faults(duplicate_every=8), {"duplicated": 25}),
        (Faults(foreign_every=50), {"foreign": 12}),
        (
            Faults(refuse_every=4),
            {"failed": 50, "confirmed": 150, "expected": 150, "delivered": 150},
        ),
        (Faults(unconfirmed_every=5), {"confirmed": 160, "expected": 160}),
        (
            Faults(lose_every=10, unconfirmed_every=10),
            {"confirmed": 180, "expected": 180, "delivered": 180},
        ),
        (
            Faults(lose_every=50, duplicate_every=40, foreign_every=70),
            {"delivered": 196, "lost": 4, "duplicated": 4, "foreign": 6},
        ),
    ],
    ids=lambda value: (
        "-".join(f"{k}={v}" for k, v in vars(value).items() if v)
        if isinstance(value, Faults)
        else ""
    ),
)
def test_the_account_is_what_was_injected(
    crew: Crew, faults: Faults, expected: dict[str, int]
) -> None:
    flawless = {
        "sent": COUNT,
        "confirmed": COUNT,
        "failed": 0,
        "expected": COUNT,
        "delivered": COUNT,
        "lost": 0,
        "duplicated": 0,
        "reordered": 0,
        "foreign": 0,
    }
    assert asdict(account(observed(crew, faults), "queue")) == flawless | expected


@pytest.mark.parametrize("keys", [1, 4])
def test_messages_that_were_swapped_within_their_key_are_reordered(crew: Crew, keys: int) -> None:
    """Messages 8, 17, ... 197 wait for the next of their key, and the last may wait in vain."""
    seen = observed(crew, Faults(swap_every=9), keys=keys)
    held = [seq for seq in range(COUNT) if seq % 9 == 8]
    overtaken = [seq for seq in held if seq + keys < COUNT]
    assert account(seen, "key").reordered == len(overtaken)
    assert account(seen, "key").lost == len(held) - len(overtaken)


def test_latency_that_was_injected_is_seen_whole(crew: Crew) -> None:
    seen = observed(crew, Faults(latency_s=0.080))
    found = latencies(seen)
    assert found["service"].min() >= 80_000_000
    assert found["end_to_end"].min() >= 80_000_000
    assert np.median(found["publish"]) < np.median(found["service"])
    assert (seen.sent_ns >= seen.intended_ns).all()


def test_a_stall_shows_in_response_time_and_hides_from_service_time(crew: Crew) -> None:
    """0.5 s of 2 s stalled at 500 msg/s: 250 of 1,000 wait, evenly up to 0.5 s.

    Of those the worst 50 (5 % of all) waited 0.4 s or longer, the worst 10 (1 %) 0.48 s.
    """
    stall = Faults(stall_s=0.5, stall_every=1000, stall_at=250)
    seen = observed(crew, stall, count=1000, rate_per_s=500)
    found = {name: metric.value or 0.0 for name, metric in latency_metrics(spreads(seen)).items()}
    assert found["end_to_end_p95"] >= 395
    assert found["end_to_end_p99"] >= 475
    assert found["service_p95"] < found["end_to_end_p95"] / 2
    assert int((latencies(seen)["service"] >= 495_000_000).sum()) >= 1
    assert account(seen, "queue").lost == 0


def test_a_sender_that_loses_its_connection_is_an_error_and_what_was_sent_is_accounted(
    crew: Crew,
) -> None:
    seen = observed(crew, Faults(sender_dies_at=120))
    assert seen.error == "ConnectionResetError: connection lost while sending"
    found = account(seen, "queue")
    assert (found.confirmed, found.delivered, found.lost) == (120, 120, 0)


def test_a_receiver_that_loses_its_connection_is_an_error(crew: Crew) -> None:
    seen = observed(crew, Faults(receiver_dies_at=120), count=4000)
    assert seen.error == "ConnectionResetError: connection lost while receiving"


def spooled(crew: Crew, folder: Path, faults: Faults, **changes: Any) -> Session:
    options = {**faults.options(), "folder": str(folder)}
    wired = wiring(faults, options=options, **changes)
    return session(crew, wiring=wired, client=SPOOL, topology=SpoolTopology(wired))


def test_sender_and_consumers_in_processes_of_their_own_agree(crew: Crew, tmp_path: Path) -> None:
    faults = Faults(lose_every=10, duplicate_every=25)
    with spooled(crew, tmp_path, faults, subscribers=2, consumers=2) as opened:
        seen = opened.run(evenly(COUNT, RATE), COUNT / RATE, LIMITS)
    found = account(seen, "none")
    assert {(d.subscriber, d.member) for d in seen.deliveries} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert (found.expected, found.delivered, found.lost) == (400, 360, 40)
    assert found.duplicated == 2 * sum(s % 25 == 24 and s % 10 != 9 for s in range(COUNT))
    assert min(map(len, latencies(seen).values())) > 0
    assert min(samples.min() for samples in latencies(seen).values()) >= 0


def test_a_consumer_in_another_process_that_loses_its_connection_is_no_loss_of_the_brokers(
    crew: Crew, tmp_path: Path
) -> None:
    with spooled(crew, tmp_path, Faults(receiver_dies_at=50)) as opened:
        seen = opened.run(evenly(COUNT, RATE), COUNT / RATE, LIMITS)
    assert seen.error == "ConnectionResetError: connection lost while receiving"


def test_segments_of_a_session_are_told_apart(crew: Crew) -> None:
    with session(crew, Faults(duplicate_every=10)) as opened:
        opened.run(evenly(50, RATE), 50 / RATE, LIMITS)
        second = opened.run(evenly(100, RATE), 100 / RATE, LIMITS)
    assert second.first_seq == 50
    found = account(second, "queue")
    assert (found.sent, found.delivered, found.duplicated, found.reordered) == (100, 100, 10, 0)


def test_stragglers_of_an_earlier_segment_are_not_counted_to_the_next(crew: Crew) -> None:
    """The last message of the warm-up arrives 0.4 s late, after the drain was given up."""
    impatient = Limits(overrun_s=20.0, confirm_s=0.3, grace_s=0.05)
    with session(crew, Faults(latency_s=0.4)) as opened:
        opened.run(evenly(50, RATE), 50 / RATE, impatient)
        second = opened.run(evenly(50, RATE), 50 / RATE, LIMITS)
    found = account(second, "queue")
    assert (found.sent, found.delivered, found.duplicated, found.lost) == (50, 50, 0, 0)


def test_calls_that_a_service_bills_are_counted_by_segment(crew: Crew) -> None:
    with session(crew) as opened:
        first = opened.run(evenly(COUNT, RATE), COUNT / RATE, LIMITS)
        second = opened.run(evenly(50, RATE), 50 / RATE, LIMITS)
    assert (first.calls, second.calls) == ({"send": COUNT}, {"send": 50})


def test_what_the_window_holds_back_past_the_deadline_stays_unsent(crew: Crew) -> None:
    short = Limits(overrun_s=0.1, confirm_s=0.1, grace_s=0.3)
    with session(crew, Faults(unconfirmed_every=1), cargo=cargo(window=20)) as opened:
        seen = opened.run(evenly(COUNT, RATE), COUNT / RATE, short)
    found = account(seen, "queue")
    assert (found.sent, found.confirmed, found.expected, found.lost) == (20, 0, 0, 0)
    assert seen.error == ""


def test_without_confirms_every_message_sent_must_arrive(crew: Crew) -> None:
    with session(crew, wiring=wiring(confirmed=False)) as opened:
        seen = opened.run(evenly(COUNT, RATE), COUNT / RATE, LIMITS)
    found = account(seen, "queue")
    assert (found.sent, found.confirmed, found.delivered) == (COUNT, 0, COUNT)
    assert len(latencies(seen)["publish"]) == 0


def test_running_totals_are_shown_and_versions_told(crew: Crew) -> None:
    shown: list[Progress] = []
    versions: dict[str, str] = {}
    with session(crew, watch=shown.append, versions=versions) as opened:
        opened.run(evenly(COUNT, RATE), COUNT / RATE, LIMITS)
    assert versions == {"client": "flawed 1.0"}
    assert shown[-1].done
    assert (shown[-1].sent, shown[-1].confirmed) == (COUNT, COUNT)


def test_usage_is_that_of_the_workers(crew: Crew) -> None:
    seen = observed(crew, Faults())
    assert seen.usage.server_cpu_s is None
    assert seen.usage.client_cpu_s is not None
    assert seen.usage.client_cpu_s >= 0
    assert seen.usage.span_s >= COUNT / RATE
    assert (seen.usage.client_peak_rss or 0) > 10_000_000


def test_consumers_that_come_later_get_what_waited(crew: Crew, tmp_path: Path) -> None:
    late = spooled(crew, tmp_path, Faults(), subscribers=2)
    late.receivers_later = True
    with late as opened:
        seen = opened.run(evenly(COUNT, RATE), COUNT / RATE, LIMITS, between=opened.attach)
    assert account(seen, "queue").lost == 0
    assert seen.attached_ns > 0
    assert min(int(d.received_ns.min()) for d in seen.deliveries) >= seen.attached_ns


@dataclass
class Recorded:
    """A topology that tells what was done to it."""

    done: list[str] = field(default_factory=list)
    fails: str = ""

    def create(self) -> None:
        self._do("create")

    def delete(self) -> None:
        self._do("delete")

    def backlog(self) -> int | None:
        return None

    def version(self) -> str:
        return "recorded"

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what == self.fails:
            raise DriverError(f"could not {what}")


def driven(crew: Crew, name: str, topology: Topology) -> Session:
    client = Client("x", "python", f"tests.synthetic.driver:{name}", "x", one_process=True)
    return session(crew, client=client, topology=topology)


def test_a_topology_is_created_before_and_deleted_after(crew: Crew) -> None:
    topology = Recorded()
    with session(crew, topology=topology):
        assert topology.done == ["create"]
    assert topology.done == ["create", "delete"]


def test_a_topology_half_made_is_deleted(crew: Crew) -> None:
    topology = Recorded(fails="create")
    with pytest.raises(DriverError, match="could not create"), session(crew, topology=topology):
        pass
    assert topology.done == ["create", "delete"]


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("RefusingDriver", "refused the user guest; set another user"),
        ("DyingDriver", "fatal assertion in frobnicate"),
    ],
)
def test_a_topology_is_deleted_where_clients_cannot_be_opened(
    crew: Crew, driver: str, said: str
) -> None:
    topology = Recorded()
    with pytest.raises(DriverError, match=said), driven(crew, driver, topology):
        pass
    assert topology.done == ["create", "delete"]


def test_a_topology_is_deleted_where_clients_cannot_be_closed(crew: Crew) -> None:
    topology = Recorded()
    with (
        pytest.raises(DriverError, match="close was refused"),
        driven(crew, "StuckOnCloseDriver", topology),
    ):
        pass
    assert topology.done == ["create", "delete"]


def test_a_worker_that_dies_in_a_segment_fails_it_and_the_next_trial_has_another(
    crew: Crew,
) -> None:
    def kill(opened: Session) -> Callable[[], None]:
        hand = opened._staffed[0][0]

        def now() -> None:
            hand._process.kill()
            hand._process.wait()

        return now

    topology = Recorded()
    began = time.monotonic()
    with (
        pytest.raises(DriverError, match="a worker process ended"),
        session(crew, topology=topology) as opened,
    ):
        opened.run(evenly(60_000, 1000), 60, LIMITS, between=kill(opened))
    assert time.monotonic() - began < 60
    assert topology.done == ["create", "delete"]
    assert account(observed(crew, Faults()), "queue").delivered == COUNT


def test_a_consumer_that_is_killed_leaves_what_it_used_and_its_successor_adds_to_it(
    crew: Crew, tmp_path: Path
) -> None:
    """The victim has burnt 0.5 s of CPU in the segment, and the one in its place burns as much."""
    options = {"folder": str(tmp_path), "burn_s": "0.5"}
    wired = wiring(options=options, journal=str(tmp_path))

    def between() -> None:
        victim = opened._staffed[1][0].pid
        while (processes.cpu_s([victim]) or 0) < (opened._client_before[victim] or 0) + 0.5:
            time.sleep(0.01)
        opened.kill_consumer()
        opened.replace_consumer()

    topology = SpoolTopology(wired)
    with session(crew, wiring=wired, client=SPOOL, topology=topology) as opened:
        opened.stand_by()
        patient = replace(LIMITS, grace_s=30.0)
        seen = opened.run(evenly(COUNT, RATE), COUNT / RATE, patient, between=between)
    assert account(seen, "none").delivered == COUNT
    assert seen.usage.client_cpu_s is not None
    assert seen.usage.client_cpu_s >= 0.95  # rounding to ticks takes some


def test_what_an_ended_worker_used_is_withheld_where_it_ended_unseen(crew: Crew) -> None:
    with session(crew) as opened:
        seen = opened.run(evenly(COUNT, RATE), COUNT / RATE, LIMITS)
        assert seen.usage.client_cpu_s is not None
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        opened._client_before[gone.pid] = 0.1
        assert opened._client_cpu_s() is None
