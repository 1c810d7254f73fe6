from pathlib import Path
from typing import Any

import pytest

from spikebench.cell import Cell
from spikebench.measure.outcome import Limit, Status
from spikebench.plan import Selection
from spikebench.plugin.campaign import Campaign
from spikebench.plugin.options import Options
from spikebench.record import Record
from spikebench.scenario.profile import PROFILES
from tests.synthetic.workload import cell


class Told:
    """Stands for a run: what is measured is what it was told."""

    def __init__(self, *outcomes: tuple[Status, Limit]) -> None:
        self.left = list(outcomes)

    def measure(self, cell: Cell, block: int) -> Record:
        status, limit = self.left.pop(0)
        return Record.model_construct(cell=cell.key, block=block, status=status, limit=limit)


def campaign(run: Any) -> Campaign:
    options = Options(PROFILES["smoke"], Selection(), 1, 1, None, Path("results"))
    return Campaign("tiny", options, say=lambda _: None, watch=lambda _: None, _run=run)


def test_a_trial_that_the_generator_made_void_is_measured_once_more() -> None:
    run = Told(("void", "client"), ("valid", "target"), ("valid", "target"))
    assert campaign(run).measure(cell(), 0).status == "valid"
    assert len(run.left) == 1


def test_and_no_more_than_once() -> None:
    run = Told(("void", "client"), ("void", "client"), ("valid", "target"))
    assert campaign(run).measure(cell(), 0).status == "void"
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
