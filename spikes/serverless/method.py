"""How cold starts are measured: a function is built once, and started anew in each trial.

Here by us; in a sandbox by Lambda, see ``sandbox/lab.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from spikebench.candidate import Candidate, Client
from spikebench.cell import Cell
from spikebench.errors import SpikebenchError
from spikebench.measure.outcome import Outcome
from spikebench.method import Asked, Lab, Setting
from spikebench.scenario.model import Scenario
from spikebench.target.cache import Cache
from spikebench.target.cores import split_cores
from spikebench.target.fleet import Berth
from spikes.serverless.box import Box
from spikes.serverless.builders import BUILDERS
from spikes.serverless.cold_start import measure
from spikes.serverless.exchange import exchange
from spikes.serverless.function import Build, Function
from spikes.serverless.sandbox import plan
from spikes.serverless.sandbox.package import withheld_in_sandbox
from spikes.serverless.scenario import ColdStart
from spikes.serverless.trial import Timeouts

if TYPE_CHECKING:
    from spikes.serverless.sandbox.lab import SandboxLab

BUILDING_S = 10.0
"""About how long it takes to build a function that is not in the cache."""


class ColdStarts:
    """The method of the serverless spike: see ``spikebench.method.Method``."""

    def meant(self, scenario: Scenario, candidate: Candidate) -> bool:
        """Whether the runtime has the lever at all, and its language the handler."""
        build = _build(scenario)
        has_handler = build.handler != "spring" or candidate.name.startswith("java-")
        return has_handler and build.lever in BUILDERS[candidate.name].levers

    def withheld(
        self,
        scenario: Scenario,
        candidate: Candidate,
        client: Client,  # noqa: ARG002
        berth: Berth,
        first: bool,  # noqa: ARG002
    ) -> str:
        """Say why a function can't be built or started where it would be; nothing if it can."""
        if berth.target == "sandbox":
            return withheld_in_sandbox(candidate.name, cold_start(scenario))
        return BUILDERS[candidate.name].withheld(_build(scenario))

    def breakable(self, candidate: Candidate) -> Candidate:
        """Nothing is broken in the middle of a start."""
        return candidate

    def overhead_s(self, cells: Iterable[Cell]) -> float:
        """About how long it takes to build what is not in the cache yet, in seconds.

        In a sandbox, to put it up and to force cold starts as well.
        """
        cells, cache = list(cells), Cache.open()
        wanted = {(c.candidate.name, _built(c)) for c in cells if not c.withheld}
        missing = [b for name, b in wanted if not BUILDERS[name].presence(b, cache).ready]
        return BUILDING_S * len(missing) + plan.seconds(cells)

    def cost(self, cells: Sequence[Cell]) -> str:
        """What trials in a sandbox will cost, at the most, about."""
        return plan.cost(cells)

    def lab(self, setting: Setting) -> Lab:
        """Set up for a run; functions are built when their first trial comes."""
        return FunctionLab(setting)


METHOD = ColdStarts()


@dataclass
class FunctionLab:
    """The functions of one run, each built once; and its sandbox, if it has one."""

    setting: Setting
    _functions: dict[tuple[str, Build], Function] = field(default_factory=dict)
    _broken: dict[tuple[str, Build], SpikebenchError] = field(default_factory=dict)

    def measure(self, asked: Asked) -> Outcome:
        """Start the cell's function anew and invoke it."""
        if asked.cell.berth.target == "sandbox":
            return self._sandbox.measure(asked)
        scenario = cold_start(asked.cell.scenario)
        function = self._function(asked.cell.candidate.name, _build(scenario))
        asked.versions.update(function.versions)
        asks = exchange(scenario.handler)
        return measure(
            function,
            asks.event,
            asks.expected,
            Box(scenario.memory_mb, tuple(split_cores().server), scenario.page_cache),
            invokes=1 + scenario.invokes.after_first,
            timeouts=Timeouts(scenario.invokes.init_s, scenario.invokes.invoke_s),
        )

    def close(self) -> None:
        """Nothing outlives its trial but in a sandbox, where all of it is deleted."""
        if "_sandbox" in self.__dict__:
            self._sandbox.close()

    @cached_property
    def _sandbox(self) -> SandboxLab:
        from spikes.serverless.sandbox.lab import SandboxLab  # it imports boto3

        return SandboxLab(self.setting)

    def _function(self, candidate: str, build: Build) -> Function:
        """The function, built if it is not; a second try at one that can't be fails at once."""
        key = (candidate, build)
        if key in self._broken:
            raise self._broken[key]
        if key not in self._functions:
            try:
                setting, builder = self.setting, BUILDERS[candidate]
                self._functions[key] = builder.build(build, setting.cache, setting.say)
            except SpikebenchError as error:
                self._broken[key] = error
                raise
        return self._functions[key]


def cold_start(scenario: Scenario) -> ColdStart:
    """The scenario as the one of cold starts that it is."""
    assert isinstance(scenario, ColdStart), f"{scenario.scenario} starts no function"
    return scenario


def _built(cell: Cell) -> Build:
    """What is built for a cell: a package for a sandbox has no lever, nor is it of a size."""
    build = _build(cell.scenario)
    return Build(build.handler) if cell.berth.target == "sandbox" else build


def _build(scenario: Scenario) -> Build:
    asked = cold_start(scenario)
    return Build(asked.handler, asked.lever, asked.memory_mb)
