"""The plan of a run: which cells there are, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from spikebench.candidate import Candidate, Client
from spikebench.cell import Cell
from spikebench.errors import UsageError
from spikebench.scenario.model import FaultKind, Scenario
from spikebench.scenario.profile import Profile
from spikebench.scenario.variant import for_emulator, variants
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.fleet import Asked, Berth, choose

KEEPS_NOTHING: Sequence[FaultKind] = ("kill-broker", "kill-broker-holding", "fill-disk")
"""Faults that a server which keeps nothing on disk has no answer to."""


@dataclass(frozen=True)
class Selection:
    """What the command line narrowed a run to; empty means all that the profile has.

    ``faults`` asks for the scenarios in which something breaks, and for no others.
    """

    candidates: Sequence[str] = ()
    clients: Sequence[str] = ()
    scenarios: Sequence[str] = ()
    faults: bool = False
    target: Asked = "auto"


def plan(
    spike: Spike,
    scenarios: dict[str, Scenario],
    profile: Profile,
    selection: Selection,
    cache: Cache,
) -> list[Cell]:
    """Return the cells of a run, with one A/A arm: the first baseline measured a second time.

    Raises UsageError where the selection names what does not exist.
    """
    chosen = [spike.candidate(name) for name in selection.candidates] or list(spike.candidates)
    _check_clients(chosen, selection.clients)
    meant = {
        name: scenario
        for name, scenario in scenarios.items()
        if (scenario.experiment == "fault") == selection.faults
    }
    names = _scenario_names(scenarios, meant, profile, selection.scenarios)
    if selection.faults:
        chosen = [_breakable(candidate) for candidate in chosen]
    berths = {candidate.name: choose(candidate, selection.target, cache) for candidate in chosen}
    cells = [
        cell
        for name in names
        for candidate in chosen
        for client in _clients(candidate, profile, selection.clients)
        for cell in _cells(
            spike.name, scenarios[name], candidate, client, berths[candidate.name], profile
        )
    ]
    return [*cells, *_control_arm(cells)]


def _check_clients(candidates: Sequence[Candidate], asked: Sequence[str]) -> None:
    known = sorted({name for candidate in candidates for name in candidate.client_names})
    for name in asked:
        if name not in known:
            raise UsageError(f"--client {name}: no such client; there are {', '.join(known)}")


def _scenario_names(
    scenarios: dict[str, Scenario],
    meant: dict[str, Scenario],
    profile: Profile,
    asked: Sequence[str],
) -> list[str]:
    for name in asked:
        if name not in scenarios:
            known = ", ".join(scenarios)
            raise UsageError(f"--scenario {name}: no such scenario; there are {known}")
        if name not in meant:
            with_or_without = "with" if scenarios[name].experiment == "fault" else "without"
            raise UsageError(f"--scenario {name}: is run {with_or_without} -m faults")
    covered = [name for name in profile.scenarios or meant if name in meant]
    return list(asked or covered or meant)


def _clients(candidate: Candidate, profile: Profile, asked: Sequence[str]) -> list[Client]:
    if asked:
        return [candidate.client(name) for name in asked if name in candidate.client_names]
    return list(candidate.clients if profile.all_clients else candidate.clients[:1])


def _cells(
    spike: str,
    scenario: Scenario,
    candidate: Candidate,
    client: Client,
    berth: Berth,
    profile: Profile,
) -> Iterator[Cell]:
    fitted = profile.fitted(scenario)
    workload = for_emulator(fitted) if berth.fidelity == "emulator" else fitted
    for number, variant in enumerate(variants(workload, profile.full_sweep)):
        yield Cell(
            spike=spike,
            scenario=variant.scenario,
            candidate=candidate,
            client=client,
            berth=berth,
            params=variant.params,
            withheld=berth.reason
            or _withheld(variant.scenario, candidate, client, berth)
            or (_beside_the_first(candidate) if number and not profile.full_sweep else ""),
        )


def _beside_the_first(candidate: Candidate) -> str:
    """Say why an in-memory candidate is not measured at every swept value; nothing for others."""
    if candidate.software is not None:
        return ""
    return "shows the load generator, at the first swept value only; --profile full has them all"


def _withheld(scenario: Scenario, candidate: Candidate, client: Client, berth: Berth) -> str:
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
        return _no_fault(scenario.fault.kind, candidate, client, berth)
    if scenario.experiment == "backlog" and not can.durable:
        return f"{candidate.name} keeps no messages while consumers are away"
    return ""


def _breakable(candidate: Candidate) -> Candidate:
    """The candidate on software that is set up to be broken, where it needs to be."""
    if candidate.software is None or candidate.software.breakable is None:
        return candidate
    return replace(candidate, software=candidate.software.breakable)


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


def _control_arm(cells: Sequence[Cell]) -> Iterator[Cell]:
    """The first measurable cell of a scenario's baseline, as an arm of its own."""
    for cell in cells:
        if cell.scenario.experiment == "fault":
            return
        if cell.candidate.name == cell.scenario.analysis.baseline and not cell.withheld:
            yield replace(cell, arm="A/A")
            return
