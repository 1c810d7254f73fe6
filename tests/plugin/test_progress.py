"""What is left of a run, as its lines say it."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from spikebench.plugin import progress
from spikebench.plugin.progress import Progress
from spikebench.record import Record
from tests.synthetic.workload import cell


class Lines:
    """Stands for pytest's terminal where it is a file."""

    isatty = False

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_line(self, text: str, flush: bool) -> None:
        self.lines.append(text)


class Clock:
    """Stands for the module ``time``."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


VOID = Record.model_construct(status="void", reason="late", ledger=None, metrics={})


def left_s(trials: list[float | None], total: int, expected_s: float, clock: Clock) -> list[int]:
    """What each line says is left; a trial is its seconds, None where it was passed over."""
    terminal = Lines()
    shown = Progress(cast(Any, terminal))
    shown._began = clock.now
    shown.begin(total, expected_s)
    for block, took in enumerate(trials):
        shown.start(cell(), block)
        clock.now += took or 0.0
        shown.end(cell(), None if took is None else VOID)
    found = [re.search(r"(\d+):(\d\d) left$", line) for line in terminal.lines]
    return [int(each[1]) * 60 + int(each[2]) for each in found if each]


def test_what_is_left_comes_to_nothing(clock: Clock) -> None:
    assert left_s([10.0] * 5, 5, 50.0, clock)[-1] == 0


def test_a_slow_run_says_so_the_more_of_it_is_behind(clock: Clock) -> None:
    each = cell().seconds
    found = left_s([10 * each] * 100, 100, 100 * each, clock)
    assert found[0] < found[49]
    assert found[49] == pytest.approx(50 * each * (0.5 + 0.5 * 10), abs=1)


def test_what_was_measured_already_says_nothing_of_the_pace(clock: Clock) -> None:
    """90 trials were there; the ten that are left take 20 s each, as expected."""
    found = left_s([None] * 90 + [20.0] * 5, 100, 200.0, clock)
    assert found[:90] == [200] * 90
    assert found[90] > 170
    assert found[-1] >= 90
