"""A stack is created, grown and deleted, in that order, whatever comes in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from spikebench.errors import TargetError
from spikebench.target.sandbox.clients import Clients
from spikebench.target.sandbox.stack import (
    NameTaken,
    Patience,
    Stack,
    new_stack,
    remove_stack,
    template_body,
)
from tests.synthetic.aws import ACCOUNT, NUMBER, add_missing, stack_answer, stubbed_clients

NAME = "spikebench-serverless-r1"
QUICK = Patience(0, 5)
RESOURCES = {"Log": {"Type": "AWS::Logs::LogGroup"}}


@pytest.fixture
def aws() -> tuple[Clients, Stubber, Stubber]:
    return stubbed_clients()


def _expect_create(cloudformation: Stubber) -> None:
    expected = {
        "StackName": NAME,
        "TemplateBody": template_body(RESOURCES),
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": ANY,
    }
    cloudformation.add_response("create_stack", {"StackId": "id"}, expected)
    by_name = {"StackName": NAME}
    for status in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
        cloudformation.add_response("describe_stacks", stack_answer(status), by_name)


def _expect_delete(cloudformation: Stubber, resources: list[dict[str, Any]] | None = None) -> None:
    by_name = {"StackName": NAME}
    found = {"StackResources": resources or []}
    cloudformation.add_response("describe_stack_resources", found, by_name)
    cloudformation.add_response("delete_stack", {}, by_name)
    deleting = stack_answer("DELETE_IN_PROGRESS")
    cloudformation.add_response("describe_stacks", deleting, by_name)
    add_missing(cloudformation, "describe_stacks")


def _resource(kind: str, name: str, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    return {
        "LogicalResourceId": "X",
        "ResourceType": kind,
        "PhysicalResourceId": name,
        "ResourceStatus": status,
        "Timestamp": 0,
    }


def _new(clients: Clients, say: Callable[[str], None] = print) -> Any:
    return new_stack(clients, ACCOUNT, "serverless", "r1", RESOURCES, say, patience=QUICK)


def test_it_is_created_waited_for_and_deleted(aws: tuple[Clients, Stubber, Stubber]) -> None:
    clients, cloudformation, _ = aws
    _expect_create(cloudformation)
    _expect_delete(cloudformation)
    said: list[str] = []
    with _new(clients, said.append) as stack:
        assert stack.name == NAME
    cloudformation.assert_no_pending_responses()
    assert NUMBER not in " ".join(said)


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), SystemExit(143)])
def test_it_is_deleted_whatever_happens(
    aws: tuple[Clients, Stubber, Stubber], error: BaseException
) -> None:
    clients, cloudformation, _ = aws
    _expect_create(cloudformation)
    _expect_delete(cloudformation)
    with pytest.raises(type(error)) as caught, _new(clients):
        raise error
    assert caught.value is error
    cloudformation.assert_no_pending_responses()


def test_ctrl_c_while_it_is_being_created_deletes_it(
    aws: tuple[Clients, Stubber, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    clients, cloudformation, _ = aws
    cloudformation.add_response("create_stack", {"StackId": "id"})
    _expect_delete(cloudformation)
    real = clients.cloudformation.get_waiter

    def get_waiter(name: str) -> Any:
        if name == "stack_create_complete":
            raise KeyboardInterrupt
        return real(name)

    monkeypatch.setattr(clients.cloudformation, "get_waiter", get_waiter)
    with pytest.raises(KeyboardInterrupt), _new(clients):
        pytest.fail("it was never up")
    cloudformation.assert_no_pending_responses()


def test_one_that_fails_tells_the_first_reason_and_is_deleted(
    aws: tuple[Clients, Stubber, Stubber],
) -> None:
    clients, cloudformation, _ = aws
    cloudformation.add_response("create_stack", {"StackId": "id"})
    cloudformation.add_response("describe_stacks", stack_answer("ROLLBACK_COMPLETE"))
    newest_first = [
        _event("ROLLBACK_IN_PROGRESS", "Stack"),
        _event("CREATE_FAILED", "Other", "Resource creation cancelled"),
        _event("CREATE_FAILED", "Role", f"{NUMBER} may not iam:CreateRole"),
        _event("CREATE_IN_PROGRESS", "Stack", kind="AWS::CloudFormation::Stack"),
        _event("CREATE_FAILED", "Before", "an older change"),
    ]
    cloudformation.add_response("describe_stack_events", {"StackEvents": newest_first})
    _expect_delete(cloudformation)
    with pytest.raises(TargetError, match=r"Role: …9012 may not iam:CreateRole"), _new(clients):
        pytest.fail("it was never up")
    cloudformation.assert_no_pending_responses()


def _event(status: str, logical: str, why: str = "", kind: str = "AWS::IAM::Role") -> Any:
    event = {
        "StackId": "id",
        "EventId": "e",
        "StackName": NAME,
        "Timestamp": 0,
        "LogicalResourceId": logical,
        "ResourceType": kind,
        "ResourceStatus": status,
    }
    return {**event, "ResourceStatusReason": why} if why else event


def test_a_stack_that_was_there_before_is_left_alone(
    aws: tuple[Clients, Stubber, Stubber],
) -> None:
    clients, cloudformation, _ = aws
    cloudformation.add_client_error("create_stack", "AlreadyExistsException", "exists", 400)
    with pytest.raises(NameTaken, match=r"sweep --run"), _new(clients):
        pytest.fail("it is not ours")
    cloudformation.assert_no_pending_responses()


def test_a_stack_left_behind_does_not_hide_what_went_wrong(
    aws: tuple[Clients, Stubber, Stubber],
) -> None:
    clients, cloudformation, _ = aws
    _expect_create(cloudformation)
    cloudformation.add_response("describe_stack_resources", {"StackResources": []})
    cloudformation.add_client_error("delete_stack", "AccessDenied", f"{NUMBER} may not", 403)
    said: list[str] = []
    with pytest.raises(RuntimeError, match="broken") as caught, _new(clients, said.append):
        raise RuntimeError("broken")
    assert "was not deleted" in said[-1]
    assert caught.value.__notes__ == [said[-1]]
    assert NUMBER not in said[-1]


def test_buckets_are_emptied_first_and_nothing_else_is_touched(
    aws: tuple[Clients, Stubber, Stubber],
) -> None:
    clients, cloudformation, s3 = aws
    resources = [
        _resource("AWS::S3::Bucket", "ours"),
        _resource("AWS::S3::Bucket", "gone", "DELETE_COMPLETE"),
        _resource("AWS::Lambda::Function", "f"),
    ]
    _expect_delete(cloudformation, resources)
    page = {"Contents": [{"Key": "a.zip"}], "IsTruncated": True, "NextContinuationToken": "t"}
    s3.add_response("list_objects_v2", page, {"Bucket": "ours"})
    gone = {"Objects": [{"Key": "a.zip"}], "Quiet": True}
    s3.add_response("delete_objects", {}, {"Bucket": "ours", "Delete": gone})
    s3.add_response("list_objects_v2", {}, {"Bucket": "ours", "ContinuationToken": "t"})
    remove_stack(clients, ACCOUNT, NAME, print, QUICK)
    cloudformation.assert_no_pending_responses()
    s3.assert_no_pending_responses()


def test_deletion_is_asked_for_even_if_a_bucket_cannot_be_emptied(
    aws: tuple[Clients, Stubber, Stubber],
) -> None:
    clients, cloudformation, s3 = aws
    found = {"StackResources": [_resource("AWS::S3::Bucket", "ours")]}
    cloudformation.add_response("describe_stack_resources", found)
    s3.add_client_error("list_objects_v2", "AccessDenied", "no", 403)
    cloudformation.add_response("delete_stack", {})
    with pytest.raises(TargetError, match="was not deleted"):
        remove_stack(clients, ACCOUNT, NAME, print, QUICK)
    cloudformation.assert_no_pending_responses()


def test_one_that_is_not_there_is_done(aws: tuple[Clients, Stubber, Stubber]) -> None:
    clients, cloudformation, _ = aws
    add_missing(cloudformation, "describe_stack_resources")
    cloudformation.add_response("delete_stack", {})
    add_missing(cloudformation, "describe_stacks")
    remove_stack(clients, ACCOUNT, NAME, print, QUICK)
    cloudformation.assert_no_pending_responses()


def _grown(clients: Clients) -> Stack:
    return Stack(NAME, clients, ACCOUNT, [], QUICK, dict(RESOURCES))


def test_growing_keeps_what_was_there_and_once_is_enough(
    aws: tuple[Clients, Stubber, Stubber],
) -> None:
    clients, cloudformation, _ = aws
    more = {"F": {"Type": "AWS::Lambda::Function"}}
    expected = {
        "StackName": NAME,
        "TemplateBody": template_body({**RESOURCES, **more}),
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [],
    }
    cloudformation.add_response("update_stack", {"StackId": "id"}, expected)
    cloudformation.add_response("describe_stacks", stack_answer("UPDATE_COMPLETE"))
    stack = _grown(clients)
    stack.grow(more)
    stack.grow(more)
    cloudformation.assert_no_pending_responses()


def test_what_could_not_be_added_is_not_asked_for_again(
    aws: tuple[Clients, Stubber, Stubber],
) -> None:
    clients, cloudformation, _ = aws
    cloudformation.add_client_error("update_stack", "ValidationError", "bad handler", 400)
    stack = _grown(clients)
    with pytest.raises(TargetError, match="bad handler"):
        stack.grow({"F": {"Type": "AWS::Lambda::Function"}})
    assert stack.resources == RESOURCES


def test_a_template_that_is_too_large_is_refused_before_it_is_sent() -> None:
    with pytest.raises(TargetError, match="above CloudFormation's 51,200"):
        template_body({f"F{i}": {"Type": "x" * 100} for i in range(500)})
