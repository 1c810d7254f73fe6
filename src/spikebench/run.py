"""A run: one invocation; measures cells block by block and records every trial as it ends."""

from __future__ import annotations

import importlib
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from spikebench.cell import Cell
from spikebench.errors import SpikebenchError
from spikebench.load.bench import Bench
from spikebench.load.capacity import search
from spikebench.load.crew import Crew, Runtime
from spikebench.load.driver import Topology, Wiring
from spikebench.load.experiments import EXPERIMENTS
from spikebench.load.generator import Cargo
from spikebench.load.payload import Templates, templates
from spikebench.load.session import Session, Watch
from spikebench.measure.environment import environment
from spikebench.measure.outcome import Metric, Outcome, Status
from spikebench.record import Record, RecordFile
from spikebench.scenario.model import Scenario
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.fleet import Fleet
from spikebench.target.software import Running, Say

BEFORE_BLOCKS = -1
"""The block number of a search for capacity: it comes before the first block."""


@dataclass
class Run:
    """Servers, workers and the record file of one run; a context manager that stops everything.

    ``done`` holds the records of an earlier, cut-off run that this one goes on from.
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
    _trials: int = 0
    _versions: dict[str, str] = field(default_factory=dict)
    _capacities: dict[str, float] = field(default_factory=dict)
    _templates: dict[str, Templates] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._capacities.update(
            (record.cell, metric.value)
            for record in self.done
            if record.arm == "search"
            and (metric := record.metrics.get("capacity"))
            and metric.value is not None
        )
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

    def finished(self, cell: Cell, block: int) -> bool:
        """Whether an earlier, cut-off part of this run already has this trial."""
        return any(record.cell == cell.key and record.block == block for record in self.done)

    def measure(self, cell: Cell, block: int) -> Record:
        """Run one trial and record it; what goes wrong in it is its record's reason."""
        started, began = datetime.now(UTC), time.monotonic()
        seed = cell.seed(self.seed, block)
        versions: dict[str, str] = {}
        try:
            outcome = self._outcome(cell, seed, versions)
        except SpikebenchError as error:
            outcome = Outcome(status="failed", reason=str(error))
        return self._record(cell, block, seed, outcome, started, began, versions)

    def _outcome(self, cell: Cell, seed: int, versions: dict[str, str]) -> Outcome:
        if cell.withheld:
            reason = "; to mend it: ".join(filter(None, [cell.withheld, cell.berth.mend]))
            return Outcome(status="unavailable", reason=reason)
        bench = self._bench(cell, seed, versions)
        return EXPERIMENTS[cell.scenario.experiment](bench)

    def _bench(self, cell: Cell, seed: int, versions: dict[str, str]) -> Bench:
        expected = self._capacity(cell) if needs_capacity(cell) else None
        ceiling = self._ceiling(cell) if cell.scenario.experiment == "capacity" else None
        bench = self._plain_bench(cell, seed, versions)  # last: a search puts other servers to rest
        rate_per_s = _rate(cell.scenario, expected)
        return replace(bench, rate_per_s=rate_per_s, expected_capacity=expected, ceiling=ceiling)

    def _plain_bench(self, cell: Cell, seed: int, versions: dict[str, str]) -> Bench:
        """A bench for ``cell``, with its server awake and no capacity known."""
        bodies = self._bodies(cell.scenario)
        server = self._server(cell)
        self._trials += 1
        wiring = _wiring(cell, f"sb-{self.run_id[-6:]}-{self._trials:05d}", server, bodies)
        topology = _topology(cell, wiring)
        tag = zlib.crc32(f"{self.run_id}/{cell.key}/{self._trials}".encode())
        window = cell.scenario.producer.confirm_window
        cargo = Cargo(tag, bodies.bodies, bodies.keys, window)

        def session(receivers_later: bool = False) -> Session:
            versions.update(self._known_versions(cell, topology))
            return Session(
                crew=self.crew,
                runtime=self._runtime(cell),
                client=cell.client,
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

    def _capacity(self, cell: Cell) -> float:
        """The frozen capacity of a cell's workload, searched for once, before its first trial."""
        searching = replace(cell, arm="search", params=_without_rate(cell))
        if searching.key not in self._capacities:
            self.say(f"searching for the capacity of {cell.candidate.name} ({cell.client.name})")
            self._capacities[searching.key] = self._searched(searching)
        return self._capacities[searching.key]

    def _searched(self, cell: Cell) -> float:
        started, began = datetime.now(UTC), time.monotonic()
        seed = cell.seed(self.seed, BEFORE_BLOCKS)
        versions: dict[str, str] = {}
        bench = self._plain_bench(cell, seed, versions)
        with bench.session() as session:
            found = search(bench, session)
        capacity = Metric(
            value=found.rate_per_s, unit="msg/s", better="higher", n=found.tries, note=found.reason
        )
        status: Status = "valid" if found.seen else "void"
        outcome = Outcome(
            status=status, reason=found.reason, limit=found.limit, metrics={"capacity": capacity}
        )
        self._record(cell, BEFORE_BLOCKS, seed, outcome, started, began, versions)
        return found.rate_per_s

    def _ceiling(self, cell: Cell) -> float | None:
        """What the null driver reaches with a client of the same language, same workload."""
        null = next((c for c in self.spike.candidates if c.software is None), None)
        if null is None or cell.candidate is null:
            return None
        client = next((c for c in null.clients if c.language == cell.client.language), None)
        if client is None:
            return None
        berth = replace(cell.berth, target="local", fidelity="software", recipe=None)
        return self._capacity(replace(cell, candidate=null, client=client, berth=berth, arm=""))

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


def _topology(cell: Cell, wiring: Wiring) -> Topology | None:
    if cell.candidate.topology is None:
        return None
    module, _, attribute = cell.candidate.topology.partition(":")
    make: Callable[[Wiring], Topology] = getattr(importlib.import_module(module), attribute)
    return make(wiring)


def needs_capacity(cell: Cell) -> bool:
    """Whether a cell's capacity must be known before its first trial.

    For headroom too: but not that of an in-memory candidate, nor of an emulator.
    """
    scenario = cell.scenario
    if cell.berth.fidelity == "emulator":
        return False
    if scenario.experiment == "capacity" or scenario.arrivals.capacity_share is not None:
        return True
    return scenario.requires.headroom is not None and cell.candidate.software is not None


def _rate(scenario: Scenario, capacity: float | None) -> float:
    """The rate asked for in messages per second; a share is taken of the frozen capacity."""
    share, fixed = scenario.arrivals.capacity_share, scenario.arrivals.fixed_rate_per_s
    if scenario.experiment == "capacity":
        share = 1.0
    if share is not None:
        assert capacity is not None, "a share is taken only of a capacity that is known"
        return capacity * share
    assert fixed is not None, "a rate is a share or a number"
    return fixed


def _without_rate(cell: Cell) -> dict[str, Any]:
    """Parameters that capacity depends on: all but the rate that is asked for."""
    return {name: value for name, value in cell.params.items() if name != "rate_per_s"}
