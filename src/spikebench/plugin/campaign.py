"""A campaign: the run behind a pytest session, from the command line to the written table."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from spikebench.cell import Cell, order_of_block
from spikebench.discovery import find_spike
from spikebench.errors import RecordError
from spikebench.measure.environment import environment
from spikebench.method import Watch
from spikebench.plan import plan
from spikebench.plugin import room
from spikebench.plugin.options import LATEST, Options, new_run_id, seed_of
from spikebench.record import Kind, Record, RecordFile, find_run, read_records, run_path
from spikebench.report import write
from spikebench.run import Run
from spikebench.scenario.model import Scenario
from spikebench.scenario.profile import Profile
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.software import Say


@dataclass
class Campaign:
    """One spike's run. Nothing is started before the first trial is measured.

    ``ahead`` are the trials that are still to come, once it is known which those are.
    """

    name: str
    options: Options
    say: Say
    watch: Watch
    ahead: Sequence[tuple[Cell, int]] = ()
    _run: Run | None = None
    _records: list[Record] = field(default_factory=list)
    _passed_over: bool = False

    @cached_property
    def spike(self) -> Spike:
        """The spike, found below the current folder."""
        return find_spike(self.name)

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """All scenarios of the spike, by name."""
        return self.spike.read_scenarios()

    @cached_property
    def profile(self) -> Profile:
        """How much of the spike is asked for."""
        return self.spike.profile(self.options.profile)

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells the command line asks for."""
        selection = self.options.selection
        return plan(self.spike, self.scenarios, self.profile, selection, self._cache)

    @cached_property
    def path(self) -> Path:
        """The record file: a new one, or that of the run to go on with."""
        if self.options.resume is None:
            return run_path(self.name, new_run_id(self.options.seed), self.options.results)
        name = None if self.options.resume == LATEST else self.options.resume
        kind = Kind(self.options.selection.faults, self.scenarios, begun=True)
        return find_run(self.name, name, self.options.results, kind)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.path.stem

    @cached_property
    def seed(self) -> int:
        """The run's seed; it is part of its id, so that a resumed run goes on with it."""
        return seed_of(self.run_id)

    @cached_property
    def _cache(self) -> Cache:
        return Cache.open()

    @property
    def _blocks(self) -> int:
        """How often every cell is measured; once where something breaks, unless asked for more."""
        usual = 1 if self.options.selection.faults else self.profile.blocks
        return self.options.trials or usual

    def blocks(self, cell: Cell) -> range:
        """The blocks in which a cell is measured; one that can't be has a row all the same."""
        return range(1 if cell.withheld else self._blocks)

    def trials(self, scenario: str) -> list[tuple[Cell, int]]:
        """Every cell of a scenario with every block it is measured in."""
        cells = [cell for cell in self.cells if cell.scenario.scenario == scenario]
        return [(cell, block) for cell in cells for block in self.blocks(cell)]

    def place(self, cell: Cell, block: int) -> tuple[int, int]:
        """Where a trial stands in the run: its block, and its place in the block's drawn order."""
        return block, self._orders(block)[cell.key]

    def seconds(self, trials: Iterable[tuple[Cell, int]]) -> float:
        """About how long trials take, in seconds, with all that is done once for them."""
        cells = [cell for cell, _ in trials]
        return sum(cell.seconds for cell in cells) + self.spike.method.overhead_s(cells)

    def cost(self, trials: Iterable[tuple[Cell, int]]) -> str:
        """What trials will cost, in words; empty where they cost nothing."""
        return self.spike.method.cost([cell for cell, _ in trials])

    def advice(self, trials: Iterable[tuple[Cell, int]]) -> str:
        """What to say of a run whose blocks leave its verdicts no room; empty where all is well."""
        cells = {cell.key: cell for cell, _ in trials}
        return "" if self.options.selection.faults else room.advice(cells.values(), self._blocks)

    def finished(self, cell: Cell, block: int) -> bool:
        """Whether the run that is gone on with has this trial, and its second try if one is due."""
        tries = self._tries.get((cell.key, block), [])
        return len(tries) > 1 or any(not one.spoilt for one in tries)

    def pass_over(self) -> None:
        """Leave out a trial that the record file has; the table is written all the same.

        The run may have been cut off between its last trial and its table.
        """
        self._passed_over = True

    @cached_property
    def _tries(self) -> dict[tuple[str, int], list[Record]]:
        tries: dict[tuple[str, int], list[Record]] = {}
        for record in self._earlier:
            tries.setdefault((record.cell, record.block), []).append(record)
        return tries

    def measure(self, cell: Cell, block: int) -> Record:
        """Measure one trial, and once more where the load generator made it void.

        Both are recorded, the last is returned. A trial that is void because the candidate did not
        keep up is not measured again: that would be choosing among results. What a trial needs is
        started when it is first needed. In a run that is gone on with, the first try may be an
        earlier record.
        """
        record = self._measured(cell, block)
        again = record.spoilt and (cell.key, block) not in self._tries
        return self._measured(cell, block) if again else record

    def _measured(self, cell: Cell, block: int) -> Record:
        record = self._running.measure(cell, block)
        self._records.append(record)
        return record

    @property
    def failures(self) -> Sequence[int]:
        """The exit code of each trial that failed so far."""
        return self._run.failures if self._run is not None else ()

    def stop(self) -> None:
        """Stop everything that was started; raise TargetError where something would not.

        A record file without a trial is no run to go on with: it goes, too.
        """
        run, self._run = self._run, None
        if run is None:
            return
        try:
            run.__exit__(None, None, None)
        finally:
            if self.path.stat().st_size == 0:
                self.path.unlink()

    def write(self) -> list[Path]:
        """Write table and plots of all that was measured; return their paths."""
        if not self.recorded or not (self._records or self._passed_over):
            return []
        folder = self.options.results / self.name
        return [self.path, *self._written(folder)]

    @property
    def recorded(self) -> bool:
        """Whether there is a record file to make a table from; false before a run was found."""
        return "path" in self.__dict__ and self.path.exists()

    def _written(self, folder: Path) -> list[Path]:
        spike, records = self.spike, self.records()
        return write(self.name, records, self.scenarios, folder, spike.candidates, spike.layout)

    def records(self) -> list[Record]:
        """All records of the run, read back from its file: not what we recall."""
        return read_records(self.path)

    @cached_property
    def _earlier(self) -> Sequence[Record]:
        if self.options.resume is None:
            return ()
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # a half-written last line is what a resumed run has
            earlier = read_records(self.path)
        self._refuse_another(earlier)
        return earlier

    def _refuse_another(self, earlier: Sequence[Record]) -> None:
        """Raise RecordError where a run would mix workloads or machines in one cell."""
        here, workloads = environment(), {cell.key: cell.workload for cell in self.cells}
        for record in earlier:
            if record.environment.get("fingerprint") != here["fingerprint"]:
                raise RecordError(f"{self.path}: was measured on another machine; start a new run")
            if record.workload != workloads.get(record.cell, record.workload):
                raise RecordError(
                    f"{self.path}: measured {record.cell} with another workload (profile, or a "
                    "changed scenario file); name the profile it was started with, or start anew"
                )

    @property
    def _running(self) -> Run:
        if self._run is None:
            self._run = Run(
                run_id=self.run_id,
                seed=self.seed,
                spike=self.spike,
                cache=self._cache,
                file=RecordFile(self.path),
                say=self.say,
                watch=self.watch,
                done=self._earlier,
                blocks=self._blocks,
                verdicts=self.profile.verdicts,
                cells=[cell for cell, _ in self.ahead],
                accept_unpriced=self.options.accept_unpriced,
            )
        return self._run

    def _orders(self, block: int) -> dict[str, int]:
        found = self._order_of.get(block)
        if found is None:
            ordered = order_of_block(self.cells, self.seed, block)
            found = self._order_of[block] = {cell.key: i for i, cell in enumerate(ordered)}
        return found

    _order_of: dict[int, dict[str, int]] = field(default_factory=dict)
