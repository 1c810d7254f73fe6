from datetime import datetime, timedelta, timezone

import pytest

from spikebench.errors import TargetError
from spikebench.target.sandbox.account import admit, allowed_accounts, presence, region_of
from spikebench.target.sandbox.stack import stack_tags
from tests.synthetic.aws import NUMBER, stubbed

ENVIRON = {"SPIKEBENCH_SANDBOX_ACCOUNTS": f"210987654321, {NUMBER}", "AWS_REGION": "eu-west-2"}
ARN = f"arn:aws:sts::{NUMBER}:assumed-role/Spikes/sam"


def _identity(number: str, arn: str = ARN) -> dict[str, str]:
    return {"Account": number, "Arn": arn, "UserId": "AROAEXAMPLE:sam"}


def test_an_account_in_the_list_is_admitted_with_its_region_and_the_callers_name() -> None:
    sts, stubber = stubbed("sts")
    stubber.add_response("get_caller_identity", _identity(NUMBER), {})
    account = admit(sts, ENVIRON)
    assert (account.number, account.region) == (NUMBER, "eu-west-2")
    assert account.owner == "assumed-role/Spikes/sam"
    stubber.assert_no_pending_responses()


def test_any_other_account_is_refused_and_not_shown() -> None:
    sts, stubber = stubbed("sts")
    stubber.add_response("get_caller_identity", _identity("999999999999"), {})
    with pytest.raises(TargetError, match="account …9999") as caught:
        admit(sts, ENVIRON)
    assert "999999999999" not in str(caught.value)
    assert NUMBER not in str(caught.value)


def test_without_a_list_nobody_is_asked() -> None:
    sts, _ = stubbed("sts")  # any call would fail in another way
    with pytest.raises(TargetError, match="SPIKEBENCH_SANDBOX_ACCOUNTS is not set"):
        admit(sts, {"AWS_REGION": "eu-west-2"})


@pytest.mark.parametrize("value", ["1234", f"{NUMBER};{NUMBER}", "*", "sandbox"])
def test_a_malformed_list_allows_nothing(value: str) -> None:
    with pytest.raises(TargetError, match="12 digits") as caught:
        allowed_accounts({"SPIKEBENCH_SANDBOX_ACCOUNTS": value})
    assert value not in str(caught.value)


def test_refused_credentials_are_one_error_without_the_account() -> None:
    sts, stubber = stubbed("sts")
    stubber.add_client_error("get_caller_identity", "ExpiredToken", f"{ARN} has expired", 403)
    with pytest.raises(TargetError, match=r"Log in again") as caught:
        admit(sts, ENVIRON)
    assert NUMBER not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_region_must_be_set() -> None:
    with pytest.raises(TargetError, match="no region is set"):
        region_of({})
    assert region_of({"AWS_DEFAULT_REGION": "us-gov-west-1"}) == "us-gov-west-1"
    with pytest.raises(TargetError, match="'London' is not a region"):
        region_of({"AWS_REGION": "London"})


def test_the_owner_may_be_named_and_is_fit_for_a_tag() -> None:
    sts, stubber = stubbed("sts")
    stubber.add_response("get_caller_identity", _identity(NUMBER), {})
    account = admit(sts, {**ENVIRON, "SPIKEBENCH_OWNER": "sam <sam@example.org>;" + "x" * 300})
    assert account.owner.startswith("sam _sam@example.org__xxx")
    assert len(account.owner) == 256


def test_an_account_does_not_show_its_number() -> None:
    sts, stubber = stubbed("sts")
    stubber.add_response("get_caller_identity", _identity(NUMBER), {})
    account = admit(sts, ENVIRON)
    assert NUMBER not in repr(account)
    assert account.masked == "…9012"
    assert account.mask(f"role of {NUMBER}") == "role of …9012"


def test_what_is_not_asked_for_is_absent_and_what_is_malformed_is_broken() -> None:
    assert not presence({}).obtainable
    assert "SPIKEBENCH_SANDBOX_ACCOUNTS" in presence({}).mend
    assert presence({**ENVIRON, "AWS_REGION": ""}).broken
    found = presence(ENVIRON)
    assert found.ready
    assert NUMBER not in found.detail


def test_tags_hold_owner_run_and_expiry_in_utc() -> None:
    there = timezone(timedelta(hours=2))
    tags = stack_tags("sam", "serverless", "r1", datetime(2026, 11, 25, 18, 0, tzinfo=there))
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "spikebench:owner": "sam",
        "spikebench:spike": "serverless",
        "spikebench:run": "r1",
        "spikebench:expiry": "2026-11-25T16:00:00Z",
    }
