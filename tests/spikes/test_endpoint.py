"""Runs at servers that somebody else runs: found by their address, used, and left as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from spikebench.record import read_records
from spikebench.target.cache import Cache
from spikebench.target.cores import split_cores
from spikebench.target.software import Connection, Running, Software
from spikes.messaging.servers.kafka import KAFKA
from spikes.messaging.servers.ministack import AWS
from spikes.messaging.servers.rabbitmq import RABBITMQ
from tests.synthetic.smoke_run import smoke_run, told

pytestmark = pytest.mark.slow

SECRET_KEY = "s3cret-of-somebody"
Environ = Callable[[Connection], Mapping[str, str]]


def _rabbitmq(to: Connection) -> Mapping[str, str]:
    who = f"{to['user']}:{quote(to['password'], safe='')}"
    return {"SPIKEBENCH_RABBITMQ_URL": f"amqp://{who}@{to['host']}:{to['port']}"}


def _kafka(to: Connection) -> Mapping[str, str]:
    return {"SPIKEBENCH_KAFKA_BOOTSTRAP": to["bootstrap"]}


def _aws(to: Connection) -> Mapping[str, str]:
    return {
        "SPIKEBENCH_AWS_ENDPOINT_URL": to["endpoint_url"],
        "AWS_REGION": to["region"],
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


@pytest.fixture
def start() -> Iterator[Callable[[Software], Running]]:
    """Start a server as its owner would; it is stopped when the test ends."""
    running: list[Running] = []

    def started(software: Software) -> Running:
        recipe, cache = software.recipes["local"], Cache.open()
        recipe.install(cache, print)
        running.append(recipe.start(cache, split_cores(), print))
        return running[-1]

    yield started
    for server in running:
        server.stop()


@pytest.mark.parametrize(
    ("software", "candidate", "environ", "fidelity"),
    [
        (RABBITMQ, "rabbitmq-classic", _rabbitmq, "software"),
        (KAFKA, "kafka", _kafka, "software"),
        (AWS, "sqs-standard", _aws, "emulator"),
    ],
    ids=["rabbitmq", "kafka", "aws"],
)
def test_auto_takes_an_endpoint_and_leaves_it_running(
    software: Software,
    candidate: str,
    environ: Environ,
    fidelity: str,
    start: Callable[[Software], Running],
    tmp_path: Path,
) -> None:
    server = start(software)
    ended = smoke_run(candidate, environ(server.connection), tmp_path)
    assert ended.returncode == 0, ended.stdout
    (path,) = (tmp_path / "messaging" / "runs").glob("*.jsonl")
    records = read_records(path)
    assert {(r.target, r.fidelity) for r in records} == {("endpoint", fidelity)}
    for record in records:  # on a busy machine the generator may be late, and the trial void
        assert record.status in ("valid", "void"), record.reason
        assert record.ledger is not None
        assert record.ledger.delivered > 0
        assert record.ledger.lost == 0
    assert all(r.resources.candidate_cpu_s is None for r in records)
    assert server.alive()
    for secret in {server.connection.get("password", SECRET_KEY), SECRET_KEY}:
        assert not told(secret, ended, tmp_path)
