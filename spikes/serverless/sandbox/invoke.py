"""One invoke, timed from outside and read from its REPORT line, and paid for out of the budget."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config

from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.budget import Budget, Use
from spikebench.target.sandbox.clients import (
    AWS_ERRORS,
    AWS_ITSELF,
    Client,
    Settings,
    error_code,
    open_client,
    reason,
)
from spikes.serverless.sandbox.cost import REQUEST, at_most, compute
from spikes.serverless.sandbox.report_line import NoReport, Report, decode_tail, parse_report
from spikes.serverless.sandbox.upload import Architecture

THROTTLED = ("TooManyRequestsException", "EC2ThrottledException", "ThrottlingException")
"""Codes of a service that would, but not now."""

Clock = Callable[[], int]
"""A monotonic clock in nanoseconds."""

_ANSWER_SHOWN = 300


class Void(Exception):  # noqa: N818 - a state of a trial, not a fault of the program
    """The trial ran but may not count; the message is its reason."""


class Failed(Exception):  # noqa: N818
    """The function, or AWS, did not do what was asked; the message is the reason."""


@dataclass(frozen=True)
class Call:
    """What is invoked, so that the budget knows what it may cost, and with which event."""

    function: str
    qualifier: str
    memory_mb: int
    architecture: Architecture
    timeout_s: int
    event: bytes
    expected: Any


@dataclass(frozen=True)
class Invoke:
    """An invoke that answered as it should.

    Lambda's report of it, the caller's wait in ms, and when it was sent by the caller's clock.
    """

    report: Report
    round_trip_ms: float
    sent_ns: int = 0

    @property
    def overhead_ms(self) -> float:
        """What the caller waited beyond the function's Duration."""
        return self.round_trip_ms - self.report.duration_ms


def open_invoker(region: str, timeout_s: int, settings: Settings = AWS_ITSELF) -> Client:
    """Return a client of Lambda that tries nothing twice: a second try would hide the first.

    It waits longer than any invoke may take, and keeps its connection.
    """
    config = Config(
        connect_timeout=5,
        read_timeout=timeout_s + 60,
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
        max_pool_connections=1,
    )
    return open_client("lambda", region, settings, config)


@dataclass(frozen=True)
class Invoker:
    """Invokes functions one after the other; ``client`` must not retry."""

    client: Client
    budget: Budget
    account: Account
    clock: Clock = field(default=time.perf_counter_ns)

    def look(self, function: str, qualifier: str) -> dict[str, Any]:
        """Return the configuration that the next invoke meets.

        It also opens the connection, so that no invoke pays for that. Raises Void or Failed.
        """
        try:
            found = self.client.get_function_configuration(
                FunctionName=function, Qualifier=qualifier
            )
        except AWS_ERRORS as error:
            raise self._refused(error) from None
        return dict(found)

    def invoke(self, call: Call, cold: bool) -> Invoke:
        """Invoke and return what was seen.

        Raises BudgetSpent, before it is sent, where it might go beyond the budget; Void where it
        was throttled or its report can't be read; Failed with the function's error, or where its
        answer is not the expected one.
        """
        worst = at_most(call.memory_mb, call.architecture, call.timeout_s, cold)
        self.budget.reserve(worst)
        answer, body, sent_ns, round_trip_ms = self._send(call, worst)
        report = self._report(call, answer, worst)
        self._refuse_error(answer, body, report)
        if _value(body) != call.expected:
            raise Failed(f"it answered something else: {self._shown(body)}")
        return Invoke(report, round_trip_ms, sent_ns)

    def _send(self, call: Call, worst: tuple[Use, ...]) -> tuple[dict[str, Any], bytes, int, float]:
        began_ns = self.clock()
        try:
            answer = self.client.invoke(
                FunctionName=call.function,
                Qualifier=call.qualifier,
                LogType="Tail",
                Payload=call.event,
            )
            body = bytes(answer["Payload"].read())
        except AWS_ERRORS as error:
            refused = self._refused(error)
            if isinstance(refused, Failed):  # it may have run all the same
                self.budget.spend(worst)
            raise refused from None
        return dict(answer), body, began_ns, (self.clock() - began_ns) / 1e6

    def _report(self, call: Call, answer: dict[str, Any], worst: tuple[Use, ...]) -> Report:
        request_id = str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
        try:
            report = parse_report(decode_tail(answer.get("LogResult", "")), request_id)
        except NoReport as error:
            self.budget.spend(worst)
            if answer.get("FunctionError"):
                raise Failed(f"{answer['FunctionError']}; {error}") from None
            raise Void(f"what Lambda reports can't be read: {error}") from None
        billed = compute(report.memory_mb, call.architecture, report.billed_ms / 1000)
        self.budget.spend((Use(REQUEST, 1), billed))
        return report

    def _refuse_error(self, answer: dict[str, Any], body: bytes, report: Report) -> None:
        kind = answer.get("FunctionError")
        if kind or report.status in ("error", "timeout"):
            what = " ".join(part for part in (report.status, report.error_type) if part)
            raise Failed(f"{kind or 'error'}{f' ({what})' if what else ''}: {self._shown(body)}")

    def _refused(self, error: Exception) -> Void | Failed:
        if error_code(error) in THROTTLED:
            return Void(f"throttled: {reason(error, self.account)}")
        return Failed(f"AWS would not: {reason(error, self.account)}")

    def _shown(self, body: bytes) -> str:
        return self.account.mask(body.decode(errors="replace"))[:_ANSWER_SHOWN]


def _value(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Failed(f"it answered no JSON: {body[:_ANSWER_SHOWN]!r}") from None
