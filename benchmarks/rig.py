"""The rig: servers on their cores, clients on theirs, and sessions as a run builds them."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from spikebench.candidate import Candidate
from spikebench.load.crew import Crew, Runtime
from spikebench.load.driver import Topology, Wiring
from spikebench.load.generator import Cargo
from spikebench.load.jvm import compile_sources
from spikebench.load.payload import Templates, templates
from spikebench.load.schedule import Schedule, schedule
from spikebench.load.session import Limits, Session
from spikebench.measure.observation import Observation
from spikebench.scenario.messages import Arrivals, Payload
from spikebench.target.cache import Cache
from spikebench.target.cores import split_cores
from spikebench.target.fleet import Berth, Fleet
from spikebench.target.java import java_home
from spikebench.target.maven import class_path
from spikebench.target.software import Cores, Running, Say
from spikes.messaging.spike import SPIKE

SIZE_BYTES = 1_024
SEED = 17
GRACE_S = 5.0
DRIVERS = Path(__file__).parent / "java"
"""Drivers around other drivers, which watch or hold back what passes."""

_NO_OVERRUN = Limits(overrun_s=0.0, confirm_s=10.0, grace_s=GRACE_S)


@dataclass
class Generator:
    """The harness's own load on one candidate: a session, and the bodies it sends."""

    session: Session
    bodies: Templates
    crew: Crew

    def flood(self, messages: int, at_most_s: float = 60.0) -> Observation:
        """Send as fast as window and client let it, ``messages`` or for ``at_most_s``."""
        body, key = self.bodies.draw(messages, np.random.default_rng(SEED))
        at_once = Schedule(np.zeros(messages, np.int64), body, key)
        return self._run(at_once, at_most_s)

    def evenly(self, rate_per_s: float, duration_s: float, overrun_s: float = 0.0) -> Observation:
        """Send at a fixed rate, evenly spaced.

        What is late at the end may still be sent for ``overrun_s``.
        """
        planned = self._uniform(rate_per_s, duration_s)
        return self._run(planned, duration_s, replace(_NO_OVERRUN, overrun_s=overrun_s))

    def in_bursts(
        self, rate_per_s: float, duration_s: float, every_s: float, overrun_s: float = 0.0
    ) -> Observation:
        """Send at a fixed rate, what falls due within each ``every_s`` together at its start.

        What is late at the end may still be sent for ``overrun_s``.
        """
        planned = in_bursts(self._uniform(rate_per_s, duration_s), every_s)
        return self._run(planned, duration_s, replace(_NO_OVERRUN, overrun_s=overrun_s))

    @property
    def pid(self) -> int:
        """Process number of the generator that sends."""
        return self.crew.hands(self.session.runtime, 1)[0].pid

    def _uniform(self, rate_per_s: float, duration_s: float) -> Schedule:
        uniform = Arrivals(kind="uniform", rate_per_s=rate_per_s)
        return schedule(uniform, rate_per_s, duration_s, SEED, self.bodies)

    def _run(
        self, planned: Schedule, duration_s: float, limits: Limits = _NO_OVERRUN
    ) -> Observation:
        seen = self.session.run(planned, duration_s, limits)
        if seen.error:
            raise RuntimeError(f"{self.session.client.driver}: {seen.error}")
        return seen


@dataclass
class Rig:
    """Servers and generators of one invocation; a context manager that stops all of them."""

    say: Say
    cache: Cache = field(default_factory=Cache.open)
    cores: Cores = field(default_factory=split_cores)
    _names: int = 0

    def __post_init__(self) -> None:
        self._fleet = Fleet(self.cache, self.cores, self.say)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._fleet.close()

    @cached_property
    def bodies(self) -> Templates:
        """Bodies of 1,024 bytes, half of each random: what every tool is given to send."""
        return templates(Payload(size_bytes=SIZE_BYTES), SEED)

    def bodies_in(self, folder: Path) -> Path:
        """A new file in ``folder`` with a body a line."""
        path = folder / "bodies.txt"
        path.write_bytes(b"\n".join(self.bodies.bodies))
        return path

    @cached_property
    def java_home(self) -> Path:
        """The Java runtime of our generator, which the other tools are given too."""
        return java_home(self.cache, self.say)

    def server(self, candidate: Candidate) -> Running | None:
        """The candidate's local server, awake and alone; None for an in-memory candidate."""
        if candidate.software is None:
            self._fleet.rest()
            return None
        berth = Berth("local", "software", candidate.software.recipes["local"])
        return self._fleet.awake(candidate.software, berth)

    def wiring(self, candidate: Candidate, **settings: Any) -> Wiring:
        """A wiring for ``candidate`` with a name of its own; ``settings`` are its other fields."""
        self._names += 1
        server = self.server(candidate)
        options = dict(candidate.options) | settings.pop("options", {})
        return Wiring(
            name=f"sb-bench-{self._names:04d}",
            connection=server.connection if server else {},
            options=options,
            largest_body_bytes=self.bodies.largest_bytes,
            **settings,
        )

    @contextmanager
    def generator(
        self,
        candidate: Candidate,
        client: str,
        wiring: Wiring,
        topology: Callable[[Wiring], Topology] | None = None,
    ) -> Iterator[Generator]:
        """A generator in a process of its own, as fresh as a tool that is started anew."""
        made = (topology or topology_of(candidate))(wiring)
        with Crew(self.cores.load) as crew:
            session = Session(
                crew=crew,
                runtime=self.runtime(candidate, client),
                client=candidate.client(client),
                wiring=wiring,
                topology=made,
                cargo=self.cargo(wiring),
                server=self.server(candidate),
            )
            with session:
                yield Generator(session, self.bodies, crew)

    def cargo(self, wiring: Wiring) -> Cargo:
        """What is sent under ``wiring``'s name, and by which tag a receiver knows it."""
        tag = zlib.crc32(wiring.name.encode())
        return Cargo(tag, self.bodies.bodies, self.bodies.keys, wiring.confirm_window)

    def runtime(self, candidate: Candidate, client: str) -> Runtime:
        """What a process of the candidate's client needs to be started."""
        return self._java if candidate.client(client).language == "java" else Runtime("python")

    @cached_property
    def _java(self) -> Runtime:
        clients = [c for candidate in SPIKE.candidates for c in candidate.clients]
        locks = dict.fromkeys(lock for client in clients for lock in client.artefacts)
        sources = dict.fromkeys(folder for client in clients for folder in client.sources)
        sources[DRIVERS] = None
        jars = [jar for lock in locks for jar in class_path(lock, self.cache, self.say)]
        classes = compile_sources(list(sources), jars, self.cache, self.java_home, self.say)
        return Runtime("java", self.java_home, (classes, *jars))


def in_bursts(planned: Schedule, every_s: float) -> Schedule:
    """Return ``planned`` with each message moved to the start of the ``every_s`` it is due in."""
    every_ns = round(every_s * 1e9)
    return replace(planned, offsets_ns=planned.offsets_ns // every_ns * every_ns)


def through(driven: Candidate, client: str, wrapper: str) -> Candidate:
    """Return the same candidate, its ``client`` driven through the driver ``wrapper``.

    The wrapper finds its driver in the wiring's option ``through``.
    """
    inner = driven.client(client)
    return replace(
        driven,
        clients=(replace(inner, driver=wrapper),),
        options={**driven.options, "through": inner.driver},
    )


def candidate(name: str) -> Candidate:
    """Return the messaging spike's candidate called ``name``; KeyError where there is none."""
    return {each.name: each for each in SPIKE.candidates}[name]


def topology_of(candidate: Candidate) -> Callable[[Wiring], Topology]:
    """Return what makes the candidate's own topology."""
    module, _, attribute = (candidate.topology or "").partition(":")
    made: Callable[[Wiring], Topology] = getattr(importlib.import_module(module), attribute)
    return made
