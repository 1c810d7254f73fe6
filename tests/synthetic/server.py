"""Server software that is only pretended, and a topology that sees which server is awake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from spikebench.candidate import Fidelity
from spikebench.errors import TargetError
from spikebench.load.driver import Wiring
from spikebench.target.cache import Cache
from spikebench.target.software import Cores, Presence, Running, Say, Software
from tests.synthetic.queue import Up

AWAKE: list[str] = []
"""Which servers were awake each time a topology was created, as names joined by a comma."""

STARTED: dict[str, Up] = {}


@dataclass
class Pretended:
    """A recipe that starts nothing."""

    name: str
    found: Presence = field(default_factory=lambda: Presence(True, True, "pretended 1.0"))
    fails: str = ""
    starts: int = 0

    def presence(self, cache: Cache) -> Presence:
        del cache
        return self.found

    def install(self, cache: Cache, say: Say) -> None:
        del cache
        say(f"installing {self.name}")

    def start(self, cache: Cache, cores: Cores, say: Say) -> Running:
        del cache, cores, say
        self.starts += 1
        if self.fails:
            raise TargetError(self.fails)
        STARTED[self.name] = Up()
        return STARTED[self.name]


def software(
    name: str, fidelity: Fidelity = "software", make: Callable[[str], Pretended] = Pretended
) -> Software:
    return Software(name, {"local": make(name)}, {"local": fidelity})


class WatchingTopology:
    """Notes at its creation which servers are awake."""

    def __init__(self, wiring: Wiring) -> None:
        self._name = wiring.name

    def create(self) -> None:
        AWAKE.append(",".join(sorted(name for name, up in STARTED.items() if not up.paused)))

    def delete(self) -> None:
        """There is nothing to delete."""

    def backlog(self) -> int | None:
        return None

    def version(self) -> str:
        return "pretended 1.0"
