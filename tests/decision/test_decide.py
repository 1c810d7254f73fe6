"""``spikebench decide`` as a person types it: what it prints, and its exit codes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from spikebench.cli import main
from spikebench.decision.read import read_decision
from spikebench.discovery import find_spike
from spikebench.record import RecordFile, run_path
from spikebench.scenario.model import Scenario
from spikebench.spike import Spike
from tests.report.synthetic import run

ROOT = Path(__file__).parents[2]

Spikebench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def spikebench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Spikebench:
    monkeypatch.chdir(ROOT)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(("decide", *arguments))
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return invoke


@pytest.fixture
def results(tmp_path: Path) -> Path:
    with RecordFile(run_path("messaging", "20260101-000000", tmp_path)) as file:
        for one in run():
            file.append(one)
    return tmp_path


def test_help_teaches_with_an_example(spikebench: Spikebench) -> None:
    status, out, _ = spikebench("--help")
    assert status == 0
    assert "spikebench decide messaging" in out


def test_a_record_is_written_and_then_checked(spikebench: Spikebench, results: Path) -> None:
    status, out, _ = spikebench("messaging", "--results", str(results))
    path = results / "decisions" / "0001-message-broker.md"
    assert status == 0
    assert f"wrote {path}" in out
    assert "sqs-standard                 out: promises order for nothing" in out
    assert "not ranked" in out
    status, out, _ = spikebench("messaging", "--check", "--results", str(results))
    assert (status, out) == (0, f"{path}: matches its evidence\n")
    path.write_text(path.read_text().replace("| **total**", "| total"))
    status, _, err = spikebench("messaging", "--check", "--results", str(results))
    assert status == 8
    assert "in: matrix" in err


def test_a_check_of_all_leaves_out_what_was_never_measured(
    spikebench: Spikebench, results: Path
) -> None:
    spikebench("messaging", "--results", str(results))
    status, out, _ = spikebench("--check", "--results", str(results))
    assert status == 0
    assert "serverless: nothing to decide on yet" in out
    (results / "decisions" / "0001-message-broker.md").unlink()
    status, _, err = spikebench("--check", "--results", str(results))
    assert status == 8
    assert "has no record of message-broker" in err


def test_a_check_takes_no_run(spikebench: Spikebench, results: Path) -> None:
    status, _, err = spikebench("--check", "--run", "2026", "--results", str(results))
    assert status == 2
    assert "leave --run" in err


def test_no_run_is_an_error_that_says_how_to_measure(
    spikebench: Spikebench, tmp_path: Path
) -> None:
    status, _, err = spikebench("messaging", "--results", str(tmp_path))
    assert status == 6
    assert "measure first" in err


@pytest.mark.parametrize("spike", ["messaging", "serverless"])
def test_the_committed_record_matches_its_evidence(
    spikebench: Spikebench, tmp_path: Path, spike: str
) -> None:
    """And comes out of its run as it stands, but for what people wrote."""
    name = read_decision(*_with_scenarios(spike))[0].decision
    if not any((ROOT / "results" / "decisions").glob(f"*-{name}.md")):
        pytest.skip(f"there is no record of {name} yet")
    shutil.copytree(ROOT / "results" / spike / "runs", tmp_path / spike / "runs")
    shutil.copytree(ROOT / "results" / "decisions", tmp_path / "decisions")
    status, out, err = spikebench(spike, "--check", "--results", str(tmp_path))
    assert status == 0, err
    assert all(line.startswith("warning: ") for line in err.splitlines())
    assert name in out


def _with_scenarios(name: str) -> tuple[Spike, dict[str, Scenario]]:
    spike = find_spike(name, ROOT)
    return spike, spike.read_scenarios()


def test_a_successor_is_written_by_name_of_the_old_one(
    spikebench: Spikebench, results: Path
) -> None:
    spikebench("messaging", "--results", str(results))
    status, out, _ = spikebench("messaging", "--supersedes", "0001", "--results", str(results))
    folder = results / "decisions"
    old, new = folder / "0001-message-broker.md", folder / "0002-message-broker.md"
    assert status == 0
    assert f"wrote {new}\nwrote {old}\n" in out
    assert "status: superseded by ADR-0002\n" in old.read_text()
    assert "supersedes: ADR-0001\n" in new.read_text()
    new.write_text(new.read_text().replace("supersedes: ADR-0001\n", ""))
    status, _, err = spikebench("--check", "--results", str(results))
    assert status == 8
    assert "superseded by ADR-0002, which does not say so" in err


def test_a_check_of_all_misses_a_record_that_no_spike_decides_on(
    spikebench: Spikebench, results: Path
) -> None:
    spikebench("messaging", "--results", str(results))
    path = results / "decisions" / "0001-message-broker.md"
    path.rename(path.with_name("0001-broker.md"))
    spikebench("messaging", "--results", str(results))
    status, _, err = spikebench("--check", "--results", str(results))
    assert status == 8
    assert "no spike decides on broker any more" in err


def test_a_review_that_is_due_is_a_warning_and_no_failure(
    spikebench: Spikebench, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = import_module("spikebench.cli.decide")
    monkeypatch.setattr(command, "today", lambda: date(2026, 12, 1))
    spikebench("messaging", "--results", str(results))
    status, _, err = spikebench("messaging", "--check", "--results", str(results))
    assert status == 0
    assert "was to be looked at again" not in err
    monkeypatch.setattr(command, "today", lambda: date(2031, 1, 1))
    status, out, err = spikebench("messaging", "--check", "--results", str(results))
    path = results / "decisions" / "0001-message-broker.md"
    assert (status, out) == (0, f"{path}: matches its evidence\n")
    assert f"warning: {path}: was to be looked at again by " in err
    assert f"warning: {path}: its costs rest on prices that may no longer hold" in err
