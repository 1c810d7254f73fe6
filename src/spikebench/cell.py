"""A cell: spike × scenario × candidate × client × target × parameters; a trial is one of these."""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spikebench.candidate import Candidate, Client
from spikebench.scenario.model import Scenario
from spikebench.target.fleet import Berth

Arm = Literal["", "A/A", "search"]


@dataclass(frozen=True)
class Cell:
    """One cell of a run, with the workload that its parameters give.

    ``withheld`` is why the cell can't be measured, although it keeps its row; empty where it can.
    """

    spike: str
    scenario: Scenario
    candidate: Candidate
    client: Client
    berth: Berth
    params: Mapping[str, str | int | float] = field(default_factory=dict)
    arm: Arm = ""
    withheld: str = ""

    @property
    def key(self) -> str:
        """The cell as one readable string, the same from run to run."""
        parts = [self.scenario.scenario, self.candidate.name, self.client.name, self.berth.target]
        parts += [f"{name}={value}" for name, value in self.params.items()]
        return "-".join(
            part.replace(" ", "") for part in [*parts, *([self.arm] if self.arm else [])]
        )

    @property
    def workload(self) -> str:
        """A digest of what is sent and how: equal for equal workloads, whatever is said of them."""
        sent = self.scenario.model_dump_json(exclude=set(self.scenario.SAID))
        return hashlib.sha256(sent.encode()).hexdigest()[:12]

    @property
    def seconds(self) -> float:
        """About how long one trial takes, in seconds."""
        return 0.0 if self.withheld else self.scenario.seconds

    def seed(self, run_seed: int, block: int) -> int:
        """The seed of one trial: a function of the run's seed, the cell and the block alone."""
        return zlib.crc32(f"{run_seed}/{self.key}/{block}".encode())


def order_of_block(cells: Sequence[Cell], run_seed: int, block: int) -> list[Cell]:
    """Return every cell once, in an order drawn from the run's seed for this block."""
    shuffled = sorted(cells, key=lambda cell: cell.key)
    random.Random(f"{run_seed}/{block}").shuffle(shuffled)
    return shuffled
