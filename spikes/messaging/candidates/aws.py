"""Clients of AWS's messaging services, real or emulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from spikebench.errors import DriverError
from spikes.messaging.aws_endpoint import emulator, is_aws, on_loopback

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

AWS_ERRORS = (ClientError, BotoCoreError)
"""What boto3 raises, from the service and from itself."""

POOL_CONNECTIONS = 64


def sqs_client(connection: Mapping[str, str]) -> SQSClient:
    """Return a client of SQS."""
    return boto3.client("sqs", **_settings(connection))


def sns_client(connection: Mapping[str, str]) -> SNSClient:
    """Return a client of SNS."""
    return boto3.client("sns", **_settings(connection))


def kinesis_client(connection: Mapping[str, str]) -> KinesisClient:
    """Return a client of Kinesis Data Streams."""
    return boto3.client("kinesis", **_settings(connection))


def client_version() -> str:
    """Return boto3's name and version."""
    return f"boto3 {boto3.__version__}"


def server_version(connection: Mapping[str, str], service: str) -> str:
    """Return what can be said of a service that has no version: its name, and who answers for it.

    That is AWS in a region, or an emulator by name and version.
    """
    url = connection.get("endpoint_url", "")
    who = connection.get("region", "us-east-1") if not url or is_aws(url) else emulator(url)
    return f"{service} ({who})"


def refusal(what: str, error: Exception | str) -> DriverError:
    """Return the error that says what AWS would not do."""
    return DriverError(f"AWS would not {what}: {error}; check the endpoint, its log and its quotas")


def _settings(connection: Mapping[str, str]) -> dict[str, Any]:
    endpoint = connection.get("endpoint_url") or None
    config = Config(
        max_pool_connections=POOL_CONNECTIONS,
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard"},
        parameter_validation=False,
        # a proxy for the outside world has no way to this machine's loopback
        proxies={} if endpoint and on_loopback(endpoint) else None,
    )
    return {
        "endpoint_url": endpoint,
        "region_name": connection.get("region", "us-east-1"),
        "aws_access_key_id": connection.get("access_key"),
        "aws_secret_access_key": connection.get("secret_key"),
        "aws_session_token": connection.get("session_token"),
        "config": config,
    }
