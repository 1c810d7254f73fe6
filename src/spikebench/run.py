"""A run: one invocation; measures cells block by block and records every trial as it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from types import TracebackType
from typing import Self

from spikebench.cell import Cell
from spikebench.errors import SpikebenchError
from spikebench.measure import pace
from spikebench.measure.environment import environment
from spikebench.measure.outcome import Outcome
from spikebench.method import (
    BEFORE_BLOCKS,
    Asked,
    Lab,
    RunEndedError,
    Setting,
    VoidTrialError,
    Watch,
)
from spikebench.record import Record, RecordFile
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.software import Say


@dataclass
class Run:
    """The lab and the record file of one run; a context manager that stops everything.

    ``done`` holds the records of an earlier, cut-off run that this one goes on from, ``cells`` one
    for each trial that is still to come. ``failures`` has the exit code of each trial that failed.
    """

    run_id: str
    seed: int
    spike: Spike
    cache: Cache
    file: RecordFile
    say: Say
    watch: Watch = lambda _: None
    done: Sequence[Record] = ()
    blocks: int = 1
    verdicts: bool = True
    cells: Sequence[Cell] = ()
    accept_unpriced: bool = False
    failures: list[int] = field(default_factory=list)
    _trials: int = 0
    _began: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._trials = len(self.done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if "lab" in self.__dict__:
                self.lab.close()
        finally:
            self.file.close()

    @cached_property
    def lab(self) -> Lab:
        """What trials are measured in."""
        return self.spike.method.lab(self.setting)

    @property
    def setting(self) -> Setting:
        """What the lab is set up with."""
        return Setting(
            spike=self.spike,
            seed=self.seed,
            cache=self.cache,
            say=self.say,
            watch=self.watch,
            ask=self._asked,
            keep=self._record,
            done=self.done,
            blocks=self.blocks,
            verdicts=self.verdicts,
            run_id=self.run_id,
            cells=self.cells,
            accept_unpriced=self.accept_unpriced,
        )

    def measure(self, cell: Cell, block: int) -> Record:
        """Run one trial and record it; what goes wrong in it is its record's reason.

        Raises RunEndedError, and records nothing, where no trial can be run any more.
        """
        asked = self._asked(cell, block)
        code = SpikebenchError.exit_code
        try:
            outcome = self._outcome(asked)
        except VoidTrialError as void:
            outcome = Outcome(status="void", reason=str(void))
        except RunEndedError:
            raise
        except SpikebenchError as error:
            outcome, code = Outcome(status="failed", reason=str(error)), error.exit_code
        except Exception as error:  # a driver's own mistake: it is recorded, and fails the trial
            outcome = Outcome(status="failed", reason=f"{type(error).__name__}: {error}")
        if outcome.status == "failed":
            self.failures.append(code)
        return self._record(asked, outcome)

    def _outcome(self, asked: Asked) -> Outcome:
        cell = asked.cell
        if cell.withheld:
            reason = "; to mend it: ".join(filter(None, [cell.withheld, cell.berth.mend]))
            return Outcome(status="unavailable", reason=reason)
        if cell.berth.target == "sandbox":  # what is measured there is another machine
            return self.lab.measure(asked)
        before = pace.paces_ms()
        outcome = self.lab.measure(asked)
        outcome.metrics[pace.PACE] = pace.metric(before, pace.paces_ms())
        return outcome

    def _asked(self, cell: Cell, block: int = BEFORE_BLOCKS) -> Asked:
        self._trials += 1
        self._began[self._trials] = time.monotonic()
        harness = {} if cell.withheld else {"harness": version("spikebench")}
        return Asked(cell, block, cell.seed(self.seed, block), self._trials, versions=harness)

    def _record(self, asked: Asked, outcome: Outcome) -> Record:
        cell = asked.cell
        record = Record(
            run_id=self.run_id,
            spike=cell.spike,
            scenario=cell.scenario.scenario,
            candidate=cell.candidate.name,
            client=cell.client.name,
            target=cell.berth.target,
            fidelity=cell.berth.fidelity,
            params=dict(cell.params),
            cell=cell.key,
            workload=cell.workload,
            arm=cell.arm,
            block=asked.block,
            trial=asked.number,
            seed=asked.seed,
            started_at=asked.started_at.isoformat(timespec="seconds"),
            duration_s=round(time.monotonic() - self._began.pop(asked.number), 3),
            versions=asked.versions,
            environment={**environment(), **asked.environment},
            **{name: getattr(outcome, name) for name in Outcome.model_fields},
        )
        self.file.append(record)
        return record
