"""Where cold starts are measured in a sandbox account: one stack, from first trial to the last."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from spikebench.cell import Cell
from spikebench.errors import SpikebenchError, TargetError
from spikebench.measure.outcome import Outcome
from spikebench.method import Asked, RunEndedError, Setting
from spikebench.target.sandbox.account import allowed_accounts, region_of
from spikebench.target.sandbox.budget import BudgetSpent
from spikebench.target.sandbox.clients import AWS_ERRORS
from spikebench.target.sandbox.stack import LIFE
from spikes.serverless.exchange import exchange
from spikes.serverless.sandbox import cold
from spikes.serverless.sandbox.cold import Deployed
from spikes.serverless.sandbox.package import Packaged
from spikes.serverless.sandbox.plan import in_sandbox, planned, seconds
from spikes.serverless.sandbox.prices import prices_of
from spikes.serverless.sandbox.session import Leave, Session, deployed, take_leave
from spikes.serverless.sandbox.upload import Upload
from spikes.serverless.scenario import ColdStart

_MARGIN = 2
"""How many times as long as estimated a run may take before its stack may be swept."""


@dataclass(frozen=True)
class Wish:
    """A function that is wanted: a package, and whether its versions are snapshot."""

    package: Packaged
    snapstart: bool

    @classmethod
    def of(cls, cell: Cell) -> Wish:
        """Return the one that a cell needs; memory and flags are set by each trial."""
        scenario = _cold_start(cell)
        return cls(Packaged(cell.candidate.name, scenario.handler), scenario.lever == "snapstart")


@dataclass
class SandboxLab:
    """The functions of one run in an account. All that is created is deleted by ``close``.

    Nothing is asked of AWS before the first trial. Then the account and the budget are checked,
    what the run's cells need is built, and all of it is deployed at once. ``environ`` is where the
    account, the region and the budget are read from.
    """

    setting: Setting
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    _open: ExitStack = field(default_factory=ExitStack)
    _session: Session | None = None
    _functions: dict[Wish, Deployed] = field(default_factory=dict)
    _broken: dict[Packaged, SpikebenchError] = field(default_factory=dict)
    _ended: RunEndedError | None = None

    def measure(self, asked: Asked) -> Outcome:
        """Run one trial of the cell's function.

        Raises RunEndedError where the account or the estimate is refused, AWS would not deploy, or
        the budget is spent: then no trial can be run any more. Raises TargetError where the cell's
        own package can't be had.
        """
        if self._ended is not None:
            raise self._ended
        try:
            return self._measured(asked)
        except RunEndedError as error:
            self._ended = error
            raise

    def close(self) -> None:
        """Delete all that was created; raise TargetError where some of it is left."""
        self._session = None
        self._open.close()

    def _measured(self, asked: Asked) -> Outcome:
        wish, scenario = Wish.of(asked.cell), _cold_start(asked.cell)
        if self._session is None and not self._broken:
            self._begin()
        if wish.package in self._broken:
            raise self._broken[wish.package]
        if self._session is None or wish not in self._functions:
            raise TargetError("the run was not set up for this cell: start a new one")
        session, function = self._session, self._functions[wish]
        asked.environment.update(session.environment)
        asked.versions.update(_versions(asked.cell.candidate.name, function.upload))
        setting = cold.Setting(scenario.lever, scenario.memory_mb, scenario.invokes.after_first)
        mark = f"{asked.number}-{asked.block}-{asked.seed}"
        try:
            outcome = session.trials.run(function, setting, exchange(scenario.handler), mark)
        except BudgetSpent as error:
            raise RunEndedError(f"{error} The run goes on with --resume.") from None
        return _told(outcome, session.imitation)

    def _begin(self) -> None:
        cells = in_sandbox(self.setting.cells)
        try:
            leave = self._leave(cells)
            wishes = list(dict.fromkeys(Wish.of(cell) for cell in cells))
            with tempfile.TemporaryDirectory(dir=self.setting.cache.folder("serverless")) as name:
                self._deploy(wishes, leave, _life(cells), Path(name))
        except TargetError as error:
            raise RunEndedError(str(error)) from error
        except AWS_ERRORS as error:  # a profile that is not there, a region that no service has
            raise RunEndedError(f"AWS can't be asked: {error}. Check AWS_PROFILE.") from error

    def _leave(self, cells: Sequence[Cell]) -> Leave:
        setting = self.setting
        allowed_accounts(self.environ)
        return take_leave(
            planned(cells),
            prices_of(region_of(self.environ)),
            setting.say,
            accept_unpriced=setting.accept_unpriced,
            environ=self.environ,
        )

    def _deploy(self, wishes: Sequence[Wish], leave: Leave, life: timedelta, folder: Path) -> None:
        """Put up what can be built; what can't is remembered with the reason."""
        uploads = self._uploads(dict.fromkeys(wish.package for wish in wishes), folder)
        had = [wish for wish in wishes if wish.package in uploads]
        if not had:
            return
        wanted = [(uploads[wish.package], wish.snapstart) for wish in had]
        session = deployed(leave, self.setting.run_id, wanted, self.setting.say, life)
        self._session = self._open.enter_context(session)
        self._functions = dict(zip(had, self._session.functions, strict=True))

    def _uploads(self, packages: Mapping[Packaged, None], folder: Path) -> dict[Packaged, Upload]:
        uploads: dict[Packaged, Upload] = {}
        for package in packages:
            try:
                uploads[package] = package.make(folder, self.setting.cache, self.setting.say)
            except SpikebenchError as error:
                self._broken[package] = error
        return uploads


def _life(cells: Sequence[Cell]) -> timedelta:
    about_s = sum(cell.seconds for cell in cells) + seconds(cells)
    return max(LIFE, timedelta(seconds=_MARGIN * about_s))


def _versions(candidate: str, upload: Upload) -> dict[str, str]:
    """What ran, as far as it is known: the patch level of Lambda's own runtimes is not."""
    language = candidate.partition("-")[0]
    known = re.fullmatch(r"[a-z]+(\d[\d.]*\d|\d)(\.x)?", upload.runtime)
    return {
        "lambda": f"{upload.runtime} {upload.architecture}",
        "package": upload.digest,
        **({language: known.group(1)} if known else {}),
    }


def _told(outcome: Outcome, imitation: str) -> Outcome:
    """The outcome; void where something else than AWS has answered."""
    if not imitation:
        return outcome
    told = f"{imitation} answered in AWS's place: an imitation's figures say nothing of AWS"
    reason = "; ".join(filter(None, [outcome.reason, told]))
    status = "void" if outcome.status == "valid" else outcome.status
    return outcome.model_copy(update={"status": status, "reason": reason})


def _cold_start(cell: Cell) -> ColdStart:
    scenario = cell.scenario
    assert isinstance(scenario, ColdStart), f"{scenario.scenario} starts no function"
    return scenario
