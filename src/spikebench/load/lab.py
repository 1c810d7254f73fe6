"""The lab of spikes that send messages: servers and workers, and a bench for each trial."""

from __future__ import annotations

import importlib
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from spikebench.candidate import Client
from spikebench.cell import Cell
from spikebench.errors import SpikebenchError
from spikebench.load.bench import Bench, Capacity
from spikebench.load.capacities import Capacities, found_metrics, searching
from spikebench.load.capacity import search
from spikebench.load.cells import message_scenario, needs_capacity, shows_headroom
from spikebench.load.crew import Crew, Runtime
from spikebench.load.driver import Topology, Wiring
from spikebench.load.experiments import EXPERIMENTS
from spikebench.load.generator import Cargo, Progress
from spikebench.load.heap import return_large_blocks
from spikebench.load.payload import Templates, templates
from spikebench.load.session import Session
from spikebench.measure.outcome import Outcome, Status
from spikebench.method import Asked, Setting, VoidTrialError
from spikebench.scenario.messages import MessageScenario
from spikebench.target.fleet import Fleet
from spikebench.target.software import Running


@dataclass
class MessageLab:
    """Servers and workers of one run; everything is started when it is first needed.

    The capacity that only headroom needs is searched for in the second block: in the first,
    servers and clients have just started. A run without verdicts does without.
    """

    setting: Setting
    fleet: Fleet
    crew: Crew
    # names and tags are new even in a run that goes on: its first part may have left things behind
    _token: str = field(default_factory=lambda: secrets.token_hex(4))
    _benches: int = 0
    _versions: dict[str, str] = field(default_factory=dict)
    _capacities: Capacities = field(default_factory=Capacities)
    _templates: dict[str, Templates] = field(default_factory=dict)
    _no_java: SpikebenchError | None = None

    def __post_init__(self) -> None:
        return_large_blocks()
        self._capacities = Capacities(self.setting.done)

    def close(self) -> None:
        """Stop workers and servers; one that fails to stop does not keep the others running."""
        try:
            self.crew.close()
        finally:
            self.fleet.close()

    def measure(self, asked: Asked) -> Outcome:
        """Run one trial of one cell."""
        cell = asked.cell
        try:
            bench = self._bench(asked)
            outcome = EXPERIMENTS[bench.scenario.experiment](bench)
        finally:
            self._discard_what_is_spoilt(cell)
        self._capacities.learn(cell, outcome)
        return outcome

    @property
    def _headroom_block(self) -> int | None:
        return min(1, self.setting.blocks - 1) if self.setting.verdicts else None

    def _discard_what_is_spoilt(self, cell: Cell) -> None:
        """A server that was broken is not what the next trial should meet."""
        if cell.scenario.breaks and cell.candidate.software is not None:
            self.fleet.discard(cell.candidate.software, cell.berth)

    def _bench(self, asked: Asked) -> Bench:
        cell = asked.cell
        if message_scenario(cell.scenario).experiment == "capacity":
            ceiling = self._ceiling(cell)
            rate = self._capacities.start(cell) or self._capacity(cell).rate_per_s
            return replace(self._plain_bench(asked), rate_per_s=rate, ceiling=ceiling)
        known = self._capacity(cell) if needs_capacity(cell) else self._headroom(cell, asked.block)
        bench = self._plain_bench(asked)  # last: a search puts other servers to rest
        return replace(bench, rate_per_s=_rate(bench.scenario, known), expected_capacity=known)

    def _plain_bench(self, asked: Asked) -> Bench:
        """A bench for a trial, with its server awake and no capacity known."""
        cell, scenario = asked.cell, message_scenario(asked.cell.scenario)
        bodies = self._bodies(scenario)
        server = self._server(cell)
        self._benches += 1
        wiring = _wiring(cell, f"sb-{self._token}-{self._benches:05d}", server, bodies)
        if scenario.breaks:
            wiring = replace(wiring, reconnects=True, journal=self._journal(wiring.name))
        topology = _topology(cell, wiring)
        tag = zlib.crc32(f"{self._token}/{cell.key}/{self._benches}".encode())
        window = scenario.producer.confirm_window
        cargo = Cargo(tag, bodies.bodies, bodies.keys, window)

        def session(receivers_later: bool = False) -> Session:
            asked.versions.update(self._known_versions(cell, topology))
            return Session(
                crew=self.crew,
                runtime=self._runtime(cell),
                client=_client(cell),
                wiring=wiring,
                topology=topology,
                cargo=cargo,
                server=server,
                watch=self._tell,
                receivers_later=receivers_later,
                versions=asked.versions,
            )

        return Bench(
            scenario=scenario,
            templates=bodies,
            session=session,
            cores=self.fleet.cores,
            server=server,
            seed=asked.seed,
            rate_per_s=0.0,
            say=self.setting.say,
        )

    def _tell(self, figure: Progress) -> None:
        self.setting.watch(f"{figure.sent:,} sent, {figure.confirmed:,} confirmed")

    def _journal(self, name: str) -> str:
        folder = self.crew.folder / f"journal-{name}"
        folder.mkdir()
        return str(folder)

    def _bodies(self, scenario: MessageScenario) -> Templates:
        key = scenario.payload.model_dump_json()
        if key not in self._templates:
            self._templates[key] = templates(scenario.payload, self.setting.seed)
        return self._templates[key]

    def _server(self, cell: Cell) -> Running | None:
        if cell.candidate.software is None:
            self.fleet.rest()
            return None
        return self.fleet.awake(cell.candidate.software, cell.berth)

    def _known_versions(self, cell: Cell, topology: Topology | None) -> dict[str, str]:
        if topology is None or cell.candidate.software is None:
            return {}
        name = f"{cell.candidate.name}@{cell.berth.target}"
        if name not in self._versions:
            self._versions[name] = topology.version()
        return {"broker": self._versions[name]}

    def _capacity(self, cell: Cell) -> Capacity:
        """The frozen capacity of a cell's workload, searched for once; VoidTrialError without."""
        known = self._capacities.find(cell)
        if known is None:
            self.setting.say(
                f"searching for the capacity of {cell.candidate.name} ({cell.client.name})"
            )
            known = self._searched(cell)
        return known

    def _headroom(self, cell: Cell, block: int) -> Capacity | None:
        """What is known of a cell's capacity, or in one block found out, only for its headroom.

        A search that fails is recorded as such and leaves the trial as it is, without a headroom.
        """
        if not shows_headroom(cell) or block != self._headroom_block:
            return self._capacities.find(cell)
        try:
            return self._capacity(cell)
        except SpikebenchError as error:
            self.setting.say(f"no headroom for {cell.candidate.name}: {error}")
            return None

    def _searched(self, cell: Cell) -> Capacity:
        asked = self.setting.ask(searching(cell))
        bench = self._plain_bench(asked)
        with bench.session() as session:
            found = search(bench, session, self._capacities.near(cell))
        status: Status = "valid" if found.seen else "void"
        outcome = Outcome(
            status=status, reason=found.reason, limit=found.limit, metrics=found_metrics(found)
        )
        self.setting.keep(asked, outcome)
        if found.seen is None:
            raise VoidTrialError(f"no capacity found: {found.reason}")
        return self._capacities.keep(cell, found)

    def _ceiling(self, cell: Cell) -> float | None:
        """What the null driver reaches with a client of the same language.

        It is searched for once a run, at the first workload that asks: a ceiling tells whether the
        generator is near its end, for which its order of magnitude will do.
        """
        null = next((c for c in self.setting.spike.candidates if c.software is None), None)
        if null is None or cell.candidate is null:
            return None
        client = next((c for c in null.clients if c.language == cell.client.language), None)
        if client is None:
            return None
        berth = replace(cell.berth, target="local", fidelity="software", recipe=None)
        of_null = replace(cell, candidate=null, client=client, berth=berth, arm="")
        return self._capacities.near(of_null) or self._capacity(of_null).rate_per_s

    def _runtime(self, cell: Cell) -> Runtime:
        """What a cell's workers run on; Java that can't be had is asked for once."""
        if cell.client.language != "java":
            return Runtime("python")
        if self._no_java is not None:
            raise self._no_java
        try:
            return self._java
        except SpikebenchError as error:
            self._no_java = error
            raise

    @cached_property
    def _java(self) -> Runtime:
        from spikebench.load.jvm import compile_sources
        from spikebench.target.java import java_home
        from spikebench.target.maven import class_path

        clients = [c for candidate in self.setting.spike.candidates for c in candidate.clients]
        locks = dict.fromkeys(lock for client in clients for lock in client.artefacts)
        sources = dict.fromkeys(folder for client in clients for folder in client.sources)
        cache, say = self.setting.cache, self.setting.say
        home = java_home(cache, say)
        jars = [jar for lock in locks for jar in class_path(lock, cache, say)]
        classes = compile_sources(list(sources), jars, cache, home, say)
        return Runtime("java", home, (classes, *jars))


def _wiring(cell: Cell, name: str, server: Running | None, bodies: Templates) -> Wiring:
    scenario = message_scenario(cell.scenario)
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
    fault = message_scenario(cell.scenario).fault
    alone = fault is not None and fault.kind == "kill-consumer"
    return replace(cell.client, one_process=False) if alone else cell.client


def _topology(cell: Cell, wiring: Wiring) -> Topology | None:
    if cell.candidate.topology is None:
        return None
    module, _, attribute = cell.candidate.topology.partition(":")
    make: Callable[[Wiring], Topology] = getattr(importlib.import_module(module), attribute)
    return make(wiring)


def _rate(scenario: MessageScenario, known: Capacity | None) -> float:
    """The rate asked for in messages per second; a share is taken of the frozen capacity."""
    arrivals = scenario.arrivals
    if known is not None and arrivals.capacity_share is not None:
        return known.rate_per_s * arrivals.capacity_share
    assert arrivals.fixed_rate_per_s is not None, "a share is of a capacity that is known"
    return arrivals.fixed_rate_per_s
