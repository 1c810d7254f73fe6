"""A piece of server software a candidate needs, and the ways to have one running.

A ``Software`` is data plus up to three recipes; the harness picks a target, asks the recipe for a
``Running`` server, wakes and pauses it between trials, and stops it whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from spikebench.candidate import Fidelity

if TYPE_CHECKING:
    from spikebench.target.cache import Cache

TargetName = Literal["endpoint", "docker", "local", "sandbox"]
Connection = Mapping[str, str]
"""How a driver reaches a server: host, port, user, password, ... as strings. Never recorded."""

AUTOMATIC: Sequence[TargetName] = ("endpoint", "docker", "local")
"""The order in which ``auto`` tries; a sandbox costs money and is never automatic."""

Say = Callable[[str], None]
"""Where a recipe reports what it is doing, one short line at a time."""


@dataclass(frozen=True)
class Presence:
    """What a recipe finds on this machine, for ``spikebench doctor`` and for rows that cannot run.

    ``ready``: it can start now without fetching. ``obtainable``: it can after fetching.
    ``detail`` is a version, path or image; ``mend`` the one command that would help, else empty.
    ``broken``: it was asked for, but wrongly; then a run stops instead of passing on to another.
    """

    ready: bool
    obtainable: bool
    detail: str
    mend: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Cores:
    """Processor numbers for the server and for the load; equal where there is only one."""

    server: Sequence[int]
    load: Sequence[int]


class Running(Protocol):
    """A server that is up. All methods are safe to call after ``stop``."""

    @property
    def connection(self) -> Connection: ...

    @property
    def startup_s(self) -> float | None:
        """Seconds from start to ready; None where we did not start it."""

    def cpu_s(self) -> float | None:
        """CPU seconds used so far by the server and its children; None where it can't be seen."""

    def peak_rss_bytes(self) -> int | None:
        """Largest resident memory of server and children so far; None where it can't be seen."""

    def alive(self) -> bool:
        """Whether the server still runs (an endpoint is taken to)."""

    def pause(self) -> None:
        """Take it off the processor; nothing for an endpoint."""

    def resume(self) -> None:
        """Undo ``pause``; returns when the server answers again."""

    def log_tail(self) -> str:
        """The last lines of its log, for an error message; no secrets."""

    def stop(self) -> None:
        """Stop it and remove its data; safe to call twice."""


class Recipe(Protocol):
    """A way to have a piece of software running on a target."""

    def presence(self, cache: Cache) -> Presence:
        """Look, quickly and without fetching or starting anything."""

    def install(self, cache: Cache, say: Say) -> None:
        """Fetch what is missing into the cache; raise ArtefactError with what to do."""

    def start(self, cache: Cache, cores: Cores, say: Say) -> Running:
        """Start it and wait until it answers; raise TargetError with its log if it never does."""


@dataclass(frozen=True)
class Software:
    """Server software by name, its recipes by target, and what a row from each can prove.

    ``breakable`` takes its place where faults are put into it, if it needs other settings then.
    ``automatic`` are the targets that ``auto`` tries, in this order; others must be asked for.
    """

    name: str
    recipes: Mapping[TargetName, Recipe] = field(default_factory=dict)
    fidelity: Mapping[TargetName, Fidelity] = field(default_factory=dict)
    breakable: Software | None = None
    automatic: Sequence[TargetName] = AUTOMATIC
