import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from spikebench.candidate import Candidate
from spikebench.cell import Cell
from spikebench.errors import ArtefactError, DriverError, RecordError, TargetError
from spikebench.load import lab as module
from spikebench.load.bench import Bench, Capacity
from spikebench.load.capacity import Found
from spikebench.load.crew import Crew
from spikebench.load.driver import Wiring
from spikebench.load.experiments import EXPERIMENTS
from spikebench.load.lab import MessageLab
from spikebench.load.session import Session
from spikebench.measure.environment import environment
from spikebench.measure.outcome import Metric, Outcome
from spikebench.measure.pace import MOST_CORES, PACE
from spikebench.method import BEFORE_BLOCKS
from spikebench.record import Record, RecordFile, read_records
from spikebench.run import Run
from spikebench.scenario.messages import Arrivals, Requires
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.fleet import Berth, Fleet
from spikebench.target.software import Cores, Say, Software
from tests.synthetic.driver import Faults
from tests.synthetic.segment import segment
from tests.synthetic.server import AWAKE, STARTED, Pretended, WatchingTopology, software
from tests.synthetic.workload import FLAWED, candidate, cell, scenario

RUN_ID = "20260101-000000-0000002a"
SEED = 42
Asked = tuple[float, Capacity | None, float | None]
"""What a trial was asked for: its rate, the known capacity and the null driver's."""

WATCHING = "tests.synthetic.server:WatchingTopology"


@pytest.fixture(autouse=True)
def _nothing_started() -> None:
    AWAKE.clear()
    STARTED.clear()


def served(name: str, given: Software) -> tuple[Candidate, Berth]:
    made = candidate(name, topology=WATCHING, software=given)
    return made, Berth("local", "software", given.recipes["local"])


def on(name: str, **changes: Any) -> Cell:
    """A cell of a candidate whose server is pretended."""
    made, berth = served(name, changes.pop("software", None) or software(name))
    return cell(candidate=made, berth=berth, **changes)


@contextmanager
def running(folder: Path, candidates: Sequence[Candidate] = (), **more: Any) -> Iterator[Run]:
    cache, cores = Cache(folder), Cores([0], [0])
    spike = Spike("tiny", "Which?", tuple(candidates), folder)
    path = folder / f"{RUN_ID}.jsonl"
    said: Callable[[str], None] = lambda _: None  # noqa: E731
    more = {"verdicts": False, **more}
    with Run(RUN_ID, SEED, spike, cache, RecordFile(path), said, **more) as run:
        run.lab = MessageLab(run.setting, Fleet(cache, cores, said), Crew(cores.load))
        yield run


def recorded(folder: Path) -> list[Record]:
    return read_records(folder / f"{RUN_ID}.jsonl")


def test_a_trial_is_recorded_whole_as_it_ends(tmp_path: Path) -> None:
    given = on("served", params={"rate_per_s": 200})
    with running(tmp_path) as run:
        record = run.measure(given, block=3)
        assert recorded(tmp_path) == [record]
    assert (record.run_id, record.spike, record.scenario) == (RUN_ID, "tiny", "steady")
    assert (record.candidate, record.client, record.target) == ("served", "python", "local")
    assert (record.fidelity, record.params, record.cell) == (
        "software",
        {"rate_per_s": 200},
        given.key,
    )
    assert (record.block, record.seed, record.arm) == (3, given.seed(SEED, 3), "")
    assert record.status == "valid", record.reason
    assert record.ledger is not None
    assert (record.ledger.sent, record.ledger.delivered, record.ledger.lost) == (80, 80, 0)
    assert record.versions["broker"] == "pretended 1.0"
    assert record.versions["client"] == "flawed 1.0"
    assert record.versions["harness"]
    assert record.environment == environment()
    assert record.resources.startup_s == 3.5
    assert record.duration_s >= 0.5
    pace = record.metrics[PACE]
    assert (pace.unit, pace.n) == ("ms", 2 * min(len(os.sched_getaffinity(0)), MOST_CORES))


def test_what_was_injected_is_what_is_recorded(tmp_path: Path) -> None:
    bad = candidate(options=Faults(lose_every=10, duplicate_every=16).options())
    with running(tmp_path) as run:
        ledger = run.measure(cell(candidate=bad), 0).ledger
    assert ledger is not None
    # 20 messages warm up, numbers 20 to 99 are measured
    lost = sum(seq % 10 == 9 for seq in range(20, 100))
    twice = sum(seq % 16 == 15 and seq % 10 != 9 for seq in range(20, 100))
    assert (ledger.sent, ledger.lost, ledger.duplicated) == (80, lost, twice)


def test_a_cell_that_cannot_be_had_keeps_its_row_and_starts_nothing(tmp_path: Path) -> None:
    recipe = Pretended("absent")
    berth = Berth("local", "software", None, "local: not here", "apt-get install absent")
    missing = replace(
        on("absent", software=Software("absent", {"local": recipe}, {"local": "software"})),
        berth=berth,
        withheld=berth.reason,
    )
    with running(tmp_path) as run:
        record = run.measure(missing, 0)
    assert record.status == "unavailable"
    assert record.reason == "local: not here; to mend it: apt-get install absent"
    assert recipe.starts == 0
    assert PACE not in record.metrics


def test_a_server_that_never_starts_fails_its_trials_and_is_tried_once(tmp_path: Path) -> None:
    recipe = Pretended("bad", fails="bad did not answer within 60 s; its log: out of memory")
    broken = on("bad", software=Software("bad", {"local": recipe}, {"local": "software"}))
    with running(tmp_path) as run:
        records = [run.measure(broken, 0), run.measure(on("good"), 0), run.measure(broken, 1)]
    assert [record.status for record in records] == ["failed", "valid", "failed"]
    assert all("its log: out of memory" in records[n].reason for n in (0, 2))
    assert recipe.starts == 1
    assert recorded(tmp_path) == records


def test_a_server_that_ended_by_itself_is_started_anew_for_the_next_trial(tmp_path: Path) -> None:
    recipe = Pretended("frail")
    frail = on("frail", software=Software("frail", {"local": recipe}, {"local": "software"}))
    with running(tmp_path) as run:
        run.measure(frail, 0)
        STARTED["frail"].stop()
        records = [run.measure(frail, 1), run.measure(frail, 2)]
    assert [record.status for record in records] == ["failed", "valid"]
    assert "has ended by itself; its log: all is well" in records[0].reason
    assert recipe.starts == 2


def test_a_driver_that_refuses_fails_its_trial_alone(tmp_path: Path) -> None:
    client = replace(FLAWED, driver="tests.synthetic.driver:RefusingDriver")
    with running(tmp_path) as run:
        records = [run.measure(on("a", client=client), 0), run.measure(on("a"), 0)]
    assert [record.status for record in records] == ["failed", "valid"]
    assert "refused the user guest" in records[0].reason


def test_only_the_server_under_test_is_awake(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        for name in ("a", "b", "a"):
            run.measure(on(name), 0)
        run.measure(cell(candidate=candidate(topology=WATCHING)), 0)
    assert AWAKE == ["a", "b", "a", ""]


def test_everything_is_stopped_in_the_end_even_after_an_error(tmp_path: Path) -> None:
    def broken_off() -> None:
        with running(tmp_path) as run:
            assert isinstance(run.lab, MessageLab)
            workers.append(run.lab.crew)
            run.measure(on("a"), 0)
            run.measure(on("b"), 0)
            raise TargetError("in the middle")

    workers: list[Crew] = []
    with pytest.raises(TargetError, match="in the middle"):
        broken_off()
    assert [up.stopped for up in STARTED.values()] == [True, True]
    assert not workers[0]._hands
    RecordFile(tmp_path / f"{RUN_ID}.jsonl").close()  # which nobody else has locked


def test_no_two_trials_share_a_name_or_a_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def noting(bench: Bench) -> Outcome:
        session = bench.session()
        seen.append((session.wiring.name, session.cargo.tag))
        return Outcome(status="valid")

    monkeypatch.setitem(EXPERIMENTS, "latency", noting)
    with running(tmp_path) as run:
        done = [run.measure(on("a"), block) for block in range(3)]
        done.append(run.measure(on("a", arm="A/A"), 0))
    with running(tmp_path, done=done) as run:
        run.measure(on("a"), 3)
    assert len({name for name, _ in seen}) == len({tag for _, tag in seen}) == 5
    assert all(name.startswith("sb-") for name, _ in seen)


@dataclass
class Searches:
    """Stands in for the search, and counts how often it was asked for."""

    rate_per_s: float = 4000.0
    held: bool = True
    of: int = 0
    near: list[float | None] = field(default_factory=list)

    def __call__(self, bench: Bench, session: Session, near: float | None = None) -> Found:
        del bench, session
        self.of += 1
        self.near.append(near)
        if not self.held:
            return Found(1.0, 1.0, "broker", 8, None, "end-to-end p99 900 ms over 250 ms")
        above = self.rate_per_s * 1.2
        return Found(self.rate_per_s, above, "broker", 5, seen=segment(1), reason="backlog grew")


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Searches:
    made = Searches()
    monkeypatch.setattr(module, "search", made)
    return made


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What each trial was asked for; nothing is measured."""
    seen: list[Asked] = []

    def noting(bench: Bench) -> Outcome:
        with bench.session():
            seen.append((bench.rate_per_s, bench.expected_capacity, bench.ceiling))
        metric = Metric(value=1.1 * bench.rate_per_s, unit="msg/s")
        return Outcome(status="valid", metrics={"capacity": metric})

    for name in EXPERIMENTS:
        monkeypatch.setitem(EXPERIMENTS, name, noting)
    return seen


def sharing(name: str, share: str) -> Cell:
    given = scenario(arrivals=Arrivals(rate_per_s=share))
    return on(name, scenario=given, params={"rate_per_s": share})


def test_capacity_is_searched_for_once_and_frozen(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    with running(tmp_path) as run:
        for block in range(2):
            run.measure(sharing("a", "30 %"), block)
            run.measure(sharing("a", "60 %"), block)
    assert searches.of == 1
    assert [rate for rate, _, _ in rates] == [1200, 2400, 1200, 2400]
    first = recorded(tmp_path)[0]
    assert (first.arm, first.block, first.status) == ("search", BEFORE_BLOCKS, "valid")
    assert first.metrics["capacity"].value == 4000


def of_scenario(name: str, cell: Cell) -> Cell:
    return replace(cell, scenario=cell.scenario.model_copy(update={"scenario": name}))


@pytest.mark.usefixtures("rates")
def test_a_search_begins_at_what_was_last_found_for_the_same_client(
    tmp_path: Path, searches: Searches
) -> None:
    """Another workload of the same candidate is near; another candidate is not."""
    first, other = (on(name, scenario=scenario(experiment="capacity")) for name in "ab")
    second, third = (of_scenario(name, sharing("a", "30 %")) for name in ("second", "third"))
    with running(tmp_path, [first.candidate, other.candidate]) as run:
        for cell in (first, second, other):
            run.measure(cell, 0)
        done = read_records(run.file.path)
    with running(tmp_path, [first.candidate], done=done) as run:
        run.measure(third, 0)
    assert searches.near == [None, pytest.approx(4400), None, 4000.0]


def test_a_capacity_trial_is_searched_for_only_where_nothing_is_near(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    first = on("a", scenario=scenario(experiment="capacity"))
    with running(tmp_path, [first.candidate]) as run:
        for cell in (first, of_scenario("second", first), first):
            run.measure(cell, 0)
    assert searches.of == 1
    assert [rate for rate, _, _ in rates] == pytest.approx([4000, 4400, 4400])


def test_each_candidate_is_searched_for_by_itself(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    with running(tmp_path) as run:
        run.measure(sharing("a", "50 %"), 0)
        searches.rate_per_s = 1000
        run.measure(sharing("b", "50 %"), 0)
    assert searches.of == 2
    assert [rate for rate, _, _ in rates] == [2000, 500]


def test_a_resumed_run_knows_the_capacities_it_found(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    with running(tmp_path) as run:
        run.measure(sharing("a", "50 %"), 0)
    with running(tmp_path, done=recorded(tmp_path)) as run:
        searches.rate_per_s = 1.0
        run.measure(sharing("a", "50 %"), 1)
    assert searches.of == 1
    assert [rate for rate, _, _ in rates] == [2000, 2000]


def test_where_no_rate_held_search_and_trials_are_void_with_the_reason(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    searches.held = False
    with running(tmp_path) as run:
        run.measure(sharing("a", "50 %"), 0)
        run.measure(sharing("a", "50 %"), 1)
    search, trial, *_ = recorded(tmp_path)
    assert (search.status, search.reason) == ("void", "end-to-end p99 900 ms over 250 ms")
    assert (trial.status, trial.arm) == ("void", "")
    assert trial.reason == "no capacity found: end-to-end p99 900 ms over 250 ms"
    assert rates == []


def test_a_search_that_found_nothing_is_no_knowledge_for_a_resumed_run(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    searches.held = False
    with running(tmp_path) as run:
        run.measure(sharing("a", "50 %"), 0)
    searches.held = True
    with running(tmp_path, done=recorded(tmp_path)) as run:
        run.measure(sharing("a", "50 %"), 1)
    assert searches.of == 2
    assert [rate for rate, _, _ in rates] == [2000]


def test_capacity_for_headroom_alone_is_searched_for_in_its_block(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    """And not for a candidate in memory, nor for an emulator."""
    given = scenario(requires=Requires(rate_per_s=100, headroom=3))
    emulated = on("b", scenario=given)
    emulated = replace(emulated, berth=replace(emulated.berth, fidelity="emulator"))
    with running(tmp_path, blocks=3, verdicts=True) as run:
        for block in range(3):
            run.measure(on("a", scenario=given), block)
        run.measure(cell(scenario=given), 1)
        run.measure(emulated, 1)
    assert searches.of == 1
    known = Capacity(4000, 4800)
    assert rates == [(200, None, None), *[(200, known, None)] * 2, *[(200, None, None)] * 2]


def test_a_capacity_trial_begins_where_the_one_before_it_ended(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    given = on("a", scenario=scenario(experiment="capacity"))
    with running(tmp_path) as run:
        for block in range(3):
            run.measure(given, block)
    assert searches.of == 1
    assert [rate for rate, _, _ in rates] == pytest.approx([4000, 4400, 4840])


def test_the_server_under_test_is_awake_although_the_null_driver_was_searched_in_between(
    tmp_path: Path, searches: Searches, rates: list[Asked]
) -> None:
    given = on("a", scenario=scenario(experiment="capacity"))
    null = candidate("null", topology=WATCHING)
    with running(tmp_path, [given.candidate, null]) as run:
        run.measure(given, 0)
        run.measure(given, 1)
    assert AWAKE[-2:] == ["a", "a"]
    assert searches.of == 2
    assert [ceiling for _, _, ceiling in rates] == [4000, 4000]
    assert STARTED["a"].stopped


def test_a_record_that_cannot_be_written_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Record) -> None:
        raise RecordError("disk full")

    with running(tmp_path) as run:
        first = run.measure(on("a"), 0)
        monkeypatch.setattr(run.file, "append", full)
        with pytest.raises(RecordError, match="disk full"):
            run.measure(on("a"), 1)
    assert recorded(tmp_path) == [first]


def test_java_that_cannot_be_had_is_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Cache] = []

    def refused(cache: Cache, say: Say) -> Path:
        del say
        asked.append(cache)
        raise ArtefactError("no Java could be fetched")

    monkeypatch.setattr("spikebench.target.java.java_home", refused)
    java = replace(FLAWED, language="java")
    with running(tmp_path) as run:
        records = [run.measure(on("a", client=java), block) for block in range(3)]
    assert [record.reason for record in records] == ["no Java could be fetched"] * 3
    assert run.failures == [ArtefactError.exit_code] * 3
    assert len(asked) == 1


def test_candidates_on_one_server_each_have_a_version_of_their_own(tmp_path: Path) -> None:
    """One emulator is several services."""
    shared = software("shared")

    def of(service: str) -> Cell:
        given, topology = on(service, software=shared), "tests.test_run:NamedTopology"
        made = replace(given.candidate, topology=topology, options={"service": service})
        return replace(given, candidate=made)

    with running(tmp_path) as run:
        records = [run.measure(of(service), block) for block in (0, 1) for service in ("a", "b")]
    assert [record.versions["broker"] for record in records] == ["a 1.0", "b 1.0"] * 2


def test_an_error_of_the_topology_is_the_trials_reason(tmp_path: Path) -> None:
    bad = on("a")
    refused = replace(bad.candidate, topology="tests.test_run:RefusingTopology")
    with running(tmp_path) as run:
        record = run.measure(replace(bad, candidate=refused), 0)
    assert record.status == "failed"
    assert "queue type quorum is not there" in record.reason


class RefusingTopology:
    def __init__(self, wiring: object) -> None:
        del wiring

    def create(self) -> None:
        raise DriverError("queue type quorum is not there; use RabbitMQ 3.8 or later")

    def delete(self) -> None:
        """There is nothing to delete."""

    def version(self) -> str:
        return "refusing 1.0"


class NamedTopology(WatchingTopology):
    """Has the version of the service that the candidate is."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._service = wiring.options["service"]

    def version(self) -> str:
        return f"{self._service} 1.0"
