"""Why a cell of messages keeps its row and is not measured."""

from __future__ import annotations

from collections.abc import Sequence

from spikebench.candidate import Candidate, Client
from spikebench.scenario.messages import LEADER_FAULTS, FaultKind, MessageScenario
from spikebench.target.fleet import Berth

KEEPS_NOTHING: Sequence[FaultKind] = ("kill-broker", "kill-broker-holding", "fill-disk")
"""Faults that a server which keeps nothing on disk has no answer to."""


def withheld(scenario: MessageScenario, candidate: Candidate, client: Client, berth: Berth) -> str:
    """Say why a cell would prove nothing, or could not keep what it promises; else nothing."""
    can = candidate.capabilities
    largest = scenario.payload.largest_bytes or scenario.payload.size_bytes
    relative = scenario.experiment == "capacity" or scenario.arrivals.capacity_share is not None
    if berth.fidelity == "emulator" and relative:
        return "an emulator's speed says nothing of AWS; a sandbox account would show it"
    if scenario.consumers.competing > 1 and not can.competing_consumers:
        return f"consumers of {candidate.name} cannot share one subscriber's messages"
    if can.largest_message_bytes is not None and largest > can.largest_message_bytes:
        return f"{candidate.name} takes messages of at most {can.largest_message_bytes:,} bytes"
    if scenario.fault is not None:
        kind = scenario.fault.kind
        return _no_fault(kind, candidate, client, berth) or _not_its_fault(kind, candidate)
    if scenario.experiment == "backlog" and not can.durable:
        return f"{candidate.name} keeps no messages while consumers are away"
    return ""


def _no_fault(kind: FaultKind, candidate: Candidate, client: Client, berth: Berth) -> str:
    """Say why a fault can't be put into a candidate here; nothing where it can."""
    if candidate.software is None:
        return "in memory: there is nothing that could break"
    if berth.target != "local":
        return f"faults are put into servers of our own (--target local), not at {berth.target}"
    if berth.fidelity == "emulator" and kind in KEEPS_NOTHING:
        return "an emulator keeps all in memory: what its death costs says nothing of AWS"
    if client.language != "java":
        return "its loop does not reconnect; the Java client's does"
    return ""


def _not_its_fault(kind: FaultKind, candidate: Candidate) -> str:
    """Say why a kind of fault is not for a node alone, or not for several; nothing where it is."""
    if kind in LEADER_FAULTS and candidate.nodes == 1:
        return f"one node, which leads alone: {kind.replace('leader', 'broker')} is that fault"
    if kind not in LEADER_FAULTS and candidate.nodes > 1:
        return f"{candidate.nodes} nodes: what is broken is the one that leads (kill-leader)"
    return ""
