"""What a cell of messages asks for."""

from __future__ import annotations

from spikebench.cell import Cell
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.model import Scenario


def message_scenario(scenario: Scenario) -> MessageScenario:
    """The scenario as the one of messages that it is."""
    assert isinstance(scenario, MessageScenario), f"{scenario.scenario} sends no messages"
    return scenario


def needs_capacity(cell: Cell) -> bool:
    """Whether the rate that a trial of the cell asks for is a share of its capacity."""
    return message_scenario(cell.scenario).arrivals.capacity_share is not None


def shows_headroom(cell: Cell) -> bool:
    """Whether a fixed-rate cell's capacity is wanted for its headroom.

    Not that of an in-memory candidate, nor of an emulator.
    """
    real = cell.candidate.software is not None and cell.berth.fidelity != "emulator"
    return real and message_scenario(cell.scenario).requires.headroom is not None
