"""The sweep deletes our own stacks that have expired, and no other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from spikebench.errors import TargetError
from spikebench.target.sandbox.clients import Clients
from spikebench.target.sandbox.stack import Patience
from spikebench.target.sandbox.sweep import sweep
from tests.synthetic.aws import ACCOUNT, add_missing, stubbed_clients

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-11-25T11:59:00Z", "2026-11-25T12:01:00Z"
QUICK = Patience(0, 5)


def _stack(
    run: str, expiry: str = BEFORE, *, owner: str = ACCOUNT.owner, name: str = "", **more: Any
) -> dict[str, Any]:
    tags = {
        "spikebench:owner": owner,
        "spikebench:spike": "serverless",
        "spikebench:run": run,
        "spikebench:expiry": expiry,
    }
    return {
        "StackName": name or f"spikebench-serverless-{run}",
        "CreationTime": NOW,
        "StackStatus": "CREATE_COMPLETE",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        **more,
    }


LEFT = [
    _stack("dead"),
    _stack("alive", AFTER),
    _stack("other", owner="role/somebody"),
    _stack("unreadable", "tomorrow"),
    _stack("zoneless", "2026-11-25T11:59:00"),
    _stack("renamed", name="production"),
    _stack("nested", RootId="arn:root"),
    _stack("deleting", StackStatus="DELETE_IN_PROGRESS"),
    _stack("rolled-back", StackStatus="ROLLBACK_COMPLETE"),
    {**_stack("untagged"), "Tags": [{"Key": "spikebench:expiry", "Value": BEFORE}]},
]


def _aws(stacks: list[dict[str, Any]]) -> tuple[Clients, Stubber]:
    clients, cloudformation, _ = stubbed_clients()
    half = len(stacks) // 2
    first = {"Stacks": stacks[:half], "NextToken": "more"}
    cloudformation.add_response("describe_stacks", first, {})
    cloudformation.add_response("describe_stacks", {"Stacks": stacks[half:]}, {"NextToken": "more"})
    return clients, cloudformation


def _expect_removal(cloudformation: Stubber, *runs: str) -> None:
    for run in runs:
        by_name = {"StackName": f"spikebench-serverless-{run}"}
        found: dict[str, Any] = {"StackResources": []}
        cloudformation.add_response("describe_stack_resources", found, by_name)
        cloudformation.add_response("delete_stack", {}, by_name)
        add_missing(cloudformation, "describe_stacks")


def test_only_ours_and_only_expired_ones_go() -> None:
    clients, cloudformation = _aws(LEFT)
    _expect_removal(cloudformation, "dead", "rolled-back")
    said: list[str] = []
    gone = sweep(clients, ACCOUNT, said.append, now=NOW, patience=QUICK)
    assert gone == ["spikebench-serverless-dead", "spikebench-serverless-rolled-back"]
    cloudformation.assert_no_pending_responses()
    kept = [line for line in said if line.startswith("kept")]
    assert len(kept) == 3
    assert "alive" in kept[0]
    assert all("can't be read" in line for line in kept[1:])


def test_everyones_are_those_of_other_owners_too() -> None:
    clients, cloudformation = _aws(LEFT)
    _expect_removal(cloudformation, "dead", "other", "rolled-back")
    gone = sweep(clients, ACCOUNT, print, now=NOW, everyone=True, patience=QUICK)
    assert len(gone) == 3
    cloudformation.assert_no_pending_responses()


def test_one_run_may_go_before_it_expires() -> None:
    clients, cloudformation = _aws(LEFT)
    _expect_removal(cloudformation, "alive")
    assert sweep(clients, ACCOUNT, print, now=NOW, run_id="alive", patience=QUICK) == [
        "spikebench-serverless-alive"
    ]
    cloudformation.assert_no_pending_responses()


def test_a_dry_run_deletes_nothing() -> None:
    clients, cloudformation = _aws(LEFT)
    said: list[str] = []
    assert sweep(clients, ACCOUNT, said.append, now=NOW, dry_run=True, patience=QUICK) == []
    cloudformation.assert_no_pending_responses()
    assert sum(line.startswith("would delete") for line in said) == 2


def test_one_that_stays_keeps_no_other() -> None:
    clients, cloudformation = _aws([_stack("first"), _stack("second")])
    cloudformation.add_response("describe_stack_resources", {"StackResources": []})
    cloudformation.add_client_error("delete_stack", "AccessDenied", "no", 403)
    _expect_removal(cloudformation, "second")
    with pytest.raises(TargetError, match=r"serverless-first .* was not deleted") as caught:
        sweep(clients, ACCOUNT, print, now=NOW, patience=QUICK)
    assert "second" not in str(caught.value)
    cloudformation.assert_no_pending_responses()
