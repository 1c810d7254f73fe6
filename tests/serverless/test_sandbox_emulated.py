"""A whole session against an emulator: what it creates, runs and leaves behind (nothing).

Fidelity ``emulator``: it shows that the calls fit together and are cleaned up, and nothing of time.
The emulator writes no REPORT line, so that each trial on it must be void: an imitation never yields
a figure.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from spikebench.cli import main
from spikebench.errors import TargetError
from spikebench.target.connection import PrivateConnection
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.ports import free_ports
from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.clients import open_clients
from spikebench.target.sandbox.stack import Stack, stack_tags
from spikebench.target.sandbox.sweep import find_stacks
from spikebench.target.software import Cores
from spikes.serverless.exchange import Exchange
from spikes.serverless.sandbox.cold import Setting
from spikes.serverless.sandbox.cost import Planned
from spikes.serverless.sandbox.session import open_session
from spikes.serverless.sandbox.template import foundation
from spikes.serverless.sandbox.upload import Upload
from tests.synthetic.aws import LAMBDA_PRICES, Prices

NUMBER, REGION = "000000000000", "eu-west-2"
ENVIRON = {
    "SPIKEBENCH_SANDBOX_ACCOUNTS": NUMBER,
    "SPIKEBENCH_SANDBOX_BUDGET_USD": "1",
    "SPIKEBENCH_OWNER": "tests",
    "AWS_REGION": REGION,
}
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
PLAN = [Planned(512, "x86_64", False, 2, 1)]


def _launch(folder: Path) -> Launch:
    (port,) = free_ports(1)
    return Launch(
        command=[sys.executable, "-P", "-m", "ministack"],
        connection=PrivateConnection(endpoint_url=f"http://127.0.0.1:{port}"),
        listens=[port],
        ready=lambda: True,
        environ={
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "EDGE_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "SERVICES": "cloudformation,iam,lambda,logs,s3,sts",
            "LOG_LEVEL": "WARNING",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": f"unix://{folder}/no-engine.sock",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(folder),
        },
        as_ordinary_user=False,
    )


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        server = LocalServer.start("ministack", _launch, Cores([0], [0]), print)
        try:
            yield {"endpoint_url": server.connection["endpoint_url"], **KEYS}
        finally:
            server.stop()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'hello'\n")
    return path


def _client(service: str, settings: dict[str, str]) -> Any:
    name: Any = service
    keywords: Any = settings
    return boto3.client(name, region_name=REGION, **keywords)


def _left(settings: dict[str, str]) -> dict[str, list[str]]:
    """What is in the emulated account, by name."""
    clients = open_clients(REGION, settings)
    functions = _client("lambda", settings).list_functions()["Functions"]
    groups = _client("logs", settings).describe_log_groups()["logGroups"]
    return {
        "stacks": [s.name for s in find_stacks(clients, Account(NUMBER, REGION, "tests"))],
        "functions": [f["FunctionName"] for f in functions],
        "buckets": [b["Name"] for b in clients.s3.list_buckets()["Buckets"]],
        "roles": [r["RoleName"] for r in _client("iam", settings).list_roles()["Roles"]],
        "logs": [g["logGroupName"] for g in groups if "spikebench" in g["logGroupName"]],
    }


EMPTY: dict[str, list[str]] = {
    "stacks": [],
    "functions": [],
    "buckets": [],
    "roles": [],
    "logs": [],
}


@pytest.mark.slow
def test_a_session_deploys_runs_and_leaves_nothing(settings: dict[str, str], package: Path) -> None:
    upload = Upload(package, "python3.12", "app.handler", {"STAGE": "test"})
    said: list[str] = []
    with open_session(
        "r1", [(upload, False), (upload, False)], PLAN, LAMBDA_PRICES, said.append,
        environ=ENVIRON, settings=settings,
    ) as session:  # fmt: skip
        up = _left(settings)
        assert up["stacks"] == ["spikebench-serverless-r1"]
        assert len(up["functions"]) == len(up["buckets"]) == len(up["roles"]) == 1
        function, again = session.functions
        assert function == again
        outcome = session.trials.run(
            function, Setting(memory_mb=512, warm_invokes=1), Exchange(b"{}", "hello"), "1"
        )
        found = _client("lambda", settings).get_function_configuration(FunctionName=function.name)
    assert outcome.status == "void"
    assert "no REPORT line" in outcome.reason
    assert found["MemorySize"] == 512
    assert found["Environment"]["Variables"] == {"STAGE": "test", "SPIKEBENCH_TRIAL": "1"}
    assert session.environment == {"region": REGION, "account": "…0000"}
    assert _left(settings) == EMPTY
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
    assert _left(settings) == EMPTY


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
    assert _left(settings) == EMPTY


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
    for name, value in {
        **ENVIRON,
        "AWS_ENDPOINT_URL": settings["endpoint_url"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    assert _swept("--dry-run") == 0
    assert len(_left(settings)["stacks"]) == 2
    assert _swept() == 0
    assert _left(settings)["stacks"] == ["spikebench-serverless-alive"]
    assert _swept("--run", "alive") == 0
    assert _left(settings) == EMPTY
