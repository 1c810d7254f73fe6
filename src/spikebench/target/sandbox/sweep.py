"""Stacks whose run died before it could delete them: found by their tags, deleted once expired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from spikebench.errors import TargetError
from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.clients import AWS_ERRORS, Clients, reason
from spikebench.target.sandbox.stack import (
    PREFIX,
    TAG_EXPIRY,
    TAG_OWNER,
    TAG_RUN,
    TAG_SPIKE,
    Patience,
    remove_stack,
)
from spikebench.target.software import Say


@dataclass(frozen=True)
class LeftStack:
    """A stack of ours in the account; ``expires`` is None where its tag can't be read."""

    name: str
    owner: str
    run_id: str
    expires: datetime | None

    def expired(self, now: datetime) -> bool:
        """Whether it may be deleted; one whose expiry can't be read never may."""
        return self.expires is not None and self.expires <= now


def find_stacks(clients: Clients, account: Account) -> list[LeftStack]:
    """Return the stacks that this project made: by name and by all of their tags.

    Those that are being deleted already are left out. Raises TargetError where AWS won't list them.
    """
    try:
        pages = clients.cloudformation.get_paginator("describe_stacks").paginate()
        described = [stack for page in pages for stack in page["Stacks"]]
    except AWS_ERRORS as error:
        raise TargetError(
            f"AWS would not list the stacks: {reason(error, account)}. "
            "It takes the permission cloudformation:DescribeStacks."
        ) from None
    return [ours for stack in described if (ours := _ours(stack)) is not None]


def sweep(
    clients: Clients,
    account: Account,
    say: Say,
    *,
    now: datetime | None = None,
    everyone: bool = False,
    run_id: str = "",
    dry_run: bool = False,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> list[str]:
    """Delete the stacks of ours that have expired, and return their names.

    Only the caller's own, unless ``everyone``. With ``run_id`` the stacks of that run alone, even
    before they expire. One that can't be deleted keeps no other from it: the rest is tried, then
    TargetError names those that are left.
    """
    now = now or datetime.now(UTC)
    gone: list[str] = []
    left: list[str] = []
    for stack in find_stacks(clients, account):
        if not (everyone or stack.owner == account.owner) or run_id not in ("", stack.run_id):
            continue
        if not (run_id or stack.expired(now)):
            say(f"kept {stack.name} of {account.mask(stack.owner)}: {_until(stack)}")
            continue
        if dry_run:
            say(f"would delete {stack.name} of {account.mask(stack.owner)}: {_until(stack)}")
            continue
        try:
            remove_stack(clients, account, stack.name, say, patience)
        except TargetError as error:
            left.append(str(error))
        else:
            gone.append(stack.name)
    if left:
        raise TargetError("\n".join(left))
    return gone


def _until(stack: LeftStack) -> str:
    if stack.expires is None:
        return f"its tag {TAG_EXPIRY} can't be read; delete it by hand"
    return f"expires {stack.expires:%Y-%m-%d %H:%M} UTC"


def _ours(stack: Mapping[str, Any]) -> LeftStack | None:
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    if not {TAG_OWNER, TAG_SPIKE, TAG_RUN, TAG_EXPIRY} <= set(tags):
        return None
    name = str(stack["StackName"])
    if name != f"{PREFIX}{tags[TAG_SPIKE]}-{tags[TAG_RUN]}" or "RootId" in stack:
        return None
    if stack["StackStatus"] in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
        return None
    return LeftStack(name, tags[TAG_OWNER], tags[TAG_RUN], _moment(tags[TAG_EXPIRY]))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
