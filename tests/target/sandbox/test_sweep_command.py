"""``spikebench sweep`` on the command line: whom it refuses, and with which exit code."""

from __future__ import annotations

from typing import Any

import pytest

from spikebench.cli import main
from spikebench.target.sandbox import clients as made
from tests.synthetic.aws import NUMBER, stubbed


def _ended(arguments: list[str]) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPIKEBENCH_SANDBOX_ACCOUNTS", "SPIKEBENCH_OWNER", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


def test_without_an_allowed_account_it_exits_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert _ended(["sweep"]) == 4
    assert "SPIKEBENCH_SANDBOX_ACCOUNTS is not set" in capsys.readouterr().err


def test_without_a_region_it_exits_with_4(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKEBENCH_SANDBOX_ACCOUNTS", NUMBER)
    assert _ended(["sweep"]) == 4
    assert "no region is set" in capsys.readouterr().err


def test_another_account_is_refused_before_anything_is_listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKEBENCH_SANDBOX_ACCOUNTS", NUMBER)
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    sts, stubber = stubbed("sts")
    identity = {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/u"}
    stubber.add_response("get_caller_identity", identity)
    opened: list[str] = []

    def open_client(service: str, *_: Any) -> Any:
        opened.append(service)
        return sts

    monkeypatch.setattr(made, "open_client", open_client)
    assert _ended(["sweep"]) == 4
    assert opened == ["sts"]
    assert "account …9999" in capsys.readouterr().err
