"""A run: one invocation; measures cells block by block and records every trial as it ends."""

from __future__ import annotations

import importlib
import secrets
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from types import TracebackType
from typing import Self

from spikebench.candidate import Client
from spikebench.capacities import Capacities, found_metrics, searching
from spikebench.cell import Cell
from spikebench.errors import SpikebenchError
from spikebench.load.bench import Bench, Capacity
from spikebench.load.capacity import search
from spikebench.load.crew import Crew, Runtime
from spikebench.load.driver import Topology, Wiring
from spikebench.load.experiments import EXPERIMENTS
from spikebench.load.generator import Cargo
from spikebench.load.payload import Templates, templates
from spikebench.load.session import Session, Watch
from spikebench.measure.environment import environment
from spikebench.measure.outcome import Outcome, Status
from spikebench.record import Record, RecordFile
from spikebench.scenario.model import Scenario
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.fleet import Fleet
from spikebench.target.software import Running, Say

BEFORE_BLOCKS = -1
"""The block number of a search for capacity, which belongs to no block."""


class VoidTrialError(SpikebenchError):
    """A trial that may not count, for a reason known before it was measured."""


@dataclass
class Run:
    """Servers, workers and the record file of one run; a context manager that stops everything.

    ``done`` holds the records of an earlier, cut-off run that this one goes on from.
    ``headroom_block`` is the block in which the capacity is searched for that only headroom needs;
    not the first, in which servers and clients have just started; None for no headroom at all.
    """

    run_id: str
    seed: int
    spike: Spike
    cache: Cache
    fleet: Fleet
    crew: Crew
    file: RecordFile
    say: Say
    watch: Watch = lambda _: None
    done: Sequence[Record] = ()
    headroom_block: int | None = None
    _trials: int = 0
    # names and tags are new even in a run that goes on: its first part may have left things behind
    _token: str = field(default_factory=lambda: secrets.token_hex(4))
    _versions: dict[str, str] = field(default_factory=dict)
    _capacities: Capacities = field(default_factory=Capacities)
    _templates: dict[str, Templates] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._capacities = Capacities(self.done)
        self._trials = len(self.done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.crew.close()
        finally:
            try:
                self.fleet.close()
            finally:
                self.file.close()

    def measure(self, cell: Cell, block: int) -> Record:
        """Run one trial and record it; what goes wrong in it is its record's reason."""
        started, began = datetime.now(UTC), time.monotonic()
        seed = cell.seed(self.seed, block)
        versions: dict[str, str] = {}
        try:
            outcome = self._outcome(cell, block, seed, versions)
        except VoidTrialError as void:
            outcome = Outcome(status="void", reason=str(void))
        except SpikebenchError as error:
            outcome = Outcome(status="failed", reason=str(error))
        except Exception as error:  # a driver's own mistake: it is recorded, and fails the trial
            outcome = Outcome(status="failed", reason=f"{type(error).__name__}: {error}")
        return self._record(cell, block, seed, outcome, started, began, versions)

    def _outcome(self, cell: Cell, block: int, seed: int, versions: dict[str, str]) -> Outcome:
        if cell.withheld:
            reason = "; to mend it: ".join(filter(None, [cell.withheld, cell.berth.mend]))
            return Outcome(status="unavailable", reason=reason)
        try:
            bench = self._bench(cell, block, seed, versions)
            outcome = EXPERIMENTS[cell.scenario.experiment](bench)
        finally:
            self._discard_what_is_spoilt(cell)
        self._capacities.learn(cell, outcome)
        return outcome

    def _discard_what_is_spoilt(self, cell: Cell) -> None:
        """A server that was broken is not what the next trial should meet."""
        if cell.scenario.fault is not None and cell.candidate.software is not None:
            self.fleet.discard(cell.candidate.software, cell.berth)

    def _bench(self, cell: Cell, block: int, seed: int, versions: dict[str, str]) -> Bench:
        if cell.scenario.experiment == "capacity":
            ceiling = self._ceiling(cell)
            rate = self._capacities.start(cell) or self._capacity(cell).rate_per_s
            bench = self._plain_bench(cell, seed, versions)
            return replace(bench, rate_per_s=rate, ceiling=ceiling)
        known = self._capacity(cell) if needs_capacity(cell) else self._headroom(cell, block)
        bench = self._plain_bench(cell, seed, versions)  # last: a search puts other servers to rest
        return replace(bench, rate_per_s=_rate(cell, known), expected_capacity=known)

    def _plain_bench(self, cell: Cell, seed: int, versions: dict[str, str]) -> Bench:
        """A bench for ``cell``, with its server awake and no capacity known."""
        bodies = self._bodies(cell.scenario)
        server = self._server(cell)
        self._trials += 1
        wiring = _wiring(cell, f"sb-{self._token}-{self._trials:05d}", server, bodies)
        if cell.scenario.fault is not None:
            wiring = replace(wiring, reconnects=True, journal=self._journal(wiring.name))
        topology = _topology(cell, wiring)
        tag = zlib.crc32(f"{self._token}/{cell.key}/{self._trials}".encode())
        window = cell.scenario.producer.confirm_window
        cargo = Cargo(tag, bodies.bodies, bodies.keys, window)

        def session(receivers_later: bool = False) -> Session:
            versions.update(self._known_versions(cell, topology))
            return Session(
                crew=self.crew,
                runtime=self._runtime(cell),
                client=_client(cell),
                wiring=wiring,
                topology=topology,
                cargo=cargo,
                server=server,
                watch=self.watch,
                receivers_later=receivers_later,
                versions=versions,
            )

        return Bench(
            scenario=cell.scenario,
            templates=bodies,
            session=session,
            cores=self.fleet.cores,
            server=server,
            seed=seed,
            rate_per_s=0.0,
            say=self.say,
        )

    def _journal(self, name: str) -> str:
        folder = self.crew.folder / f"journal-{name}"
        folder.mkdir()
        return str(folder)

    def _bodies(self, scenario: Scenario) -> Templates:
        key = scenario.payload.model_dump_json()
        if key not in self._templates:
            self._templates[key] = templates(scenario.payload, self.seed)
        return self._templates[key]

    def _server(self, cell: Cell) -> Running | None:
        if cell.candidate.software is None:
            self.fleet.rest()
            return None
        return self.fleet.awake(cell.candidate.software, cell.berth)

    def _known_versions(self, cell: Cell, topology: Topology | None) -> dict[str, str]:
        found = {"harness": version("spikebench")}
        if topology is None or cell.candidate.software is None:
            return found
        name = f"{cell.candidate.software.name}@{cell.berth.target}"
        if name not in self._versions:
            self._versions[name] = topology.version()
        return {**found, "broker": self._versions[name]}

    def _capacity(self, cell: Cell) -> Capacity:
        """The frozen capacity of a cell's workload, searched for once; VoidTrialError without."""
        known = self._capacities.find(cell)
        if known is None:
            self.say(f"searching for the capacity of {cell.candidate.name} ({cell.client.name})")
            known = self._searched(cell)
        return known

    def _headroom(self, cell: Cell, block: int) -> Capacity | None:
        """What is known of a cell's capacity, or in one block found out, only for its headroom.

        A search that fails is recorded as such and leaves the trial as it is, without a headroom.
        """
        if not shows_headroom(cell) or block != self.headroom_block:
            return self._capacities.find(cell)
        try:
            return self._capacity(cell)
        except SpikebenchError as error:
            self.say(f"no headroom for {cell.candidate.name}: {error}")
            return None

    def _searched(self, cell: Cell) -> Capacity:
        started, began = datetime.now(UTC), time.monotonic()
        sought = searching(cell)
        seed = sought.seed(self.seed, BEFORE_BLOCKS)
        versions: dict[str, str] = {}
        bench = self._plain_bench(sought, seed, versions)
        with bench.session() as session:
            found = search(bench, session, self._capacities.near(cell))
        status: Status = "valid" if found.seen else "void"
        outcome = Outcome(
            status=status, reason=found.reason, limit=found.limit, metrics=found_metrics(found)
        )
        self._record(sought, BEFORE_BLOCKS, seed, outcome, started, began, versions)
        if found.seen is None:
            raise VoidTrialError(f"no capacity found: {found.reason}")
        return self._capacities.keep(cell, found)

    def _ceiling(self, cell: Cell) -> float | None:
        """What the null driver reaches with a client of the same language.

        It is searched for once a run, at the first workload that asks: a ceiling tells whether the
        generator is near its end, for which its order of magnitude will do.
        """
        null = next((c for c in self.spike.candidates if c.software is None), None)
        if null is None or cell.candidate is null:
            return None
        client = next((c for c in null.clients if c.language == cell.client.language), None)
        if client is None:
            return None
        berth = replace(cell.berth, target="local", fidelity="software", recipe=None)
        of_null = replace(cell, candidate=null, client=client, berth=berth, arm="")
        return self._capacities.near(of_null) or self._capacity(of_null).rate_per_s

    def _runtime(self, cell: Cell) -> Runtime:
        return self._java if cell.client.language == "java" else Runtime("python")

    @cached_property
    def _java(self) -> Runtime:
        from spikebench.load.jvm import compile_sources
        from spikebench.target.java import java_home
        from spikebench.target.maven import class_path

        clients = [c for candidate in self.spike.candidates for c in candidate.clients]
        locks = dict.fromkeys(lock for client in clients for lock in client.artefacts)
        sources = dict.fromkeys(folder for client in clients for folder in client.sources)
        home = java_home(self.cache, self.say)
        jars = [jar for lock in locks for jar in class_path(lock, self.cache, self.say)]
        classes = compile_sources(list(sources), jars, self.cache, home, self.say)
        return Runtime("java", home, (classes, *jars))

    def _record(
        self,
        cell: Cell,
        block: int,
        seed: int,
        outcome: Outcome,
        started: datetime,
        began: float,
        versions: dict[str, str],
    ) -> Record:
        record = Record(
            run_id=self.run_id,
            spike=cell.spike,
            scenario=cell.scenario.scenario,
            candidate=cell.candidate.name,
            client=cell.client.name,
            target=cell.berth.target,
            fidelity=cell.berth.fidelity,
            params=dict(cell.params),
            cell=cell.key,
            workload=cell.workload,
            arm=cell.arm,
            block=block,
            trial=self._trials,
            seed=seed,
            started_at=started.isoformat(timespec="seconds"),
            duration_s=round(time.monotonic() - began, 3),
            versions=versions,
            environment=environment(),
            **{name: getattr(outcome, name) for name in Outcome.model_fields},
        )
        self.file.append(record)
        return record


def _wiring(cell: Cell, name: str, server: Running | None, bodies: Templates) -> Wiring:
    scenario = cell.scenario
    return Wiring(
        name=name,
        connection=server.connection if server else {},
        options=cell.candidate.options,
        subscribers=scenario.consumers.subscribers,
        consumers=scenario.consumers.competing,
        ordering=scenario.promise.ordering,
        durable=scenario.promise.durable,
        confirmed=scenario.promise.confirmed,
        confirm_window=scenario.producer.confirm_window,
        batch_messages=scenario.producer.batch_messages,
        batch_bytes=scenario.producer.batch_bytes,
        linger_ms=scenario.producer.linger_ms,
        prefetch=scenario.consumers.prefetch,
        ack_batch=scenario.consumers.ack_batch,
        largest_body_bytes=bodies.largest_bytes,
    )


def _client(cell: Cell) -> Client:
    """The cell's client; its consumers in a process of their own where one is to be killed."""
    fault = cell.scenario.fault
    alone = fault is not None and fault.kind == "kill-consumer"
    return replace(cell.client, one_process=False) if alone else cell.client


def _topology(cell: Cell, wiring: Wiring) -> Topology | None:
    if cell.candidate.topology is None:
        return None
    module, _, attribute = cell.candidate.topology.partition(":")
    make: Callable[[Wiring], Topology] = getattr(importlib.import_module(module), attribute)
    return make(wiring)


def needs_capacity(cell: Cell) -> bool:
    """Whether the rate that a trial of the cell asks for is a share of its capacity."""
    return cell.scenario.arrivals.capacity_share is not None


def _rate(cell: Cell, known: Capacity | None) -> float:
    """The rate asked for in messages per second; a share is taken of the frozen capacity."""
    arrivals = cell.scenario.arrivals
    if known is not None and arrivals.capacity_share is not None:
        return known.rate_per_s * arrivals.capacity_share
    assert arrivals.fixed_rate_per_s is not None, "a share is of a capacity that is known"
    return arrivals.fixed_rate_per_s


def shows_headroom(cell: Cell) -> bool:
    """Whether a fixed-rate cell's capacity is wanted for its headroom.

    Not that of an in-memory candidate, nor of an emulator.
    """
    real = cell.candidate.software is not None and cell.berth.fidelity != "emulator"
    return real and cell.scenario.requires.headroom is not None
