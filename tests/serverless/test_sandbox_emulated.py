"""A whole session against an emulator: what it creates, runs and leaves behind (nothing).

Fidelity ``emulator``: it shows that the calls fit together and are cleaned up, and nothing of time.
The emulator writes no REPORT line, so that each trial on it must be void: an imitation never yields
a figure.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spikebench.cli import main
from spikebench.errors import TargetError
from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.clients import open_clients
from spikebench.target.sandbox.stack import Stack, stack_tags
from spikes.serverless.exchange import Exchange
from spikes.serverless.sandbox.cold import Setting
from spikes.serverless.sandbox.cost import Planned
from spikes.serverless.sandbox.session import open_session
from spikes.serverless.sandbox.template import foundation
from spikes.serverless.sandbox.upload import Upload
from tests.synthetic.aws import LAMBDA_PRICES, Prices
from tests.synthetic.ministack import (
    EMPTY,
    ENVIRON,
    NUMBER,
    REGION,
    client,
    emulated,
    environ_of,
    left,
)

PLAN = [Planned(512, "x86_64", False, 2, 1)]


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        with emulated() as settings:
            yield settings


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'hello'\n")
    return path


@pytest.mark.slow
def test_a_session_deploys_runs_and_leaves_nothing(settings: dict[str, str], package: Path) -> None:
    upload = Upload(package, "python3.12", "app.handler", {"STAGE": "test"})
    said: list[str] = []
    with open_session(
        "r1", [(upload, False), (upload, False)], PLAN, LAMBDA_PRICES, said.append,
        environ=ENVIRON, settings=settings,
    ) as session:  # fmt: skip
        up = left(settings)
        assert up["stacks"] == ["spikebench-serverless-r1"]
        assert len(up["functions"]) == len(up["buckets"]) == len(up["roles"]) == 1
        function, again = session.functions
        assert function == again
        outcome = session.trials.run(
            function, Setting(memory_mb=512, warm_invokes=1), Exchange(b"{}", "hello"), "1"
        )
        found = client("lambda", settings).get_function_configuration(FunctionName=function.name)
    assert outcome.status == "void"
    assert "no REPORT line" in outcome.reason
    assert found["MemorySize"] == 512
    assert found["Environment"]["Variables"] == {"STAGE": "test", "SPIKEBENCH_TRIAL": "1"}
    assert session.environment == {"region": REGION, "account": "…0000"}
    assert left(settings) == EMPTY
    assert NUMBER not in " ".join(said)


@pytest.mark.slow
def test_what_lambda_would_not_take_is_not_sent(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "f.zip").write_text("no zip")
    session = open_session(
        "r3",
        [(Upload(tmp_path / "f.zip", "python3.12", "app.handler"), False)],
        PLAN,
        LAMBDA_PRICES,
        print,
        environ=ENVIRON,
        settings=settings,
    )
    with pytest.raises(TargetError, match=r"f\.zip is no package"), session:
        pytest.fail("it was deployed")
    assert left(settings) == EMPTY


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prices", "change", "why"),
    [
        (Prices(), {}, "not priced"),
        (LAMBDA_PRICES, {"SPIKEBENCH_SANDBOX_BUDGET_USD": "0.0001"}, "the estimate alone"),
        (LAMBDA_PRICES, {"SPIKEBENCH_SANDBOX_ACCOUNTS": "1" * 12}, "does not allow"),
    ],
)
def test_nothing_is_created_before_account_and_budget_are_right(
    settings: dict[str, str], package: Path, prices: Prices, change: dict[str, str], why: str
) -> None:
    upload = Upload(package, "python3.12", "app.handler")
    said: list[str] = []
    session = open_session(
        "r4",
        [(upload, False)],
        PLAN,
        prices,
        said.append,
        environ={**ENVIRON, **change},
        settings=settings,
    )
    with pytest.raises(TargetError, match=why), session:
        pytest.fail("it was deployed")
    assert not any("stack" in line for line in said)


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(settings: dict[str, str], package: Path) -> None:
    upload = Upload(package, "python3.12", "app.handler")
    session = open_session(
        "r2", [(upload, False)], PLAN, LAMBDA_PRICES, print, environ=ENVIRON, settings=settings
    )
    with pytest.raises(KeyboardInterrupt), session:
        raise KeyboardInterrupt
    assert left(settings) == EMPTY


def _swept(*options: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(["sweep", *options])
    return ended.value.code


@pytest.mark.slow
def test_a_stack_that_a_dead_run_left_is_swept(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = open_clients(REGION, settings)
    account = Account(NUMBER, REGION, "tests")
    now = datetime.now(UTC)
    for run, hours in (("dead", -1), ("alive", 1)):
        tags = stack_tags("tests", "serverless", run, now + timedelta(hours=hours))
        stack = Stack(
            f"spikebench-serverless-{run}", clients, account, tags, resources=foundation()
        )
        stack.create()
        clients.s3.put_object(Bucket=stack.physical_id("Packages"), Key="k", Body=b"x")
    for name, value in environ_of(settings).items():
        monkeypatch.setenv(name, value)
    assert _swept("--dry-run") == 0
    assert len(left(settings)["stacks"]) == 2
    assert _swept() == 0
    assert left(settings)["stacks"] == ["spikebench-serverless-alive"]
    assert _swept("--run", "alive") == 0
    assert left(settings) == EMPTY
