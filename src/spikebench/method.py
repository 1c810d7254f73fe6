"""How a spike measures: the seam between a run, which records, and what a trial is.

A ``Method`` knows what makes a cell of its spike; a ``Lab`` is what it sets up for one run. The
core has one for messages (``load/method.py``); a spike of another kind brings its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from spikebench.candidate import Candidate, Client
from spikebench.cell import Cell
from spikebench.errors import SpikebenchError, TargetError
from spikebench.measure.outcome import Outcome
from spikebench.record.model import Record
from spikebench.scenario.model import Scenario
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.fleet import Berth
from spikebench.target.software import Say

Watch = Callable[[str], None]
"""Is given the running figures of a trial, in words, a few times a second."""

BEFORE_BLOCKS = -1
"""The block number of what belongs to no block, such as a search for capacity."""


class VoidTrialError(SpikebenchError):
    """A trial that may not count, for a reason known before it was measured."""


class RunEndedError(TargetError):
    """Nothing more can be measured: the run ends with this, and keeps what it has.

    The trial in hand is not recorded, so that ``--resume`` measures it.
    """


@dataclass
class Asked:
    """One trial that is asked for; ``versions`` is filled in as they become known.

    ``number`` counts the trials of a run, ``seed`` is the trial's own. ``environment`` is filled in
    where a trial ran elsewhere than on this machine.
    """

    cell: Cell
    block: int
    seed: int
    number: int
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    versions: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What a lab is set up with. ``done`` holds the records of a run that is gone on with.

    ``keep`` records an outcome of what is not a block's trial; ``ask`` makes such a trial.
    ``blocks`` is how many the run has; ``verdicts`` whether any are to be drawn from it. ``cells``
    has one for each trial that is still to come, in no order, as far as that is known.
    ``accept_unpriced`` is whether what has no price may be used in a sandbox.
    """

    spike: Spike
    seed: int
    cache: Cache
    say: Say
    watch: Watch
    ask: Callable[[Cell], Asked]
    keep: Callable[[Asked, Outcome], Record]
    done: Sequence[Record] = ()
    blocks: int = 1
    verdicts: bool = True
    run_id: str = ""
    cells: Sequence[Cell] = ()
    accept_unpriced: bool = False


class Lab(Protocol):
    """What a run measures in: servers, workers, built functions, whatever its method needs."""

    def measure(self, asked: Asked) -> Outcome:
        """Run one trial.

        Raises VoidTrialError where it may not count, RunEndedError where no other could be run
        either, SpikebenchError where it broke.
        """

    def close(self) -> None:
        """Stop everything, whatever happened before."""


class Method(Protocol):
    """How the cells of a spike are made and measured."""

    def meant(self, scenario: Scenario, candidate: Candidate) -> bool:
        """Whether a candidate has a cell of this scenario (one value of each swept key) at all."""

    def drives(self, scenario: Scenario, client: Client) -> bool:
        """Whether a client is one for a scenario; the first that is, is a candidate's default."""

    def withheld(
        self, scenario: Scenario, candidate: Candidate, client: Client, berth: Berth, first: bool
    ) -> str:
        """Say why a cell keeps its row and is not measured; empty where it is.

        ``first`` is whether it is the first of the swept values of a run that is not ``full``.
        """

    def breakable(self, candidate: Candidate) -> Candidate:
        """Return the candidate as it is set up to be broken."""

    def overhead_s(self, cells: Iterable[Cell]) -> float:
        """About how long all takes that is done besides trials, in seconds.

        ``cells`` has one for each trial.
        """

    def cost(self, cells: Sequence[Cell]) -> str:
        """Say what trials will cost, a cell for each; empty where they cost nothing."""

    def lab(self, setting: Setting) -> Lab:
        """Set up for a run; nothing is started before the first trial."""
