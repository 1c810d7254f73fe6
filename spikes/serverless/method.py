"""How cold starts are measured: a function is built once, and started anew in each trial.

Here by us; in a sandbox by Lambda, see ``sandbox/lab.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

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
from spikes.serverless.builders import builders_of
from spikes.serverless.cold_start import measure
from spikes.serverless.docker.lab import ContainerLab
from spikes.serverless.docker.package import withheld_in_image
from spikes.serverless.exchange import exchange
from spikes.serverless.function import Build, Builder, Function
from spikes.serverless.java.in_process import HANDLER as IN_PROCESS
from spikes.serverless.sandbox import plan
from spikes.serverless.sandbox.package import withheld_in_sandbox
from spikes.serverless.scenario import ColdStart
from spikes.serverless.spike import JPYPE
from spikes.serverless.trial import Timeouts

BUILDING_S = 10.0
"""About how long it takes to build a function that is not in the cache."""


class ColdStarts:
    """The method of the serverless spike: see ``spikebench.method.Method``."""

    def meant(self, scenario: Scenario, candidate: Candidate) -> bool:
        """Whether the runtime has the lever at all, and its language the handler."""
        build = _build(scenario)
        builder = builders_of(build.handler).get(candidate.name)
        return builder is not None and build.lever in builder.levers

    def drives(self, scenario: Scenario, client: Client) -> bool:
        """JPype drives the JVM inside a Python process, and no other function."""
        return (client == JPYPE) == (cold_start(scenario).handler == IN_PROCESS)

    def withheld(
        self,
        scenario: Scenario,
        candidate: Candidate,
        client: Client,
        berth: Berth,
        first: bool,  # noqa: ARG002
    ) -> str:
        """Say why a function can't be built or started where it would be; nothing if it can."""
        if client == JPYPE and berth.target != "local":
            return "a JVM inside a Python process is no function of the service's: --target local"
        if berth.target == "sandbox":
            return withheld_in_sandbox(candidate.name, cold_start(scenario))
        build = _build(scenario)
        reason = _builder(candidate.name, build).withheld(build)
        if berth.target == "docker":
            return reason or withheld_in_image(build, cold_start(scenario).page_cache)
        return reason

    def breakable(self, candidate: Candidate) -> Candidate:
        """Nothing is broken in the middle of a start."""
        return candidate

    def overhead_s(self, cells: Iterable[Cell]) -> float:
        """About how long it takes to build what is not in the cache yet, in seconds.

        In a sandbox, to put it up and to force cold starts as well.
        """
        cells, cache = list(cells), Cache.open()
        wanted = {(c.candidate.name, _built(c)) for c in cells if not c.withheld}
        missing = [b for name, b in wanted if not _builder(name, b).presence(b, cache).ready]
        return BUILDING_S * len(missing) + plan.seconds(cells)

    def cost(self, cells: Sequence[Cell]) -> str:
        """What trials in a sandbox will cost, at the most, about."""
        return plan.cost(cells)

    def lab(self, setting: Setting) -> Lab:
        """Set up for a run; functions are built when their first trial comes."""
        return Labs(setting)


METHOD = ColdStarts()


@dataclass
class FunctionLab:
    """The functions of one run, each built once."""

    setting: Setting
    _functions: dict[tuple[str, Build], Function] = field(default_factory=dict)
    _broken: dict[tuple[str, Build], SpikebenchError] = field(default_factory=dict)

    def measure(self, asked: Asked) -> Outcome:
        """Start the cell's function anew and invoke it."""
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
        """Nothing outlives its trial."""

    def _function(self, candidate: str, build: Build) -> Function:
        """The function, built if it is not; a second try at one that can't be fails at once."""
        key = (candidate, build)
        if key in self._broken:
            raise self._broken[key]
        if key not in self._functions:
            try:
                setting, builder = self.setting, _builder(candidate, build)
                self._functions[key] = builder.build(build, setting.cache, setting.say)
            except SpikebenchError as error:
                self._broken[key] = error
                raise
        return self._functions[key]


def _sandbox(setting: Setting) -> Lab:
    from spikes.serverless.sandbox.lab import SandboxLab  # it imports boto3

    return SandboxLab(setting)


LABS: Mapping[str, Callable[[Setting], Lab]] = {
    "local": FunctionLab,
    "docker": ContainerLab,
    "sandbox": _sandbox,
}
"""What measures, by target."""


@dataclass
class Labs:
    """A run's labs, each set up when the first trial on its target comes."""

    setting: Setting
    _open: dict[str, Lab] = field(default_factory=dict)

    def measure(self, asked: Asked) -> Outcome:
        """Have the lab of the cell's target measure it."""
        target = asked.cell.berth.target
        if target not in self._open:
            self._open[target] = LABS[target](self.setting)
        return self._open[target].measure(asked)

    def close(self) -> None:
        """Close every lab, whatever happens in another."""
        with ExitStack() as stack:
            for lab in self._open.values():
                stack.callback(lab.close)


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


def _builder(candidate: str, build: Build) -> Builder:
    return builders_of(build.handler)[candidate]
