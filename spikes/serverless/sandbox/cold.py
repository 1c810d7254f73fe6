"""How a cold start is forced, and how it is checked that there was one.

A function whose configuration changes gets new environments: each trial sets a variable to its own
number, and the memory it asks for. Under SnapStart there is nothing cold about ``$LATEST``: each
trial publishes a version, whose snapshot is made at once, and invokes that. A version is published
only if something changed since the last one; the trial's number is that change. So each restore is
the first of its snapshot, which nobody has asked Lambda's caches for before: nearer to a function
that is seldom called than to one that often is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import WaiterError

from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.budget import Budget
from spikebench.target.sandbox.clients import AWS_ERRORS, Client, error_code, reason
from spikes.serverless.sandbox.cost import compute
from spikes.serverless.sandbox.invoke import THROTTLED, Failed, Invoke, Invoker, Void
from spikes.serverless.sandbox.report_line import Report
from spikes.serverless.sandbox.upload import LEVERS, Upload

MARK = "SPIKEBENCH_TRIAL"
"""The variable whose change makes Lambda start anew."""

LATEST = "$LATEST"

SNAPSHOT_INIT_LIMIT_S = 130
"""How long initialisation may take before a snapshot, or the function's time-out if that is longer
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html)."""

# A clock of ours and one of Lambda's may run apart by a few parts in ten thousand.
_CLOCK_RATE = 0.999


@dataclass(frozen=True)
class Setting:
    """What a trial asks of a function besides its package: lever, memory in MB, warm invokes."""

    lever: str = "baseline"
    memory_mb: int = 1769
    warm_invokes: int = 300

    @property
    def snapstart(self) -> bool:
        """Whether it is restored from a snapshot."""
        return self.lever == "snapstart"


@dataclass(frozen=True)
class Deployed:
    """A function that is up: its name at Lambda, what was uploaded, its time-out in seconds."""

    name: str
    upload: Upload
    timeout_s: int = 60


@dataclass(frozen=True)
class Chiller:
    """Makes the next invoke of a function a cold one; ``client`` may retry."""

    client: Client
    budget: Budget
    account: Account
    poll_s: float = 1

    @contextmanager
    def cold(
        self, function: Deployed, setting: Setting, mark: str, invoker: Invoker
    ) -> Iterator[str]:
        """Yield the qualifier whose next invoke starts cold; a version made for it goes afterwards.

        Raises Void where AWS throttles or the change did not take, Failed where it refuses it,
        BudgetSpent where a snapshot might go beyond the budget.
        """
        self._configure(function, setting, mark)
        qualifier = self._publish(function, setting) if setting.snapstart else LATEST
        try:
            self._check(invoker.look(function.name, qualifier), setting, mark)
            yield qualifier
        finally:
            if qualifier != LATEST:
                # else the version goes with the function, when the stack does
                with suppress(*AWS_ERRORS):
                    self.client.delete_function(FunctionName=function.name, Qualifier=qualifier)

    def _configure(self, function: Deployed, setting: Setting, mark: str) -> None:
        try:
            self.client.update_function_configuration(
                FunctionName=function.name,
                MemorySize=setting.memory_mb,
                Environment={"Variables": variables(function.upload, setting.lever, mark)},
            )
            self._wait("function_updated_v2", FunctionName=function.name)
        except AWS_ERRORS as error:
            raise self._refused("change the function", error) from None

    def _publish(self, function: Deployed, setting: Setting) -> str:
        """Make a version and its snapshot; its initialisation is billed, but not reported to us.

        What is counted for it is the whole time until the version is ready: more than it is.
        """
        architecture = function.upload.architecture
        limit_s = max(SNAPSHOT_INIT_LIMIT_S, function.timeout_s)
        self.budget.reserve([compute(setting.memory_mb, architecture, limit_s)])
        began = time.monotonic()
        try:
            version = str(self.client.publish_version(FunctionName=function.name)["Version"])
            self._wait("published_version_active", FunctionName=function.name, Qualifier=version)
        except AWS_ERRORS as error:
            raise self._refused("make a snapshot", error) from None
        finally:
            elapsed_s = time.monotonic() - began
            self.budget.spend([compute(setting.memory_mb, architecture, elapsed_s)])
        return version

    def _wait(self, waiter: str, **which: str) -> None:
        patience = {"Delay": self.poll_s, "MaxAttempts": 300}
        self.client.get_waiter(waiter).wait(**which, WaiterConfig=patience)

    def _check(self, found: Mapping[str, Any], setting: Setting, mark: str) -> None:
        marked = found.get("Environment", {}).get("Variables", {}).get(MARK)
        if marked != mark or found.get("MemorySize") != setting.memory_mb:
            raise Void("the function's change did not take: it might be warm")
        optimised = found.get("SnapStart", {}).get("OptimizationStatus") == "On"
        if optimised != setting.snapstart:
            raise Void(f"SnapStart is {'on' if optimised else 'off'}, against what was asked")

    def _refused(self, what: str, error: Exception) -> Void | Failed:
        if error_code(error) in THROTTLED:
            return Void(f"throttled: {reason(error, self.account)}")
        detail = _state(error) or reason(error, self.account)
        return Failed(f"AWS would not {what}: {self.account.mask(detail)}")


def variables(upload: Upload, lever: str, mark: str) -> dict[str, str]:
    """Return a function's variables: the package's, those of the lever, and the trial's mark."""
    own = dict(upload.environ)
    for name, value in LEVERS[lever].items():
        own[name] = f"{own[name]} {value}" if own.get(name) else value
    return {**own, MARK: mark}


def cold_start_ms(report: Report) -> float:
    """Return init, or restore, and the first invoke, as Lambda reports them, in ms.

    An init that failed counts with the invoke that ran it again. A warm one is its Duration alone.
    """
    failed_ms = report.failed_init.duration_ms if report.failed_init else 0.0
    start_ms = report.start_ms if report.start_ms is not None else failed_ms
    return start_ms + report.duration_ms


def refuse_warm(seen: Invoke, snapstart: bool) -> None:
    """Raise Void where an invoke that was to start cold did not, or not while its caller waited."""
    report = seen.report
    if report.start_ms is None and report.failed_init is None:
        missing = "Restore Duration" if snapstart else "Init Duration"
        raise Void(f"was warm: its REPORT line has no {missing}")
    if snapstart and report.restore_ms is None:
        raise Void("was initialised, not restored from its snapshot")
    if not snapstart and report.restore_ms is not None:
        raise Void("was restored from a snapshot, not initialised")
    reported_ms = cold_start_ms(report)
    if seen.round_trip_ms < reported_ms * _CLOCK_RATE:
        raise Void(
            f"was started before it was invoked: its caller waited {seen.round_trip_ms:.0f} ms, "
            f"init and invoke took {reported_ms:.0f} (Lambda initialises some ahead of time)"
        )


def _state(error: Exception) -> str:
    """Return why a function or a version became ``Failed``; empty where that is not the matter."""
    if not isinstance(error, WaiterError):
        return ""
    answer: Any = error.last_response
    last = answer.get("Configuration", answer)
    return str(last.get("LastUpdateStatusReason") or last.get("StateReason") or "")
