"""The lab of the docker target: an engine for a run, and a fresh container for each trial."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from spikebench.cell import Cell
from spikebench.errors import SpikebenchError
from spikebench.measure.outcome import Outcome
from spikebench.method import Asked, Setting
from spikebench.target.container.engine import SILENCE_S, engine
from spikebench.target.container.owner import guard_of, sweep
from spikebench.target.cores import split_cores
from spikes.serverless.cold_start import measure
from spikes.serverless.docker.container import ContainerBox, Host
from spikes.serverless.docker.images import InContainer
from spikes.serverless.docker.package import Packer
from spikes.serverless.exchange import exchange
from spikes.serverless.function import Build, Function
from spikes.serverless.scenario import ColdStart
from spikes.serverless.trial import Timeouts


@dataclass
class ContainerLab:
    """The functions of one run on the docker target; raises TargetError without an engine."""

    setting: Setting
    _stack: ExitStack = field(default_factory=ExitStack)
    _host: Host | None = None
    _functions: dict[tuple[str, Build], Function | SpikebenchError] = field(default_factory=dict)

    def measure(self, asked: Asked) -> Outcome:
        """Start the cell's function in a container of its own and invoke it."""
        scenario, cell = asked.cell.scenario, asked.cell
        assert isinstance(scenario, ColdStart), f"{scenario.scenario} starts no function"
        function = self._function(cell, scenario)
        asked.versions.update(function.versions)
        return self._started(function, cell, scenario, 1 + scenario.invokes.after_first)

    def close(self) -> None:
        """Let engine and guard go; containers went with their trials."""
        self._stack.close()
        self._host = None

    def _function(self, cell: Cell, scenario: ColdStart) -> Function:
        """The function, built if it is not; a second try at one that can't be fails at once."""
        name = cell.candidate.name
        key = (name, Build(scenario.handler, scenario.lever, scenario.memory_mb))
        if key not in self._functions:
            try:
                self._functions[key] = self._built(cell, key[1])
            except SpikebenchError as error:
                self._functions[key] = error
            else:
                self._rehearse(cell, scenario)
        found = self._functions[key]
        if isinstance(found, SpikebenchError):
            raise found
        return found

    def _built(self, cell: Cell, build: Build) -> Function:
        recipe, host = _recipe(cell), self._opened()
        recipe.install(self.setting.cache, self.setting.say)
        packer = Packer(host, recipe.named, self.setting.cache, self.setting.say)
        return packer.function(cell.candidate.name, build)

    def _rehearse(self, cell: Cell, scenario: ColdStart) -> None:
        """Start it once without counting it, so that the image's files are in the page cache."""
        function = self._function(cell, scenario)
        self._started(function, cell, scenario, 1)

    def _started(
        self, function: Function, cell: Cell, scenario: ColdStart, invokes: int
    ) -> Outcome:
        asks = exchange(scenario.handler)
        box = ContainerBox(
            scenario.memory_mb,
            tuple(split_cores().server),
            scenario.page_cache,
            host=self._opened(),
            image=_recipe(cell).named,
        )
        timeouts = Timeouts(scenario.invokes.init_s, scenario.invokes.invoke_s)
        return measure(function, asks.event, asks.expected, box, invokes=invokes, timeouts=timeouts)

    def _opened(self) -> Host:
        if self._host is None:
            client = self._stack.enter_context(engine(SILENCE_S))
            sweep(client)
            token = uuid.uuid4().hex
            scratch = self._stack.enter_context(TemporaryDirectory(prefix="spikebench-pipes-"))
            Path(scratch).chmod(0o755)  # an image's user may be another, or be mapped to one
            self._stack.callback(guard_of(token, [scratch]).dismiss)
            self._host = Host(client, token, Path(scratch), _held_back(client.info()))
        return self._host


def _recipe(cell: Cell) -> InContainer:
    recipe = cell.berth.recipe
    assert isinstance(recipe, InContainer), f"{cell.key} is not meant for a container"
    return recipe


def _held_back(info: dict[str, object]) -> str:
    """Why an engine holds no container to a share; empty where it does."""
    missing = [
        what
        for what, key in (("a CPU quota", "CpuCfsQuota"), ("a memory limit", "MemoryLimit"))
        if not info.get(key)
    ]
    return f"the engine cannot set {' or '.join(missing)}" if missing else ""
