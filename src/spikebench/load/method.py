"""How messages are measured: which cells there are, and what is set up for a run of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from spikebench.candidate import Candidate, Client
from spikebench.cell import Cell
from spikebench.load.capacities import searching
from spikebench.load.cells import message_scenario, needs_capacity, shows_headroom
from spikebench.load.withheld import withheld
from spikebench.method import Lab, Setting
from spikebench.scenario.model import Scenario
from spikebench.target.fleet import Berth

STARTING_S, SEARCHING_S = 8.0, 5.0
"""About how long it takes to start a server, and to search for a capacity."""


class Messages:
    """The method of spikes that send messages: see ``spikebench.method.Method``."""

    def meant(self, scenario: Scenario, candidate: Candidate) -> bool:  # noqa: ARG002
        """Every candidate has a cell of every scenario."""
        return True

    def drives(self, scenario: Scenario, client: Client) -> bool:  # noqa: ARG002
        """Every client sends what any scenario asks for."""
        return True

    def withheld(
        self,
        scenario: Scenario,
        candidate: Candidate,
        client: Client,
        berth: Berth,
        first: bool,
    ) -> str:
        """Say why a cell would prove nothing, or could not keep what it promises; else nothing."""
        told = withheld(message_scenario(scenario), candidate, client, berth)
        return told or ("" if first else _beside_the_first(candidate))

    def breakable(self, candidate: Candidate) -> Candidate:
        """The candidate on software that is set up to be broken, where it needs to be."""
        if candidate.software is None or candidate.software.breakable is None:
            return candidate
        return replace(candidate, software=candidate.software.breakable)

    def overhead_s(self, cells: Iterable[Cell]) -> float:
        """About how long it takes to start servers and to search for capacities, in seconds."""
        cells = list(cells)
        software = {cell.candidate.software.name for cell in cells if cell.candidate.software}
        searches = {searching(c).key for c in cells if needs_capacity(c) or shows_headroom(c)}
        return STARTING_S * len(software) + SEARCHING_S * len(searches)

    def cost(self, cells: Sequence[Cell]) -> str:  # noqa: ARG002
        """Nothing: no messages are sent in a cloud account."""
        return ""

    def lab(self, setting: Setting) -> Lab:
        """Set up servers and workers for a run."""
        from spikebench.load.crew import Crew
        from spikebench.load.lab import MessageLab
        from spikebench.target.cores import split_cores
        from spikebench.target.fleet import Fleet

        cores = split_cores()
        fleet = Fleet(setting.cache, cores, setting.say)
        return MessageLab(setting, fleet, Crew(cores.load))


MESSAGES = Messages()


def _beside_the_first(candidate: Candidate) -> str:
    """Say why an in-memory candidate is not measured at every swept value; nothing for others."""
    if candidate.software is not None:
        return ""
    return "shows the load generator, at the first swept value only; --profile full has them all"
