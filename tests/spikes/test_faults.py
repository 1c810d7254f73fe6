"""A real broker is killed while it holds messages: the account must say what that does to them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spikebench.record import Record, read_records

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHOSEN = "(durable or confirmed) and kill-broker-holding or durable and kill-consumer"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    folder = tmp_path_factory.mktemp("faults")
    command = [
        *(sys.executable, "-m", "pytest", "spikes/messaging", "-q", "-p", "no:warnings"),
        *("-m", "faults", "-k", CHOSEN, "--candidate", "rabbitmq-classic", "--target", "local"),
        *("--profile", "smoke", "--benchmark-quiet", "--results", str(folder)),
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (folder / "messaging" / "faults.md").exists()
    (path,) = (folder / "messaging" / "runs").glob("*.jsonl")
    return read_records(path)


def of(records: list[Record], scenario: str, kind: str) -> Record:
    (found,) = [r for r in records if (r.scenario, r.params["kind"]) == (scenario, kind)]
    assert found.ledger is not None, found.reason
    return found


def test_stored_messages_outlive_the_brokers_death(records: list[Record]) -> None:
    ledger = of(records, "faults-durable", "kill-broker-holding").ledger
    assert ledger is not None
    assert ledger.confirmed > 0
    assert ledger.lost == 0


def test_confirmed_messages_that_were_not_stored_are_lost_with_it(records: list[Record]) -> None:
    """What was confirmed before the broker died was in memory only: the account must show it."""
    trial = of(records, "faults-confirmed", "kill-broker-holding")
    assert trial.ledger is not None
    assert 0 < trial.ledger.lost < trial.ledger.confirmed
    assert trial.ledger.lost + trial.ledger.delivered >= trial.ledger.confirmed


def test_what_a_killed_consumer_had_got_is_not_called_lost(records: list[Record]) -> None:
    trial = of(records, "faults-durable", "kill-consumer")
    assert trial.ledger is not None
    assert trial.ledger.lost == 0
    assert trial.metrics["undelivered"].value == 0
