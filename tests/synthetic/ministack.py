"""AWS's imitation on this machine, and an account in it: what a sandbox is tried out in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from spikebench.target.connection import PrivateConnection
from spikebench.target.local_server import Launch, LocalServer
from spikebench.target.ports import free_ports
from spikebench.target.sandbox.account import Account
from spikebench.target.sandbox.clients import open_clients
from spikebench.target.sandbox.sweep import find_stacks
from spikebench.target.software import Cores

NUMBER, REGION = "000000000000", "eu-west-2"
ENVIRON = {
    "SPIKEBENCH_SANDBOX_ACCOUNTS": NUMBER,
    "SPIKEBENCH_SANDBOX_BUDGET_USD": "1",
    "SPIKEBENCH_OWNER": "tests",
    "AWS_REGION": REGION,
}
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


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


@contextmanager
def emulated() -> Iterator[dict[str, str]]:
    """Start it, and yield what boto3 needs to find it."""
    server = LocalServer.start("ministack", _launch, Cores([0], [0]), print)
    try:
        yield {"endpoint_url": server.connection["endpoint_url"], **KEYS}
    finally:
        server.stop()


def environ_of(settings: dict[str, str]) -> dict[str, str]:
    """The same for a process of its own, with leave to spend a dollar in it."""
    return {
        **ENVIRON,
        "AWS_ENDPOINT_URL": settings["endpoint_url"],
        "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        "NO_PROXY": "127.0.0.1",
    }


def client(service: str, settings: dict[str, str]) -> Any:
    name: Any = service
    keywords: Any = settings
    return boto3.client(name, region_name=REGION, **keywords)


def left(settings: dict[str, str]) -> dict[str, list[str]]:
    """What is in the emulated account, by name."""
    clients = open_clients(REGION, settings)
    functions = client("lambda", settings).list_functions()["Functions"]
    groups = client("logs", settings).describe_log_groups()["logGroups"]
    return {
        "stacks": [s.name for s in find_stacks(clients, Account(NUMBER, REGION, "tests"))],
        "functions": [f["FunctionName"] for f in functions],
        "buckets": [b["Name"] for b in clients.s3.list_buckets()["Buckets"]],
        "roles": [r["RoleName"] for r in client("iam", settings).list_roles()["Roles"]],
        "logs": [g["logGroupName"] for g in groups if "spikebench" in g["logGroupName"]],
    }


EMPTY: dict[str, list[str]] = {
    "stacks": [],
    "functions": [],
    "buckets": [],
    "roles": [],
    "logs": [],
}
