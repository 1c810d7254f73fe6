import json
from pathlib import Path
from typing import Any

import pytest

from spikebench.cell import Cell
from spikebench.errors import TargetError
from spikebench.measure.outcome import Limit, Status
from spikebench.plan import Selection
from spikebench.plugin.campaign import Campaign
from spikebench.plugin.options import LATEST, Options
from spikebench.record import Record, run_path
from spikebench.scenario.messages import Fault
from tests.report.synthetic import scenario
from tests.synthetic.workload import cell


class Told:
    """Stands for a run: what is measured is what it was told."""

    def __init__(self, *outcomes: tuple[Status, Limit]) -> None:
        self.left = list(outcomes)

    def measure(self, cell: Cell, block: int) -> Record:
        status, limit = self.left.pop(0)
        return Record.model_construct(cell=cell.key, block=block, status=status, limit=limit)


def campaign(run: Any) -> Campaign:
    options = Options("smoke", Selection(), 1, 1, None, Path("results"))
    return Campaign("tiny", options, say=lambda _: None, watch=lambda _: None, _run=run)


def test_a_trial_that_the_generator_made_void_is_measured_once_more() -> None:
    run = Told(("void", "client"), ("valid", "target"), ("valid", "target"))
    assert campaign(run).measure(cell(), 0).status == "valid"
    assert len(run.left) == 1


def test_and_no_more_than_once() -> None:
    run = Told(("void", "client"), ("void", "client"), ("valid", "target"))
    assert campaign(run).measure(cell(), 0).status == "void"
    assert len(run.left) == 1


class Stuck:
    """Stands for a run that leaves something behind."""

    def __exit__(self, *_: object) -> None:
        raise TargetError("a stack is left")


@pytest.mark.parametrize("trials", [0, 1])
def test_a_file_without_a_trial_is_no_run_and_goes_whatever_else_is_left(
    tmp_path: Path, trials: int
) -> None:
    stuck = campaign(Stuck())
    path = stuck.__dict__["path"] = tmp_path / "20260101-000000-00000001.jsonl"
    path.write_text("{}\n" * trials)
    with pytest.raises(TargetError, match="a stack is left"):
        stuck.stop()
    assert path.exists() is bool(trials)
    stuck.stop()


@pytest.mark.parametrize(("faults", "gone_on_with"), [(True, "early"), (False, "late")])
def test_the_latest_run_of_its_kind_is_gone_on_with(
    tmp_path: Path, faults: bool, gone_on_with: str
) -> None:
    for name, started_at, first in (
        ("early", "2026-01-01", "breaks"),
        ("late", "2026-01-02", "change-data"),
    ):
        path = run_path("tiny", name, tmp_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"started_at": started_at, "scenario": first}) + "\n")
    asked = Selection(faults=faults)
    options = Options("smoke", asked, 1, None, LATEST, tmp_path)
    went_on = Campaign("tiny", options, say=lambda _: None, watch=lambda _: None)
    went_on.__dict__["scenarios"] = {
        "change-data": scenario(),
        "breaks": scenario("breaks", experiment="fault", fault=Fault(at_s=1)),
    }
    assert went_on.run_id == gone_on_with


def resumed(run: Any, *earlier: tuple[Status, Limit]) -> Campaign:
    """A campaign that goes on with a run in which block 0 of the cell had these tries."""
    went_on = campaign(run)
    went_on.__dict__["_earlier"] = [Told(outcome).measure(cell(), 0) for outcome in earlier]
    return went_on


@pytest.mark.parametrize(
    ("earlier", "finished"),
    [
        ([], False),
        ([("valid", "target")], True),
        ([("void", "broker")], True),
        ([("failed", "client")], True),
        ([("void", "client")], False),
        ([("void", "client"), ("void", "client")], True),
        ([("void", "client"), ("valid", "target")], True),
    ],
)
def test_a_run_that_was_cut_off_between_two_tries_makes_up_for_the_second(
    earlier: list[tuple[Status, Limit]], finished: bool
) -> None:
    went_on = resumed(Told(), *earlier)
    assert went_on.finished(cell(), 0) is finished
    assert not went_on.finished(cell(), 1)


def test_and_makes_no_third() -> None:
    run = Told(("void", "client"), ("valid", "target"))
    assert resumed(run, ("void", "client")).measure(cell(), 0).status == "void"
    assert len(run.left) == 1


@pytest.mark.parametrize(
    "outcome",
    [("void", "unknown"), ("void", "broker"), ("failed", "client"), ("valid", "client")],
)
def test_what_is_the_candidates_own_doing_is_not_measured_again(
    outcome: tuple[Status, Limit],
) -> None:
    run = Told(outcome, ("valid", "target"))
    assert campaign(run).measure(cell(), 0).status == outcome[0]
    assert len(run.left) == 1
