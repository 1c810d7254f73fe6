"""boto3's clients, the one place that knows how they are made and what they raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from spikebench.target.sandbox.account import Account

AWS_ERRORS = (ClientError, BotoCoreError)
"""What boto3 raises, from the service and from itself."""

CONTROL = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"})
"""For calls that create, change and delete: they may be tried again."""

Client = Any
"""A boto3 client. The services' stubs are no dependency of the harness."""


@dataclass(frozen=True)
class Clients:
    """What a stack is made, swept and paid with; a test puts its own in their place."""

    cloudformation: Client
    s3: Client


Settings = Mapping[str, str]
"""More arguments for boto3's clients, such as an emulator's ``endpoint_url``."""

AWS_ITSELF: Settings = {}


def open_client(
    service: str, region: str, settings: Settings = AWS_ITSELF, config: Config = CONTROL
) -> Client:
    """Return a client that takes its credentials from where AWS's own tools do.

    They are neither read nor kept by us.
    """
    name: Any = service
    keywords: Any = settings
    return boto3.client(name, region_name=region, config=config, **keywords)


def open_clients(region: str, settings: Settings = AWS_ITSELF) -> Clients:
    """Return the clients that every spike's stack needs."""
    return Clients(
        open_client("cloudformation", region, settings), open_client("s3", region, settings)
    )


def error_code(error: BaseException) -> str:
    """Return the service's code of an error, such as ``ThrottlingException``; empty if not its."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def reason(error: BaseException, account: Account) -> str:
    """Return an error in words, without the account's number."""
    if isinstance(error, WaiterError):
        last = error.last_response.get("Error", {}).get("Message", "")
        return account.mask(f"{error} {last}".strip())
    return account.mask(str(error))
