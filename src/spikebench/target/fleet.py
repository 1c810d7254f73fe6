"""The fleet: every server a run needs, started once, with only the one under test awake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from spikebench.candidate import Candidate, Fidelity
from spikebench.errors import SpikebenchError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.software import Cores, Recipe, Running, Say, Software

Asked = Literal["auto", "endpoint", "docker", "local", "sandbox"]


@dataclass(frozen=True)
class Berth:
    """Where a candidate will run: its target and what a row from it can prove.

    ``recipe`` is None for an in-memory candidate, and for one that can't be had: then ``reason``
    says why and ``mend`` is the one command that would help.
    """

    target: str
    fidelity: Fidelity
    recipe: Recipe | None = None
    reason: str = ""
    mend: str = ""

    @property
    def available(self) -> bool:
        """Whether the candidate can be tried here."""
        return not self.reason


def choose(candidate: Candidate, asked: Asked, cache: Cache) -> Berth:
    """Pick the target for a candidate by looking only; nothing is fetched or started.

    A sandbox is taken where it is asked for: whether it may be spent in is found out before the
    first trial, so that a run can be estimated without an account. Raises TargetError where a
    target was asked for wrongly, such as a malformed address.
    """
    software = candidate.software
    if software is None:
        return Berth("local", "software")
    tried: list[str] = []
    mends: list[str] = []
    for name in software.automatic if asked == "auto" else (asked,):
        recipe = software.recipes.get(name)
        if recipe is None:
            tried.append(f"{name}: {software.name} has no recipe for it")
            continue
        found = recipe.presence(cache)
        if found.broken:
            raise TargetError(found.detail)
        if found.ready or found.obtainable or name == "sandbox":
            return Berth(name, software.fidelity[name], recipe)
        tried.append(f"{name}: {found.detail}")
        mends.append(found.mend)
    fidelity: Fidelity = next(iter(software.fidelity.values()), "software")
    mend = next((m for m in reversed(mends) if m), "")
    return Berth(asked if asked != "auto" else "local", fidelity, None, "; ".join(tried), mend)


@dataclass
class Fleet:
    """Servers by software and target. ``close`` stops all of them, whatever happens before."""

    cache: Cache
    cores: Cores
    say: Say
    _running: dict[tuple[str, str], Running] = field(default_factory=dict)
    _broken: dict[tuple[str, str], SpikebenchError] = field(default_factory=dict)
    _awake: Running | None = None

    def awake(self, software: Software, berth: Berth) -> Running:
        """Return the server, started and awake, with every other one paused.

        Raises TargetError or ArtefactError where it can't be had; a second try fails at once.
        """
        server = self._started(software, berth)
        if not server.alive():
            del self._running[software.name, berth.target]
            raise TargetError(f"{software.name} has ended by itself; its log: {server.log_tail()}")
        if self._awake is not server:
            self.rest()
            server.resume()
            self._awake = server
        return server

    def rest(self) -> None:
        """Pause whatever is awake."""
        if self._awake is not None:
            self._awake.pause()
            self._awake = None

    def discard(self, software: Software, berth: Berth) -> None:
        """Stop a server that a trial has spoilt; the next trial that asks for it gets a new one."""
        server = self._running.pop((software.name, berth.target), None)
        if server is not None:
            self._awake = None if self._awake is server else self._awake
            server.stop()

    def close(self) -> None:
        """Stop every server; one that fails to stop does not keep the others running."""
        errors = [error for server in self._running.values() if (error := _tried(server.stop))]
        self._running.clear()
        self._awake = None
        if errors:
            raise TargetError(f"a server did not stop cleanly: {errors[0]}")

    def _started(self, software: Software, berth: Berth) -> Running:
        key = (software.name, berth.target)
        if key in self._broken:
            raise self._broken[key]
        if key not in self._running:
            self.rest()
            try:
                self._running[key] = self._start(berth)
            except SpikebenchError as error:
                self._broken[key] = error
                raise
            self._awake = self._running[key]
        return self._running[key]

    def _start(self, berth: Berth) -> Running:
        assert berth.recipe is not None, "an available berth has a recipe"
        berth.recipe.install(self.cache, self.say)
        return berth.recipe.start(self.cache, self.cores, self.say)


def _tried(stop: Callable[[], None]) -> Exception | None:
    try:
        stop()
    except Exception as error:  # whatever a client library or the system raises
        return error
    return None
