"""One CloudFormation stack a spike and run: made, grown, and deleted whatever happens.

All that a run creates is in its stack, so that what deletes the stack leaves nothing behind; only
its buckets have to be emptied first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Literal

from botocore.exceptions import WaiterError

from spikebench.errors import TargetError
from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.clients import (
    AWS_ERRORS,
    Clients,
    error_code,
    reason,
)
from spikebench.target.software import Say

PREFIX = "spikebench-"
TAG_OWNER = "spikebench:owner"
TAG_SPIKE = "spikebench:spike"
TAG_RUN = "spikebench:run"
TAG_EXPIRY = "spikebench:expiry"

LARGEST_TEMPLATE_BYTES = 51_200
"""Of a template given in the call itself (AWS CloudFormation quotas)."""

LIFE = timedelta(hours=4)
"""How long a run may last before its stack may be swept."""

Resources = Mapping[str, Any]
"""CloudFormation resources by their logical names."""


class NameTaken(TargetError):  # noqa: N818 - what happened
    """There is a stack of this name already."""


@dataclass(frozen=True)
class Patience:
    """How often and how many times a change of a stack is looked at, in seconds: 10 minutes."""

    poll_s: int = 5
    times: int = 120

    @property
    def waiter(self) -> dict[str, int]:
        """As boto3's waiters want it."""
        return {"Delay": self.poll_s, "MaxAttempts": self.times}


@dataclass
class Stack:
    """A stack that is up; ``grow`` adds to it."""

    name: str
    clients: Clients
    account: Account
    tags: list[dict[str, str]]
    patience: Patience = Patience()
    resources: dict[str, Any] = field(default_factory=dict)

    def grow(self, resources: Resources) -> None:
        """Add resources, or change them, and wait until they are there.

        Raises TargetError with the resource that failed and why.
        """
        grown = {**self.resources, **resources}
        if grown != self.resources:
            self._change("update", grown)
            self.resources = grown

    def physical_id(self, logical: str) -> str:
        """Return what a resource is really called; raise TargetError where it isn't there."""
        try:
            answer = self.clients.cloudformation.describe_stack_resource(
                StackName=self.name, LogicalResourceId=logical
            )
        except AWS_ERRORS as error:
            raise self._refusal(f"find {logical}", error) from None
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def create(self) -> None:
        """Create it and wait until it is up.

        Raises NameTaken where there is one of its name, TargetError with the resource that failed.
        """
        self._change("create", self.resources)

    def _change(self, verb: Literal["create", "update"], resources: Resources) -> None:
        cloudformation = self.clients.cloudformation
        call = getattr(cloudformation, f"{verb}_stack")
        body = template_body(resources)
        try:
            call(
                StackName=self.name,
                TemplateBody=body,
                Capabilities=["CAPABILITY_IAM"],
                Tags=self.tags,
            )
            cloudformation.get_waiter(f"stack_{verb}_complete").wait(
                StackName=self.name, WaiterConfig=self.patience.waiter
            )
        except AWS_ERRORS as error:
            if error_code(error) == "AlreadyExistsException":
                raise NameTaken(
                    f"there is a stack {self.name} in account {self.account.masked} already. If "
                    "its run is dead, delete it: `spikebench sweep --run <the run's id>`."
                ) from None
            raise self._refusal(verb, error) from None

    def _refusal(self, what: str, error: BaseException) -> TargetError:
        failed = _first_failure(self.clients, self.name) if isinstance(error, WaiterError) else ""
        detail = self.account.mask(failed) if failed else reason(error, self.account)
        return TargetError(
            f"AWS would not {what} stack {self.name}: {detail}. Check the permissions in "
            "docs/sandbox.md and the account's quotas."
        )


def template_body(resources: Resources) -> str:
    """Return a template as it is sent; raise TargetError where it is too large for that."""
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    body = json.dumps(template, separators=(",", ":"))
    if len(body.encode()) > LARGEST_TEMPLATE_BYTES:
        raise TargetError(
            f"{len(resources)} resources make a template of {len(body.encode()):,} bytes, above "
            f"CloudFormation's {LARGEST_TEMPLATE_BYTES:,}: measure fewer functions at a time."
        )
    return body


@contextmanager
def new_stack(
    clients: Clients,
    account: Account,
    spike: str,
    run_id: str,
    resources: Resources,
    say: Say,
    *,
    life: timedelta = LIFE,
    patience: Patience = Patience(),
) -> Iterator[Stack]:
    """Create a run's stack, yield it, and delete it in the end, Ctrl-C included.

    Raises TargetError where it can't be made, or is left behind.
    """
    expiry = datetime.now(UTC) + life
    tags = stack_tags(account.owner, spike, run_id, expiry)
    stack = Stack(f"{PREFIX}{spike}-{run_id}", clients, account, tags, patience, dict(resources))
    say(f"creating stack {stack.name} in account {account.masked}, {account.region}")
    try:
        stack.create()
        yield stack
    except NameTaken:  # it is not the one we were to make, so not ours to delete
        raise
    except BaseException as error:
        _remove_after(error, stack, say)
        raise
    remove_stack(clients, account, stack.name, say, patience)


def stack_tags(owner: str, spike: str, run_id: str, expiry: datetime) -> list[dict[str, str]]:
    """Return a stack's tags, which CloudFormation hands on to all that is in it."""
    values = {
        TAG_OWNER: owner,
        TAG_SPIKE: spike,
        TAG_RUN: run_id,
        TAG_EXPIRY: expiry.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return [{"Key": key, "Value": value} for key, value in values.items()]


def remove_stack(
    clients: Clients,
    account: Account,
    name: str,
    say: Say,
    patience: Patience = Patience(),
) -> None:
    """Empty a stack's buckets and delete it; one that is not there is done.

    Raises TargetError, naming the stack, where something is left.
    """
    say(f"deleting stack {name}")
    cloudformation = clients.cloudformation
    try:
        # deletion is asked for even if a second Ctrl-C falls into the emptying
        try:
            _empty_buckets(clients, name)
        finally:
            cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig=patience.waiter
        )
    except AWS_ERRORS as error:
        raise TargetError(
            f"stack {name} in account {account.masked}, {account.region}, was not deleted: "
            f"{reason(error, account)}. Look at it in the CloudFormation console, and delete it "
            "there or, once it has expired, with `spikebench sweep`."
        ) from None


def _remove_after(error: BaseException, stack: Stack, say: Say) -> None:
    """Delete a stack without hiding what went wrong before."""
    try:
        remove_stack(stack.clients, stack.account, stack.name, say, stack.patience)
    except TargetError as left:
        say(str(left))
        error.add_note(str(left))


def _empty_buckets(clients: Clients, name: str) -> None:
    for bucket in _buckets(clients, name):
        pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for page in pages:
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})


def _buckets(clients: Clients, name: str) -> list[str]:
    try:
        answer = clients.cloudformation.describe_stack_resources(StackName=name)
    except AWS_ERRORS as error:
        if error_code(error) == "ValidationError":  # there is no such stack
            return []
        raise
    return [
        resource["PhysicalResourceId"]
        for resource in answer["StackResources"]
        if resource["ResourceType"] == "AWS::S3::Bucket"
        and resource.get("PhysicalResourceId")
        and resource["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _first_failure(clients: Clients, name: str) -> str:
    """Return which resource failed first and why; empty where that can't be found out."""
    with suppress(*AWS_ERRORS):
        answer = clients.cloudformation.describe_stack_events(StackName=name)
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in takewhile(_after_the_start, answer["StackEvents"])
            if event.get("ResourceStatus", "").endswith("_FAILED")
        ]
        return failed[-1] if failed else ""  # the newest come first
    return ""


def _after_the_start(event: Mapping[str, Any]) -> bool:
    """Whether an event is not the beginning of the latest change of the whole stack."""
    begins = event.get("ResourceStatus") in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
    return not (begins and event.get("ResourceType") == "AWS::CloudFormation::Stack")
