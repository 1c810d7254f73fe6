"""From proposed to superseded: who may set what, and that both sides of a succession say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebench.decision.publish import check, publish, unclaimed
from spikebench.errors import GateError, UsageError
from tests.decision.situation import FILE, spike, store, trials
from tests.decision.test_publish import TODAY

RENAMED = FILE.replace("decision: broker", "decision: carrier")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store(tmp_path, trials(), "20260101-000000")
    return tmp_path


def decide(folder: Path, text: str = FILE, *runs: str, supersedes: str = "") -> list[Path]:
    found = publish(spike(folder, text), folder / "results", TODAY, runs, supersedes)
    return list(found.written)


def passes(folder: Path, text: str = FILE) -> Path:
    return check(spike(folder, text), folder / "results", TODAY).path


def status(path: Path) -> str:
    (line,) = [one for one in path.read_text().splitlines() if one.startswith("status:")]
    return line.removeprefix("status: ")


def set_status(path: Path, to: str) -> None:
    path.write_text(path.read_text().replace(f"status: {status(path)}", f"status: {to}"))


def test_a_chain_of_successors_says_so_at_every_link(folder: Path) -> None:
    (first,) = decide(folder)
    second, _ = decide(folder, supersedes="0001")
    third, rewritten = decide(folder, supersedes="ADR-0002")
    assert rewritten == second
    assert [status(one) for one in (first, second, third)] == [
        "superseded by ADR-0002",
        "superseded by ADR-0003",
        "proposed",
    ]
    assert "supersedes: ADR-0001\n" in second.read_text()
    assert "supersedes: ADR-0002\n" in third.read_text()
    assert passes(folder) == third


@pytest.mark.parametrize("before", ["proposed", "accepted", "rejected", "deprecated"])
def test_a_successor_is_proposed_whatever_the_old_one_was(folder: Path, before: str) -> None:
    (old,) = decide(folder)
    set_status(old, before)
    new, _ = decide(folder, supersedes="0001")
    assert (status(new), status(old)) == ("proposed", "superseded by ADR-0002")


@pytest.mark.parametrize("kept", ["accepted", "rejected", "deprecated"])
def test_what_a_person_has_set_stays_and_so_do_its_runs(folder: Path, kept: str) -> None:
    (path,) = decide(folder)
    set_status(path, kept)
    later = [one.model_copy(update={"started_at": "2026-02-02"}) for one in trials()]
    store(folder, later, "20260202-b")
    before = path.read_text()
    assert decide(folder) == [path]
    assert path.read_text() == before
    with pytest.raises(UsageError, match=f"is {kept}: .*--supersedes 0001"):
        decide(folder, FILE, "20260202-b")
    assert passes(folder) == path


def test_prose_of_the_old_record_survives_its_succession(folder: Path) -> None:
    (old,) = decide(folder)
    said = old.read_text().replace("\n### Consequences", "\nWe slept on it.\n\n### Consequences")
    old.write_text(said)
    decide(folder, FILE.replace("score: 0.8", "score: 0.85"), supersedes="0001")
    assert old.read_text() == said.replace("status: proposed", "status: superseded by ADR-0002")


def test_a_superseded_record_is_written_no_more(folder: Path) -> None:
    (old,) = decide(folder)
    new, _ = decide(folder, supersedes="0001")
    before = old.read_text()
    assert decide(folder, FILE.replace("weight: 2", "weight: 3")) == [new]
    assert old.read_text() == before


@pytest.mark.parametrize("gone", ["0001", "0002"])
def test_a_side_that_is_gone_fails_the_check(folder: Path, gone: str) -> None:
    """Of the newer one nothing is left to check; a successor that was not written is missed."""
    decide(folder)
    decide(folder, supersedes="0001")
    (folder / "results" / "decisions" / f"{gone}-broker.md").unlink()
    with pytest.raises(GateError, match=r"which does not say so|has no record of broker"):
        passes(folder)


def test_evidence_of_a_superseded_record_is_checked_too(folder: Path) -> None:
    decide(folder)
    run = store(folder, trials({"kafka": [2.0] * 6, "rabbitmq-quorum": [9.0] * 6}), "20260202-b")
    decide(folder, FILE, "20260202-b", supersedes="0001")
    run.with_name("20260101-000000.jsonl").unlink()
    with pytest.raises(GateError, match=r"0001-broker\.md: its evidence is gone"):
        passes(folder)


def test_a_record_of_another_name_may_be_superseded(folder: Path) -> None:
    (old,) = decide(folder)
    new, _ = decide(folder, RENAMED, supersedes="0001")
    assert new.name == "0002-carrier.md"
    assert status(old) == "superseded by ADR-0002"
    assert passes(folder, RENAMED) == new
    assert unclaimed([spike(folder, RENAMED)], folder / "results") == []


def test_a_record_that_no_spike_decides_on_any_more_is_missed(folder: Path) -> None:
    (old,) = decide(folder)
    assert unclaimed([spike(folder)], folder / "results") == []
    (said,) = unclaimed([spike(folder, RENAMED)], folder / "results")
    assert said.startswith(f"{old}: no spike decides on broker any more")
    set_status(old, "deprecated")
    assert unclaimed([spike(folder, RENAMED)], folder / "results") == []


def test_a_record_that_was_written_by_hand_alone_is_nobodys_to_claim(folder: Path) -> None:
    decide(folder)
    by_hand = folder / "results" / "decisions" / "0002-lunch.md"
    by_hand.write_text("---\nstatus: accepted\n---\n\n# Where to eat\n")
    assert unclaimed([spike(folder)], folder / "results") == []
