from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.cell import Cell
from spikebench.errors import UsageError
from spikebench.load.cells import message_scenario
from spikebench.plan import Selection, plan
from spikebench.scenario.messages import (
    Analysis,
    Arrivals,
    Consumers,
    Fault,
    FaultKind,
    MessageScenario,
    Payload,
    Timing,
)
from spikebench.scenario.profile import Profile
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.software import Presence
from spikes.messaging.profiles import PROFILES
from tests.synthetic.server import Pretended, software
from tests.synthetic.workload import FLAWED, candidate, scenario

FULL, STANDARD = PROFILES["full"], PROFILES["standard"]
OTHER = Client("other", "python", "x:Y", "x")
KEY = Capabilities(ordering="key")
ABSENT = Presence(False, False, "no such package", mend="apt-get install thing")

SPIKE = Spike(
    name="tiny",
    question="Which?",
    candidates=(
        candidate("plain", clients=(FLAWED, OTHER), capabilities=KEY),
        candidate("stream", capabilities=Capabilities(ordering="queue", competing_consumers=False)),
        candidate("small", capabilities=Capabilities("none", largest_message_bytes=1000)),
        candidate("memory", capabilities=Capabilities("queue", durable=False)),
        candidate("served", software=software("server", "software"), capabilities=KEY),
        candidate("imitated", software=software("imitation", "emulator"), capabilities=KEY),
        candidate(
            "missing",
            software=software("thing", make=lambda name: Pretended(name, ABSENT)),
        ),
    ),
    scenarios=Path("nowhere"),
)
STEADY = scenario()
QUEUE = scenario(scenario="queue", experiment="capacity", consumers=Consumers(competing=2))
AWAY = scenario(
    scenario="away",
    experiment="backlog",
    consumers=Consumers(away_s=0.5),
    timing=Timing(measure_s=1),
)
SCENARIOS = {one.scenario: one for one in (STEADY, QUEUE, AWAY)}


def cells(
    tmp_path: Path,
    selection: Selection | None = None,
    profile: Profile = FULL,
    scenarios: dict[str, MessageScenario] | None = None,
) -> list[Cell]:
    return plan(SPIKE, scenarios or SCENARIOS, profile, selection or Selection(), Cache(tmp_path))


def withheld(tmp_path: Path, **changes: object) -> dict[str, str]:
    given = scenario(**changes)
    found = cells(tmp_path, scenarios={given.scenario: given})
    return {cell.candidate.name: cell.withheld for cell in found if not cell.arm}


def test_every_combination_is_a_cell_of_its_own(tmp_path: Path) -> None:
    found = cells(tmp_path)
    assert len({cell.key for cell in found}) == len(found)
    clients = sum(len(one.clients) for one in SPIKE.candidates)
    assert len(found) == len(SCENARIOS) * clients + 1


def test_only_the_default_client_is_taken_unless_all_are_asked_for(tmp_path: Path) -> None:
    narrow = cells(tmp_path, Selection(scenarios=["steady"]), STANDARD)
    assert {cell.client.name for cell in narrow} == {"python"}
    asked = cells(tmp_path, Selection(scenarios=["steady"], clients=["other"]), STANDARD)
    assert [(cell.candidate.name, cell.client.name) for cell in asked if not cell.arm] == [
        ("plain", "other")
    ]


def test_the_first_baseline_is_measured_once_more(tmp_path: Path) -> None:
    found = [cell for cell in cells(tmp_path) if cell.arm]
    assert [(cell.arm, cell.candidate.name) for cell in found] == [("A/A", "plain")]


def arms(tmp_path: Path, *candidates: str, baseline: str = "plain") -> list[str]:
    given = scenario(analysis=Analysis(metric="throughput", baseline=baseline))
    found = cells(tmp_path, Selection(candidates=candidates), scenarios={"steady": given})
    return [cell.candidate.name for cell in found if cell.arm]


def test_without_a_baseline_real_software_is_measured_against_itself(tmp_path: Path) -> None:
    assert arms(tmp_path, baseline="missing") == ["served"]
    assert arms(tmp_path, "stream", "imitated", "served") == ["served"]


def test_what_cannot_be_measured_imitated_or_in_memory_is_no_control(tmp_path: Path) -> None:
    assert arms(tmp_path, "stream", "imitated", "missing") == []


@pytest.mark.parametrize(
    ("selection", "named", "known"),
    [
        (Selection(candidates=["rabbit"]), "'rabbit'", "plain, stream, small, memory"),
        (Selection(clients=["pika"]), "--client pika", "other, python"),
        (Selection(scenarios=["stedy"]), "--scenario stedy", "steady, queue, away"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    tmp_path: Path, selection: Selection, named: str, known: str
) -> None:
    with pytest.raises(UsageError) as refused:
        cells(tmp_path, selection)
    assert named in str(refused.value)
    assert known in str(refused.value)


def test_a_client_that_no_chosen_candidate_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--client other: no such client; there are python"):
        cells(tmp_path, Selection(candidates=["stream"], clients=["other"]))


def test_a_selection_narrows(tmp_path: Path) -> None:
    found = cells(tmp_path, Selection(candidates=["memory", "plain"], scenarios=["queue"]))
    assert {cell.candidate.name for cell in found} == {"memory", "plain"}
    assert {cell.scenario.scenario for cell in found} == {"queue"}


def test_a_profile_covers_those_of_its_scenarios_that_a_spike_has(tmp_path: Path) -> None:
    """The profiles name scenarios of one spike; another may share some of them, or none."""
    shared = scenario(scenario="change-data")
    some = cells(tmp_path, profile=STANDARD, scenarios=SCENARIOS | {"change-data": shared})
    assert {cell.scenario.scenario for cell in some} == {"change-data"}
    none = cells(tmp_path, profile=STANDARD)
    assert {cell.scenario.scenario for cell in none} == set(SCENARIOS)


def test_the_capacity_of_an_emulator_is_withheld(tmp_path: Path) -> None:
    why = "an emulator's speed says nothing of AWS; a sandbox account would show it"
    assert withheld(tmp_path, experiment="capacity")["imitated"] == why
    share = withheld(tmp_path, arrivals=Arrivals(rate_per_s="30 %"))
    assert (share["imitated"], share["plain"]) == (why, "")
    assert withheld(tmp_path)["imitated"] == ""


def test_an_emulator_is_run_with_its_own_values(tmp_path: Path) -> None:
    given = scenario(emulator={"arrivals.rate_per_s": 20}, sweep={"arrivals.rate_per_s": [50, 60]})
    found = cells(tmp_path, scenarios={"steady": given})
    rates = {
        name: [
            message_scenario(c.scenario).arrivals.rate_per_s
            for c in found
            if c.candidate.name == name
        ]
        for name in ("imitated", "stream")
    }
    assert rates == {"imitated": [20.0], "stream": [50.0, 60.0]}


def test_an_in_memory_candidate_is_measured_at_the_first_swept_value_but_in_full(
    tmp_path: Path,
) -> None:
    swept = {"steady": scenario(sweep={"arrivals.rate_per_s": [50, 60]})}
    for profile, why in ((STANDARD, "at the first swept value only"), (FULL, "")):
        found = cells(tmp_path, profile=profile, scenarios=swept)
        first, second = [c.withheld for c in found if c.candidate.name == "memory" and not c.arm]
        assert first == ""
        assert why in second
        assert bool(second) == bool(why)
        assert not any(c.withheld for c in found if c.candidate.name == "served")


def test_competing_consumers_are_withheld_from_who_cannot_have_them(tmp_path: Path) -> None:
    found = withheld(tmp_path, consumers=Consumers(competing=2))
    assert found["stream"] == "consumers of stream cannot share one subscriber's messages"
    assert found["plain"] == ""
    assert withheld(tmp_path)["stream"] == ""


def test_a_message_too_large_is_withheld(tmp_path: Path) -> None:
    found = withheld(tmp_path, payload=Payload(size_bytes=1001))
    assert found["small"] == "small takes messages of at most 1,000 bytes"
    assert found["plain"] == ""
    assert withheld(tmp_path, payload=Payload(size_bytes=1000))["small"] == ""
    rows = Payload(kind="row-events", size_bytes=300, largest_bytes=4000, keys=4)
    assert withheld(tmp_path, payload=rows)["small"] != ""


def test_only_the_swept_sizes_that_are_too_large_are_withheld(tmp_path: Path) -> None:
    given = scenario(sweep={"payload.size_bytes": [500, 5000]})
    small = [c for c in cells(tmp_path, scenarios={"steady": given}) if c.candidate.name == "small"]
    assert [(c.params["size_bytes"], bool(c.withheld)) for c in small] == [
        (500, False),
        (5000, True),
    ]


def test_a_backlog_in_memory_is_withheld(tmp_path: Path) -> None:
    found = {c.candidate.name: c.withheld for c in cells(tmp_path) if c.scenario is not STEADY}
    assert found["memory"] == "memory keeps no messages while consumers are away"


def test_a_candidate_that_cannot_be_had_keeps_its_rows_with_reason_and_remedy(
    tmp_path: Path,
) -> None:
    missing = [cell for cell in cells(tmp_path) if cell.candidate.name == "missing"]
    assert len(missing) == len(SCENARIOS)
    assert all("local: no such package" in cell.withheld for cell in missing)
    assert {cell.berth.mend for cell in missing} == {"apt-get install thing"}


BROKEN = scenario(scenario="broken", experiment="fault", fault=Fault(at_s=0.1))
JAVA = Client("java", "java", "x.Y", "x")


def faulty(tmp_path: Path, *candidates: Candidate, **selected: Any) -> list[Cell]:
    spike = replace(SPIKE, candidates=candidates or SPIKE.candidates)
    scenarios = {**SCENARIOS, "broken": BROKEN}
    selection = Selection(**({"faults": True} | selected))
    return plan(spike, scenarios, STANDARD, selection, Cache(tmp_path))


def test_faults_are_run_only_where_they_are_asked_for(tmp_path: Path) -> None:
    assert {cell.scenario.scenario for cell in faulty(tmp_path)} == {"broken"}
    without = faulty(tmp_path, faults=False)
    assert "broken" not in {cell.scenario.scenario for cell in without}
    for faults, name in ((True, "steady"), (False, "broken")):
        with pytest.raises(UsageError, match=f"--scenario {name}: is run .* -m faults"):
            faulty(tmp_path, faults=faults, scenarios=[name])


def test_a_fault_has_no_arm_of_its_own(tmp_path: Path) -> None:
    assert {cell.arm for cell in faulty(tmp_path)} == {""}


def test_what_cannot_be_broken_says_why(tmp_path: Path) -> None:
    served = software("server", "software")
    java, memory = candidate(clients=(JAVA,), software=served), candidate("memory")
    python = candidate("python", software=served)
    cells = {cell.candidate.name: cell.withheld for cell in faulty(tmp_path, java, memory, python)}
    assert cells == {
        "plain": "",
        "memory": "in memory: there is nothing that could break",
        "python": "its loop does not reconnect; the Java client's does",
    }


def test_an_emulator_is_not_killed(tmp_path: Path) -> None:
    imitated = candidate(clients=(JAVA,), software=software("imitation", "emulator"))
    (cell,) = faulty(tmp_path, imitated)
    assert cell.withheld.startswith("an emulator keeps all in memory")


def test_software_that_needs_other_settings_to_be_broken_has_them(tmp_path: Path) -> None:
    other = software("server-breakable", "software")
    served = replace(software("server", "software"), breakable=other)
    (cell,) = faulty(tmp_path, candidate(clients=(JAVA,), software=served))
    assert cell.candidate.software is other
    assert cell.berth.recipe is other.recipes["local"]


def test_a_cluster_is_measured_in_runs_of_faults_only(tmp_path: Path) -> None:
    three = candidate("three", clients=(JAVA,), nodes=3, faults_only=True)
    both = [candidate(), three]
    named = {cell.candidate.name for cell in faulty(tmp_path, *both)}
    assert named == {"plain", "three"}
    without = {cell.candidate.name for cell in faulty(tmp_path, *both, faults=False)}
    assert without == {"plain"}
    with pytest.raises(UsageError, match="--candidate three: is run with -m faults"):
        faulty(tmp_path, *both, faults=False, candidates=["three"])


@pytest.mark.parametrize(
    ("kind", "one", "three"),
    [
        ("kill-leader", "one node, which leads alone: kill-broker is that fault", ""),
        ("pause-leader", "one node, which leads alone: pause-broker is that fault", ""),
        ("kill-broker", "", "3 nodes: what is broken is the one that leads (kill-leader)"),
    ],
)
def test_a_cluster_loses_its_leader_and_a_node_alone_the_whole_broker(
    tmp_path: Path, kind: FaultKind, one: str, three: str
) -> None:
    served = software("server", "software")
    alone = candidate("one", clients=(JAVA,), software=served)
    cluster = candidate("three", clients=(JAVA,), software=served, nodes=3, faults_only=True)
    given = scenario(scenario="broken", experiment="fault", fault=Fault(kind=kind, at_s=0.1))
    found = plan(
        replace(SPIKE, candidates=(alone, cluster)),
        {"broken": given},
        STANDARD,
        Selection(faults=True),
        Cache(tmp_path),
    )
    assert {cell.candidate.name: cell.withheld for cell in found} == {"one": one, "three": three}
