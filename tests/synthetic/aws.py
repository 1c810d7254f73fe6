"""AWS without AWS: boto3 clients whose answers were written down, and invokes like Lambda's."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import StubResponseError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.clients import Clients

NUMBER = "123456789012"
ACCOUNT = Account(NUMBER, "eu-west-2", "assumed-role/Spikes/sam")


class Prices:
    """A price book of the dimensions given; anything else is not priced."""

    def __init__(self, **usd: float) -> None:
        self._usd = {name.replace("__", "."): price for name, price in usd.items()}

    def price(self, dimension: str) -> float | None:
        return self._usd.get(dimension)


LAMBDA_PRICES = Prices(
    lambda__request=0.20e-6,
    lambda__gb_second__x86_64=0.0000166667,
    lambda__gb_second__arm64=0.0000133334,
)


@cache
def _session() -> boto3.Session:
    return boto3.Session("testing", "testing", "testing", "eu-west-2")


def stubbed(service: str) -> tuple[Any, Stubber]:
    """Return a client and what answers it: in the order given, and nothing else."""
    name: Any = service
    client: Any = _session().client(name)
    stubber = StrictStubber(client)
    stubber.activate()
    return client, stubber


class StrictStubber(Stubber):
    """A stubber whose complaint is no error of AWS's, which the code under test would handle."""

    def _assert_expected_params(self, *arguments: Any, **keywords: Any) -> None:
        real: Any = super()
        try:
            real._assert_expected_params(*arguments, **keywords)
        except StubResponseError as error:
            raise AssertionError(str(error)) from None


def stubbed_clients() -> tuple[Clients, Stubber, Stubber]:
    """Return the clients of a stack, with the stubbers of CloudFormation and of S3."""
    cloudformation, first = stubbed("cloudformation")
    s3, second = stubbed("s3")
    return Clients(cloudformation, s3), first, second


def add_missing(stubber: Stubber, operation: str) -> None:
    """Answer as CloudFormation does for a stack that is not there."""
    stubber.add_client_error(operation, "ValidationError", "Stack does not exist", 400)


def stack_answer(status: str, **more: Any) -> dict[str, Any]:
    stack = {"StackName": "s", "CreationTime": 0, "StackStatus": status, **more}
    return {"Stacks": [stack]}


def report_text(
    request_id: str = "r-1",
    *,
    duration: float = 10,
    billed: float = 10,
    memory: int = 1769,
    peak: int = 100,
    rest: str = "",
) -> str:
    """Return the end of a log as Lambda writes it; ``rest`` follows the usual fields."""
    return (
        f"START RequestId: {request_id} Version: $LATEST\nEND RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\tBilled Duration: "
        f"{billed:.0f} ms\tMemory Size: {memory} MB\tMax Memory Used: {peak} MB\t{rest}\n"
    )


def answer(
    log: str, body: bytes = b'"hello"', request_id: str = "r-1", error: str = ""
) -> dict[str, Any]:
    """Return what Invoke answers, with the end of its log."""
    found = {
        "StatusCode": 200,
        "LogResult": base64.b64encode(log.encode()).decode(),
        "Payload": StreamingBody(io.BytesIO(body), len(body)),
        "ResponseMetadata": {"RequestId": request_id},
    }
    return {**found, "FunctionError": error} if error else found


class Waits:
    """A clock by which each invoke takes as long as was said, in ms."""

    def __init__(self, *waits_ms: float) -> None:
        self._times = self._laid_out(waits_ms)

    def __call__(self) -> int:
        return next(self._times)

    @staticmethod
    def _laid_out(waits_ms: tuple[float, ...]) -> Iterator[int]:
        now_ns = 0
        for wait_ms in waits_ms:
            yield now_ns
            now_ns += round(wait_ms * 1e6)
            yield now_ns
