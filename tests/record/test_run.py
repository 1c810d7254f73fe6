"""Runs are found by name, by a unique beginning, by path, or by being the latest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spikebench.errors import RecordError
from spikebench.record import Kind, find_run, latest_run, run_path
from spikebench.scenario.messages import Fault
from tests.report.synthetic import scenario

SCENARIOS = {
    "change-data": scenario(),
    "breaks": scenario("breaks", experiment="fault", fault=Fault(at_s=1)),
}


def start(results: Path, run_id: str, started_at: str, first: str = "change-data") -> Path:
    path = run_path("messaging", run_id, results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"started_at": started_at, "scenario": first}) + "\n")
    return path


def test_the_latest_run_is_the_one_that_began_last(tmp_path: Path) -> None:
    start(tmp_path, "zebra", "2026-01-01T00:00:00")
    newer = start(tmp_path, "ant", "2026-01-02T00:00:00")
    run_path("messaging", "zzz-empty", tmp_path).write_text("")
    run_path("messaging", "zzz-broken", tmp_path).write_bytes(b"\xff{")
    assert latest_run("messaging", tmp_path) == newer
    assert find_run("messaging", None, tmp_path) == newer


def test_a_run_is_found_by_id_beginning_and_path(tmp_path: Path) -> None:
    one = start(tmp_path, "20260101-aaa", "1")
    two = start(tmp_path, "20260101-aab", "2")
    assert find_run("messaging", "20260101-aab", tmp_path) == two
    assert find_run("messaging", "20260101-aaa", tmp_path) == one
    assert find_run("messaging", str(one), tmp_path / "elsewhere") == one


def test_an_id_that_begins_another_is_found(tmp_path: Path) -> None:
    short = start(tmp_path, "a", "1")
    start(tmp_path, "ab", "2")
    assert find_run("messaging", "a", tmp_path) == short


def test_an_ambiguous_or_unknown_run_names_those_there_are(tmp_path: Path) -> None:
    start(tmp_path, "x1", "1")
    start(tmp_path, "x2", "2")
    with pytest.raises(RecordError, match="ambiguous; there are: x1, x2"):
        find_run("messaging", "x", tmp_path)
    with pytest.raises(RecordError, match="'y' does not exist; there are: x1, x2"):
        find_run("messaging", "y", tmp_path)


def test_without_runs_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="tox -e messaging"):
        latest_run("messaging", tmp_path)


def test_the_latest_of_a_kind_is_told_by_what_its_first_scenario_is(tmp_path: Path) -> None:
    start(tmp_path, "a", "2026-01-01")
    other = start(tmp_path, "b", "2026-01-02")
    faults = start(tmp_path, "c", "2026-01-03", "breaks")
    assert latest_run("messaging", tmp_path, Kind(False, SCENARIOS)) == other
    assert latest_run("messaging", tmp_path, Kind(True, SCENARIOS)) == faults
    assert latest_run("messaging", tmp_path) == faults
    assert find_run("messaging", None, tmp_path, Kind(False, SCENARIOS)) == other
    start(tmp_path, "d", "2026-01-04")
    assert find_run("messaging", None, tmp_path, Kind(True, SCENARIOS)) == faults


def test_a_scenario_that_is_gone_is_none_of_faults_as_in_the_tables(tmp_path: Path) -> None:
    gone = start(tmp_path, "a", "2026-01-01", "faults-of-last-year")
    assert latest_run("messaging", tmp_path, Kind(False, SCENARIOS)) == gone


def test_a_run_that_is_named_is_of_either_kind(tmp_path: Path) -> None:
    faults = start(tmp_path, "c", "2026-01-03", "breaks")
    assert find_run("messaging", "c", tmp_path, Kind(False, SCENARIOS)) == faults


@pytest.mark.parametrize("faults", [False, True])
def test_a_run_without_a_trial_is_meant_only_where_it_may_be_gone_on_with(
    tmp_path: Path, faults: bool
) -> None:
    empty = start(tmp_path, "empty", "")
    empty.write_bytes(b'{"half')
    with pytest.raises(RecordError, match="holds no runs"):
        latest_run("messaging", tmp_path, Kind(faults, SCENARIOS))
    assert latest_run("messaging", tmp_path, Kind(faults, SCENARIOS, begun=True)) == empty
    begun = start(tmp_path, "a", "2026-01-01", "breaks" if faults else "change-data")
    assert latest_run("messaging", tmp_path, Kind(faults, SCENARIOS, begun=True)) == begun


def test_without_a_run_of_the_kind_it_says_how_to_make_one(tmp_path: Path) -> None:
    start(tmp_path, "a", "2026-01-01")
    with pytest.raises(RecordError, match=r"no runs of faults; .*tox -e messaging -- -m faults$"):
        latest_run("messaging", tmp_path, Kind(True, SCENARIOS))
    run_path("messaging", "a", tmp_path).unlink()
    start(tmp_path, "b", "2026-01-01", "breaks")
    with pytest.raises(RecordError, match=r"no runs but of faults; .*tox -e messaging$"):
        latest_run("messaging", tmp_path, Kind(False, SCENARIOS))
