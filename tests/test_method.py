"""A spike that sends no messages has its cells, records and errors from the core all the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import pytest

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.cell import Cell
from spikebench.errors import TargetError
from spikebench.measure.outcome import Metric, Outcome
from spikebench.method import Asked, Lab, RunEndedError, Setting, VoidTrialError
from spikebench.plan import Selection, plan
from spikebench.record import RecordFile, read_records
from spikebench.run import Run
from spikebench.scenario.model import Analysis, Scenario
from spikebench.scenario.profile import USUAL
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.fleet import Berth

RUN_ID = "20260101-000000-0000002a"


class Throw(Scenario):
    """Something is thrown as high as its candidate can."""

    SWEPT: ClassVar[tuple[str, ...]] = ("weight",)
    weight: int = 1
    by_crane: bool = False

    @property
    def seconds(self) -> float:
        return 2.0

    def shortened(self) -> Self:
        return self


class Thrower:
    """Heavy things are not for the weak, who are not meant to throw the heaviest at all."""

    def meant(self, scenario: Scenario, candidate: Candidate) -> bool:
        assert isinstance(scenario, Throw)
        return scenario.weight < 100 or candidate.name != "weak"

    def drives(self, scenario: Scenario, client: Client) -> bool:
        assert isinstance(scenario, Throw)
        return client.name != "hand" or not scenario.by_crane

    def withheld(
        self, scenario: Scenario, candidate: Candidate, client: Client, berth: Berth, first: bool
    ) -> str:
        assert isinstance(scenario, Throw)
        return "too heavy" if scenario.weight > 5 and candidate.name == "weak" else ""

    def breakable(self, candidate: Candidate) -> Candidate:
        return candidate

    def overhead_s(self, cells: Iterable[Cell]) -> float:
        return 10.0

    def cost(self, cells: Sequence[Cell]) -> str:
        return f"{len(cells)} plums" if cells else ""

    def lab(self, setting: Setting) -> Lab:
        return Field(setting)


class Field:
    """Where things are thrown: what lands is what the candidate's name says."""

    closed: ClassVar[int] = 0

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def measure(self, asked: Asked) -> Outcome:
        self.setting.watch("in the air")
        asked.versions["arm"] = "1.0"
        name = asked.cell.candidate.name
        if name == "clumsy":
            raise TargetError("it fell on a foot")
        if name == "last":
            raise RunEndedError("the field is flooded")
        asked.environment["wind"] = "none"
        if name == "early":
            raise VoidTrialError("thrown before the start")
        height = Metric(value=float(asked.block + 1), unit="m", better="higher")
        return Outcome(status="valid", metrics={"height": height})

    def close(self) -> None:
        Field.closed += 1


METHOD = Thrower()

CLIENTS = (Client("hand", "python", "", "none"), Client("crane", "python", "", "none"))


def spike(folder: Path) -> Spike:
    names = ("strong", "weak", "clumsy", "early", "last")
    candidates = tuple(Candidate(name, Capabilities("none"), CLIENTS) for name in names)
    return Spike(
        "throwing", "How high?", candidates, folder, model=Throw, measured_by=f"{__name__}:METHOD"
    )


def throw(**changes: object) -> Throw:
    given = {
        "scenario": "throw",
        "title": "Throw",
        "question": "How high?",
        "analysis": Analysis(metric="height", baseline="strong", baseline_params={"weight": "1"}),
        "sweep": {"weight": [1, 6, 100]},
    }
    return Throw.model_validate({**given, **changes})


def cells(folder: Path) -> list[Cell]:
    selection = Selection()
    return plan(spike(folder), {"throw": throw()}, USUAL["quick"], selection, Cache(folder))


def test_a_method_says_which_cells_there_are_and_which_are_withheld(tmp_path: Path) -> None:
    found = {(c.candidate.name, c.params["weight"], c.arm): c.withheld for c in cells(tmp_path)}
    assert ("strong", 100, "") in found
    assert ("weak", 100, "") not in found
    assert found["weak", 6, ""] == "too heavy"
    assert found["weak", 1, ""] == ""
    assert [key for key in found if key[2]] == [("strong", 1, "A/A")]


@pytest.mark.parametrize(
    ("by_crane", "asked", "found"),
    [
        (False, (), {"hand"}),
        (True, (), {"crane"}),
        (False, ("crane",), {"crane"}),
        (True, ("hand",), set()),
        (True, ("hand", "crane"), {"crane"}),
    ],
)
def test_the_default_client_is_the_first_that_the_method_has_for_the_scenario(
    tmp_path: Path, by_crane: bool, asked: tuple[str, ...], found: set[str]
) -> None:
    given = {"throw": throw(by_crane=by_crane)}
    selection = Selection(clients=asked)
    planned = plan(spike(tmp_path), given, USUAL["quick"], selection, Cache(tmp_path))
    assert {cell.client.name for cell in planned} == found


def test_the_control_arm_is_at_the_baseline_parameters(tmp_path: Path) -> None:
    analysis = Analysis(metric="height", baseline="strong", baseline_params={"weight": "6"})
    given = {"throw": throw(analysis=analysis)}
    found = plan(spike(tmp_path), given, USUAL["quick"], Selection(), Cache(tmp_path))
    assert [cell.params["weight"] for cell in found if cell.arm] == [6]


def test_what_a_lab_measures_is_recorded_and_what_it_raises_is_a_reason(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / f"{RUN_ID}.jsonl"
    before = Field.closed
    file = RecordFile(path)
    with Run(RUN_ID, 42, spike(tmp_path), Cache(tmp_path), file, said.append, said.append) as run:
        for cell in cells(tmp_path):
            if cell.params["weight"] == 1 and not cell.arm and cell.candidate.name != "last":
                run.measure(cell, 2)
    records = {record.candidate: record for record in read_records(path)}
    assert records["strong"].metrics["height"].value == 3
    assert records["strong"].versions["arm"] == "1.0"
    assert records["strong"].block == 2
    assert records["strong"].environment["wind"] == "none"
    assert records["strong"].environment["fingerprint"]
    assert (records["clumsy"].status, records["clumsy"].reason) == ("failed", "it fell on a foot")
    assert (records["early"].status, records["early"].reason) == ("void", "thrown before the start")
    assert [record.trial for record in records.values()] == [1, 2, 3, 4]
    assert said == ["in the air"] * 4
    assert Field.closed == before + 1


def test_a_run_that_has_ended_records_no_trial_that_was_not_run(tmp_path: Path) -> None:
    path, before = tmp_path / f"{RUN_ID}.jsonl", Field.closed
    run = Run(RUN_ID, 42, spike(tmp_path), Cache(tmp_path), RecordFile(path), lambda _: None)
    last = next(cell for cell in cells(tmp_path) if cell.candidate.name == "last")
    with pytest.raises(RunEndedError, match="flooded"), run:
        run.measure(last, 0)
    assert read_records(path) == []
    assert Field.closed == before + 1


def test_a_lab_is_told_which_trials_are_to_come(tmp_path: Path) -> None:
    path, ahead = tmp_path / f"{RUN_ID}.jsonl", cells(tmp_path)[:2]
    run = Run(
        RUN_ID, 42, spike(tmp_path), Cache(tmp_path), RecordFile(path), lambda _: None,
        cells=ahead, accept_unpriced=True,
    )  # fmt: skip
    with run:
        setting = run.setting
    assert (setting.run_id, setting.cells, setting.accept_unpriced) == (RUN_ID, ahead, True)


def test_a_run_that_measures_nothing_sets_up_nothing(tmp_path: Path) -> None:
    before = Field.closed
    file = RecordFile(tmp_path / f"{RUN_ID}.jsonl")
    with Run(RUN_ID, 42, spike(tmp_path), Cache(tmp_path), file, lambda _: None) as run:
        withheld = next(cell for cell in cells(tmp_path) if cell.withheld)
        assert run.measure(withheld, 0).status == "unavailable"
    assert Field.closed == before


def test_scenario_files_are_read_as_the_spikes_own_model(tmp_path: Path) -> None:
    text = (
        "scenario: throw\ntitle: Throw\nquestion: How high?\nweight: 3\n"
        "analysis: {metric: height, baseline: strong}\n"
    )
    (tmp_path / "throw.yaml").write_text(text)
    (found,) = spike(tmp_path).read_scenarios().values()
    assert isinstance(found, Throw)
    assert found.weight == 3


def test_a_profile_that_a_spike_lacks_is_refused_by_name(tmp_path: Path) -> None:
    from spikebench.errors import UsageError

    with pytest.raises(UsageError, match="--profile nightly: spike throwing has no such profile"):
        spike(tmp_path).profile("nightly")
