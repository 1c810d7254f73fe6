"""A real broker is killed while it holds messages: the account must say what that does to them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spikebench.record import Record, read_records

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHOSEN = "(durable or confirmed) and kill-broker-holding or durable and kill-consumer"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run of faults has written what it found."""
    folder = tmp_path_factory.mktemp("faults")
    command = [
        *(sys.executable, "-m", "pytest", "spikes/messaging", "-q", "-p", "no:warnings"),
        *("-m", "faults", "-k", CHOSEN, "--candidate", "rabbitmq-classic", "--target", "local"),
        *("--profile", "smoke", "--benchmark-quiet", "--results", str(folder)),
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder / "messaging"


@pytest.fixture(scope="module")
def records(folder: Path) -> list[Record]:
    (path,) = (folder / "runs").glob("*.jsonl")
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


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [("faults-durable", "kill-broker-holding"), ("faults-durable", "kill-consumer")],
)
def test_what_happened_over_time_adds_up_to_the_account(
    records: list[Record], scenario: str, kind: str
) -> None:
    trial = of(records, scenario, kind)
    assert trial.ledger is not None
    width_s = trial.series["t"][1]
    for name, count in (
        ("sent_per_s", trial.ledger.sent),
        ("confirmed_per_s", trial.ledger.confirmed),
        ("delivered_per_s", trial.ledger.delivered),
    ):
        assert sum(trial.series[name]) * width_s == pytest.approx(count), name
    fault = next(event for event in trial.events if event.what == kind)
    assert 0 < fault.began_s < fault.ended_s <= trial.series["t"][-1] + width_s


def test_cpu_of_what_was_killed_is_in_the_account(records: list[Record]) -> None:
    for trial in records:
        if trial.status == "valid":
            assert (trial.resources.client_cpu_s or 0) > 0
            assert (trial.resources.candidate_cpu_s or 0) > 0


def test_the_table_leads_to_the_plots(folder: Path) -> None:
    links = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (folder / "faults.md").read_text())
    assert "plot-faults-durable-timeline.svg" in links
    assert all((folder / link).is_file() for link in links)
