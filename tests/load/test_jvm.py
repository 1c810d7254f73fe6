import gc
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jpype
import numpy as np
import pytest

from spikebench.errors import DriverError
from spikebench.load import jvm
from spikebench.load.body import parse
from spikebench.load.driver import Wiring
from spikebench.load.generator import Cargo, Harvest, Order, Progress, Roles
from spikebench.load.journal import read_journals
from spikebench.target import java
from spikebench.target.cache import Cache
from tests.synthetic.java_machine import SYNTHETIC, start_machine

pytestmark = pytest.mark.slow  # the compiler is fetched, once

TAG = 0xFEDCBA98
PATIENCE_S = 30.0


def body(text: str) -> bytes:
    return b'{"_sb":"' + b"0" * 32 + b'","text":"' + text.encode() + b'"}'


CARGO = Cargo(
    tag=TAG,
    templates=[body("first"), body("second"), body("third")],
    keys=[b"people:1", b"people:2"],
    confirm_window=100,
)


BOTH = Roles(True, ((0, 0),))
FIELDS = (
    *("subscribers", "consumers", "confirmed", "batch_messages", "linger_ms"),
    *("reconnects", "journal"),
)


@pytest.fixture(scope="module")
def cache() -> Cache:
    return Cache.open()


@pytest.fixture(scope="module")
def home(cache: Cache) -> Path:
    return java.java_home(cache, print)


@pytest.fixture(scope="module", autouse=True)
def machine() -> None:
    """The virtual machine that all tests share."""
    start_machine()


Start = Callable[..., jvm.JavaGenerator]


@pytest.fixture
def start() -> Iterator[Start]:
    opened: list[jvm.JavaGenerator] = []

    def begin(roles: Roles = BOTH, **values: Any) -> jvm.JavaGenerator:
        fields = {field: values.pop(field) for field in list(values) if field in FIELDS}
        options = {name: str(value) for name, value in values.items()}
        wiring = Wiring(name="sb-test", connection={}, options=options, **fields)
        generator = jvm.JavaGenerator("synthetic.Synthetic", wiring, CARGO, roles)
        opened.append(generator)
        generator.open()
        return generator

    yield begin
    for generator in opened:
        generator.close()


def synthetic() -> Any:
    return jpype.JClass("synthetic.Synthetic")


def order(count: int, rate_per_s: float = 0, first_seq: int = 0, **changes: Any) -> Order:
    """Return ``count`` messages at a rate, or all at once; templates and keys in turn."""
    index = np.arange(count)
    gap_ns = 1e9 / rate_per_s if rate_per_s else 0
    t0_ns = time.monotonic_ns()
    values = {
        "first_seq": first_seq,
        "t0_ns": t0_ns,
        "deadline_ns": t0_ns + int(PATIENCE_S * 1e9),
        "confirm_timeout_s": PATIENCE_S,
        "offsets_ns": (index * gap_ns).astype(np.int64),
        "template": (index % 3).astype(np.int32),
        "key": (index % 2).astype(np.int32),
    }
    return Order(**{**values, **changes})


def run(generator: jvm.JavaGenerator, what: Order) -> Progress:
    generator.begin(what)
    assert generator.wait(2 * PATIENCE_S), "the segment did not end"
    return generator.progress()


def wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


def received(generator: jvm.JavaGenerator, count: int) -> Harvest:
    wait(lambda: generator.progress().received >= count)
    return generator.harvest()


def hits(count: int, every: int) -> set[int]:
    return set(range(every - 1, count, every))


@pytest.mark.parametrize("copies", [0, 1])
def test_a_body_is_written_anew_only_where_the_client_has_copied_it(
    start: Start, copies: int
) -> None:
    generator = start(copies=copies, collect=1)
    synthetic().BODIES.clear()
    run(generator, order(3_000))
    harvest = received(generator, 3_000)
    assert harvest.deliveries[0].seq.tolist() == list(range(3_000))
    assert synthetic().BODIES.size() == (3 if copies else 3_000)


def test_every_message_is_accounted_for_once(start: Start) -> None:
    generator = start()
    progress = run(generator, order(5_000))
    harvest = received(generator, 5_000)
    assert (progress.sent, progress.confirmed, progress.failed) == (5_000, 5_000, 0)
    assert progress.error == ""
    assert harvest.deliveries[0].seq.tolist() == list(range(5_000))
    assert (harvest.sent_ns > 0).all()
    assert (harvest.confirmed_ns >= harvest.sent_ns).all()
    assert (harvest.deliveries[0].received_ns >= harvest.sent_ns).all()


def test_what_was_injected_is_what_is_reported(start: Start) -> None:
    generator = start(lose_every=50, duplicate_every=70, refuse_every=90, foreign_every=110)
    progress = run(generator, order(2_000))
    lost, refused = hits(2_000, 50), hits(2_000, 90)
    arriving = set(range(2_000)) - lost - refused
    twice = hits(2_000, 70) & arriving
    strangers = hits(2_000, 110) & arriving
    harvest = received(generator, len(arriving) + len(twice))
    delivery = harvest.deliveries[0]
    seen = Counter(delivery.seq.tolist())
    assert set(seen) == arriving
    assert {seq for seq, times in seen.items() if times > 1} == twice
    assert delivery.foreign == len(strangers)
    assert set(np.flatnonzero(harvest.confirmed_ns == 0).tolist()) == refused
    assert harvest.refusals == {"refused as asked": len(refused)}
    assert (progress.confirmed, progress.failed) == (2_000 - len(refused), len(refused))


def test_reordering_is_seen_as_it_happened(start: Start) -> None:
    generator = start(swap_every=10)
    run(generator, order(95))
    expected: list[int] = []
    for seq in range(95):
        if seq % 10 != 9:
            expected += [seq, seq - 1] if seq % 10 == 0 and seq else [seq]
    assert received(generator, 95).deliveries[0].seq.tolist() == expected


def test_injected_delays_are_in_every_latency(start: Start) -> None:
    generator = start(latency_us=20_000, confirm_us=5_000)
    what = order(200, rate_per_s=2_000)
    run(generator, what)
    harvest = received(generator, 200)
    assert (harvest.deliveries[0].received_ns - harvest.sent_ns >= 20_000_000).all()
    assert (harvest.confirmed_ns - harvest.sent_ns >= 5_000_000).all()
    assert (harvest.sent_ns >= what.t0_ns + what.offsets_ns).all()


def test_a_stall_delays_the_messages_behind_it_but_not_their_intended_times(start: Start) -> None:
    generator = start(stall_every=100, stall_us=200_000)
    what = order(150, rate_per_s=1_000)
    run(generator, what)
    harvest = generator.harvest()
    sent_ns, held_until_ns = harvest.sent_ns, harvest.held_until_ns
    assert sent_ns[100] - sent_ns[99] >= 200_000_000
    assert sent_ns[99] + 200_000_000 <= held_until_ns[100] <= sent_ns[100]
    late = sent_ns - (what.t0_ns + what.offsets_ns)
    assert late[100] >= 199_000_000


def test_bodies_carry_tag_number_and_send_time(start: Start) -> None:
    generator = start()
    run(generator, order(12, first_seq=0x01ABCDEF))
    sent_ns = int(generator.harvest().sent_ns[-1])
    latest = bytes(synthetic().latestBody)
    assert parse(latest) == (TAG, 0x01ABCDEF + 11, sent_ns)
    assert latest[40:] == CARGO.templates[11 % 3][40:]


def test_no_more_than_the_window_is_ever_unconfirmed(start: Start) -> None:
    generator = start(confirm_us=1_000)
    run(generator, order(3_000))
    assert int(synthetic().MOST_IN_FLIGHT.get()) == CARGO.confirm_window


def test_waiting_for_room_in_the_window_is_noted_until_there_was_some(start: Start) -> None:
    generator = start(confirm_us=50_000)
    run(generator, order(CARGO.confirm_window + 1))
    harvest = generator.harvest()
    last = harvest.held_until_ns[-1]
    assert harvest.confirmed_ns[: CARGO.confirm_window].min() <= last <= harvest.sent_ns[-1]
    assert last - harvest.sent_ns[0] >= 50_000_000


def test_a_repeated_confirm_counts_once(start: Start) -> None:
    generator = start(confirm_twice_every=3)
    assert run(generator, order(300)).confirmed == 300


def test_an_unconfirmed_promise_is_kept_once_the_client_has_the_message(start: Start) -> None:
    generator = start(confirmed=False, confirm_us=60_000_000)
    assert run(generator, order(500)).confirmed == 500
    assert (generator.harvest().confirmed_ns > 0).all()


def test_what_is_never_confirmed_stays_so_and_ends_with_the_timeout(start: Start) -> None:
    generator = start(forget_every=40)
    progress = run(generator, order(200, confirm_timeout_s=0.3))
    assert progress.confirmed == 195
    unconfirmed = np.flatnonzero(generator.harvest().confirmed_ns == 0)
    assert set(unconfirmed.tolist()) == hits(200, 40)


def test_what_is_not_sent_by_the_deadline_is_never_sent(start: Start) -> None:
    generator = start(forget_every=1)  # nothing is confirmed: the window stays full
    deadline_ns = time.monotonic_ns() + 300_000_000
    progress = run(generator, order(500, deadline_ns=deadline_ns, confirm_timeout_s=0.1))
    sent_ns = generator.harvest().sent_ns
    assert progress.sent == CARGO.confirm_window
    assert len(sent_ns) == 500
    assert (sent_ns[: CARGO.confirm_window] > 0).all()
    assert (sent_ns[CARGO.confirm_window :] == 0).all()


def test_a_lost_connection_is_opened_anew_and_what_was_unconfirmed_is_given_up(
    start: Start,
) -> None:
    generator = start(reconnects=True, die_after=50)
    progress = run(generator, order(200))
    assert progress.error == ""
    assert (progress.sent, progress.confirmed + progress.failed) == (200, 200)
    harvest = received(generator, 199)
    assert harvest.deliveries[0].seq.tolist() == [seq for seq in range(200) if seq != 50]
    assert harvest.confirmed_ns[50] == 0
    assert (harvest.confirmed_ns[51:] > 0).all()
    (reason,) = harvest.refusals
    assert reason.startswith("the connection was lost: IOException: connection reset")


def test_a_lost_consumer_connects_again_and_goes_on(start: Start) -> None:
    generator = start(reconnects=True, receiver_dies_after=40)
    progress = run(generator, order(200))
    assert received(generator, 200).deliveries[0].seq.tolist() == list(range(200))
    assert progress.error == ""


def test_what_a_receiver_got_is_in_its_journal(start: Start, tmp_path: Path) -> None:
    generator = start(journal=str(tmp_path))
    run(generator, order(300))
    (delivery,) = received(generator, 300).deliveries
    (kept,) = read_journals(tmp_path, os.getpid())
    assert (kept.subscriber, kept.member) == (0, 0)
    assert kept.seq.tolist() == delivery.seq.tolist()
    assert kept.received_ns.tolist() == delivery.received_ns.tolist()


def test_what_is_delivered_together_arrived_at_one_time_but_for_strangers(start: Start) -> None:
    generator = start(together=4, foreign_every=3, lose_every=50)
    run(generator, order(300))
    (delivery,) = received(generator, 294).deliveries
    # Numbers and strangers as they came, four to a call; a stranger follows each third message.
    carried = [seq for seq in range(300) if seq % 50 != 49]
    came = [(seq, number == 1) for seq in carried for number in range(1 + (seq % 3 == 2))]
    calls = [call for call, (_, strange) in enumerate(came) if not strange]
    assert delivery.seq.tolist() == [seq for seq, strange in came if not strange]
    assert delivery.foreign == sum(strange for _, strange in came)
    same = np.diff(delivery.received_ns) == 0
    assert same.tolist() == [a // 4 == b // 4 for a, b in pairwise(calls)]


def test_gathered_messages_go_out_when_they_have_lingered(start: Start) -> None:
    generator = start(batch_messages=1_000, linger_ms=1.0)
    generator.begin(order(40, rate_per_s=50))
    wait(lambda: generator.progress().received >= 1)
    assert not generator.progress().done
    assert generator.wait(PATIENCE_S)
    assert len(received(generator, 40).deliveries[0].seq) == 40
    assert generator.harvest().calls["flush"] >= 1


def test_every_subscriber_gets_everything(start: Start) -> None:
    generator = start(Roles(True, ((0, 0), (1, 0), (2, 0))), subscribers=3)
    run(generator, order(400))
    deliveries = received(generator, 1_200).deliveries
    assert [(each.subscriber, each.member) for each in deliveries] == [(0, 0), (1, 0), (2, 0)]
    assert all(each.seq.tolist() == list(range(400)) for each in deliveries)


def test_a_harvest_holds_only_what_is_new(start: Start) -> None:
    generator = start(foreign_every=10)
    run(generator, order(20_000))
    first = received(generator, 20_000).deliveries[0]
    run(generator, order(30, first_seq=20_000))
    second = received(generator, 20_030)
    assert first.seq.tolist() == list(range(20_000))
    assert first.foreign == 2_000
    assert second.deliveries[0].seq.tolist() == list(range(20_000, 20_030))
    assert second.deliveries[0].foreign == 3
    assert len(second.sent_ns) == 30


def test_a_harvest_while_messages_arrive_loses_none(start: Start) -> None:
    generator = start()
    generator.begin(order(50_000))
    parts: list[int] = []

    def all_there() -> bool:
        parts.extend(generator.harvest().deliveries[0].seq.tolist())
        return len(parts) >= 50_000

    wait(all_there)
    assert parts == list(range(50_000))


def test_a_sender_that_dies_ends_the_segment_with_its_error(start: Start) -> None:
    generator = start(die_after=50)
    progress = run(generator, order(500, rate_per_s=1_000))
    assert progress.done
    assert "sender: IOException: connection reset" in progress.error
    assert progress.sent == 51


def test_a_receiver_that_dies_ends_the_segment_with_its_error(start: Start) -> None:
    generator = start(receiver_dies_after=20)
    progress = run(generator, order(30_000, rate_per_s=1_000))
    assert "receiver 0.0: IOException: consumer cancelled" in progress.error
    assert progress.sent < 30_000


def test_receivers_can_go_away_and_come_back(start: Start) -> None:
    generator = start()
    generator.close_receivers()
    run(generator, order(100))
    assert generator.progress().received == 0
    generator.open_receivers()
    assert received(generator, 100).deliveries[0].seq.tolist() == list(range(100))


def test_closing_ends_a_running_segment_and_its_threads(start: Start) -> None:
    generator = start()
    generator.begin(order(10_000, rate_per_s=10))
    wait(lambda: generator.progress().sent > 0)
    generator.close()
    generator.close()
    threads = jpype.JClass("java.lang.Thread").getAllStackTraces().keySet()
    names = {str(thread.getName()) for thread in threads}
    assert not names & {"sender", "receiver 0.0"}
    assert generator.progress().sent < 10_000


@pytest.mark.parametrize(
    ("offsets_ns", "rate_per_s"),
    [
        (np.arange(40_000) * 250_000, 4_000.0),
        (np.array([5, 5, 5]), np.inf),
        (np.array([7]), 0.0),
        (np.array([], np.int64), 0.0),
    ],
)
def test_the_rate_of_a_segment_counts_the_spaces_between_its_messages(
    start: Start, offsets_ns: Any, rate_per_s: float
) -> None:
    """At 4,000 messages a second the loop wakes for each; one more in the same time is too many."""
    start()
    of = jpype.JClass("spikebench.Segment")
    longs, ints = jpype.JArray(jpype.JLong), jpype.JArray(jpype.JInt)
    none = ints([0] * len(offsets_ns))
    made = of.class_.getDeclaredConstructors()[0]
    made.setAccessible(True)
    first = jpype.JClass("java.lang.Integer").valueOf(0)
    segment = made.newInstance(first, 0, 0, 0, longs(offsets_ns.tolist()), none, none)
    asked = of.class_.getDeclaredMethod("ratePerS")
    asked.setAccessible(True)
    assert float(asked.invoke(segment)) == pytest.approx(rate_per_s)


def live_mb() -> float:
    """What Java holds on to: its own count of live objects, before which it collects all others.

    ``System.gc()`` is switched off in a generator.
    """
    server = jpype.JClass("java.lang.management.ManagementFactory").getPlatformMBeanServer()
    name = jpype.JClass("javax.management.ObjectName")("com.sun.management:type=DiagnosticCommand")
    strings = jpype.JArray(jpype.JString)
    none = jpype.JArray(jpype.JObject)([strings([])])
    told = server.invoke(name, "gcClassHistogram", none, strings(["[Ljava.lang.String;"]))
    total = str(told).strip().splitlines()[-1]  # "Total", objects, bytes
    return float(total.split()[2]) / 1e6


def test_memory_does_not_grow_from_segment_to_segment(start: Start) -> None:
    generator = start()

    def used_mb(first_seq: int) -> float:
        run(generator, order(20_000, first_seq=first_seq))
        received(generator, first_seq + 20_000)
        gc.collect()
        return live_mb()

    used = [used_mb(20_000 * part) for part in range(16)]
    # Some segments' arrays, half a megabyte each, are let go of together: the lowest is what stays.
    assert min(used[8:]) < min(used[:8]) + 0.2, used
    assert max(used) < min(used) + 8 * 0.6, used


def test_a_server_that_is_not_there_is_one_clear_error(start: Start) -> None:
    with pytest.raises(DriverError) as caught:
        start(closed_door=1)
    text = str(caught.value)
    assert text.startswith("synthetic.Synthetic: IOException: connection refused, caused by ")
    assert "nobody is there" in text
    assert "\n" not in text


def test_an_unknown_driver_is_one_clear_error() -> None:
    wiring = Wiring(name="sb-test", connection={})
    with pytest.raises(DriverError, match="no\\.such\\.Driver: ClassNotFoundException"):
        jvm.JavaGenerator("no.such.Driver", wiring, CARGO, Roles(True))


def test_a_template_without_header_is_refused() -> None:
    cargo = Cargo(TAG, [CARGO.templates[0], b'{"no":"header"}'], [b"k"], 10)
    wiring = Wiring(name="sb-test", connection={})
    with pytest.raises(DriverError, match="template 1 does not start with a header"):
        jvm.JavaGenerator("synthetic.Synthetic", wiring, cargo, Roles(True))


def test_sources_are_compiled_once(cache: Cache, home: Path) -> None:
    said: list[str] = []
    first = jvm.compile_sources([SYNTHETIC], [], cache, home, said.append)
    assert (first / "synthetic" / "Synthetic.class").is_file()
    assert (first / "spikebench" / "Generator.class").is_file()
    said.clear()
    assert jvm.compile_sources([SYNTHETIC], [], cache, home, said.append) == first
    assert said == []


@pytest.fixture
def own_cache(cache: Cache, tmp_path: Path) -> Cache:
    """A cache of the test's own that has the compiler already."""
    own = Cache(tmp_path / "cache")
    own.root.mkdir()
    (own.root / "maven").symlink_to(cache.folder("maven"))
    return own


def test_a_changed_source_is_compiled_anew(own_cache: Cache, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "One.java"
    source.write_text("class One { int one = 1; }")
    first = jvm.compile_sources([tmp_path], [], own_cache, home, print)
    source.write_text("class One { int one = 2; }")
    second = jvm.compile_sources([tmp_path], [], own_cache, home, print)
    assert first != second
    assert (first / "One.class").read_bytes() != (second / "One.class").read_bytes()


def test_a_source_that_does_not_compile_names_its_line(
    own_cache: Cache, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "Wrong.java").write_text("class Wrong {\n  int one = missing;\n}")
    with pytest.raises(DriverError, match=r"Wrong\.java \(at line 2\)") as caught:
        jvm.compile_sources([tmp_path], [], own_cache, home, print)
    assert "missing cannot be resolved" in str(caught.value)
    assert list((own_cache.root / "java-classes").iterdir()) == []


def test_a_home_without_java_is_one_clear_error(own_cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="cannot be run: No such file") as caught:
        jvm.compile_sources([], [], own_cache, tmp_path, print)
    assert "JAVA_HOME" in str(caught.value)
