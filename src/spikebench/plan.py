"""The plan of a run: which cells there are, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from spikebench.candidate import Candidate, Client
from spikebench.cell import Cell
from spikebench.errors import UsageError
from spikebench.method import Method
from spikebench.scenario.model import Scenario
from spikebench.scenario.profile import Profile
from spikebench.scenario.variant import for_emulator, variants
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.fleet import Asked, Berth, choose


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
    scenarios: Mapping[str, Scenario],
    profile: Profile,
    selection: Selection,
    cache: Cache,
) -> list[Cell]:
    """Return the cells of a run, with one A/A arm: the first baseline measured a second time,
    or where there is none the first that runs real software.

    Raises UsageError where the selection names what does not exist.
    """
    method = spike.method
    chosen = _candidates(spike, selection)
    _check_clients(chosen, selection.clients)
    meant = {
        name: scenario
        for name, scenario in scenarios.items()
        if scenario.breaks == selection.faults
    }
    names = _scenario_names(scenarios, meant, profile, selection.scenarios)
    if selection.faults:
        chosen = [method.breakable(candidate) for candidate in chosen]
    berths = {candidate.name: choose(candidate, selection.target, cache) for candidate in chosen}
    cells = [
        cell
        for name in names
        for candidate in chosen
        for client in _clients(candidate, method, scenarios[name], profile, selection.clients)
        for cell in _cells(
            spike.name, method, scenarios[name], candidate, client, berths[candidate.name], profile
        )
    ]
    return [*cells, *_control_arm(cells)]


def _candidates(spike: Spike, selection: Selection) -> list[Candidate]:
    for name in selection.candidates:
        if spike.candidate(name).faults_only and not selection.faults:
            raise UsageError(f"--candidate {name}: is run with -m faults, and only then")
    if selection.candidates:
        return [spike.candidate(name) for name in selection.candidates]
    return [one for one in spike.candidates if selection.faults or not one.faults_only]


def _check_clients(candidates: Sequence[Candidate], asked: Sequence[str]) -> None:
    known = sorted({name for candidate in candidates for name in candidate.client_names})
    for name in asked:
        if name not in known:
            raise UsageError(f"--client {name}: no such client; there are {', '.join(known)}")


def _scenario_names(
    scenarios: Mapping[str, Scenario],
    meant: Mapping[str, Scenario],
    profile: Profile,
    asked: Sequence[str],
) -> list[str]:
    for name in asked:
        if name not in scenarios:
            known = ", ".join(scenarios)
            raise UsageError(f"--scenario {name}: no such scenario; there are {known}")
        if name not in meant:
            with_or_without = "with" if scenarios[name].breaks else "without"
            raise UsageError(f"--scenario {name}: is run {with_or_without} -m faults")
    covered = [name for name in profile.scenarios or meant if name in meant]
    return list(asked or covered or meant)


def _clients(
    candidate: Candidate,
    method: Method,
    scenario: Scenario,
    profile: Profile,
    asked: Sequence[str],
) -> list[Client]:
    found = [client for client in candidate.clients if method.drives(scenario, client)]
    if asked:
        by_name = {client.name: client for client in found}
        return [by_name[name] for name in asked if name in by_name]
    return found if profile.all_clients else found[:1]


def _cells(
    spike: str,
    method: Method,
    scenario: Scenario,
    candidate: Candidate,
    client: Client,
    berth: Berth,
    profile: Profile,
) -> Iterator[Cell]:
    fitted = profile.fitted(scenario)
    workload = for_emulator(fitted) if berth.fidelity == "emulator" else fitted
    for number, variant in enumerate(variants(workload, profile.full_sweep)):
        first = number == 0 or profile.full_sweep
        if not method.meant(variant.scenario, candidate):
            continue
        yield Cell(
            spike=spike,
            scenario=variant.scenario,
            candidate=candidate,
            client=client,
            berth=berth,
            params=variant.params,
            withheld=berth.reason
            or method.withheld(variant.scenario, candidate, client, berth, first),
        )


def _control_arm(cells: Sequence[Cell]) -> Iterator[Cell]:
    """The first measurable cell of a scenario's baseline, as an arm of its own.

    Where a run was narrowed to others, the first that runs real software stands in.
    """
    measured = [c for c in cells if not c.withheld and not c.scenario.breaks]
    baselines = [c for c in measured if _is_baseline(c)]
    for cell in (baselines or list(filter(_is_real, measured)))[:1]:
        yield replace(cell, arm="A/A")


def _is_baseline(cell: Cell) -> bool:
    analysis = cell.scenario.analysis
    at = {name: str(value) for name, value in cell.params.items()}
    same = all(at.get(name, value) == value for name, value in analysis.baseline_params.items())
    return same and cell.candidate.name == analysis.baseline


def _is_real(cell: Cell) -> bool:
    return cell.candidate.software is not None and cell.berth.fidelity != "emulator"
