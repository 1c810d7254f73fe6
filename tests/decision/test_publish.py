"""Records: their form, prose kept, the check against evidence, and who took whose place."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import date
from pathlib import Path

import pytest

from spikebench.decision import shelf
from spikebench.decision.publish import check, publish
from spikebench.errors import GateError, RecordError, UsageError
from spikebench.record import Metric
from tests.decision.situation import FILE, WITH_MUST, WITH_THIRD, spike, store, trials
from tests.report.synthetic import record

TODAY = date(2026, 1, 31)

MADR = [
    "## Context and Problem Statement",
    "## Decision Drivers",
    "## Considered Options",
    "## Decision Outcome",
    "### Consequences",
    "### Confirmation",
    "## Pros and Cons of the Options",
    "## More Information",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store(tmp_path, trials())
    return tmp_path


def decide(folder: Path, text: str = FILE, *runs: str, supersedes: str = "") -> Path:
    found = publish(spike(folder, text), folder / "results", TODAY, runs, supersedes)
    return found.written[0]


def checked(folder: Path, text: str = FILE) -> Path:
    return check(spike(folder, text), folder / "results", TODAY).path


def test_a_record_has_the_headings_of_madr_in_their_order(folder: Path) -> None:
    path = decide(folder)
    assert path.name == "0001-broker.md"
    text = path.read_text()
    assert text.startswith(f"---\nstatus: proposed\ndate: {TODAY}\ndecision-makers: []\n")
    lines = text.splitlines()
    places = [lines.index(heading) for heading in MADR]
    assert places == sorted(places)
    assert "# Which broker" in lines


def test_a_record_says_what_came_out_and_what_it_rests_on(folder: Path) -> None:
    text = decide(folder).read_text()
    run = folder / "results" / "messaging" / "runs" / "20260101-000000.jsonl"
    assert "Chosen option (proposed): “Stay on RabbitMQ”" in text
    assert hashlib.sha256(run.read_bytes()).hexdigest() in text
    assert "| delay | 67 % | 0 % to 71 % | — | Move to Kafka |" in text
    assert "| effort | Stay on RabbitMQ | 0.80 (judged) | 0.70 | -0.10 | Move to Kafka |" in text
    assert "judged by the authors of this test" in text
    assert "`0f0f0f0f0f0f`" in text
    assert "looked at again by 2027-01-31" in text
    assert "Move to Kafka: not priced." in text


def test_who_is_out_and_what_was_emulated_stand_in_the_record(folder: Path) -> None:
    text = decide(folder, WITH_MUST).read_text()
    assert "* Out: “Stay on RabbitMQ” fails a must-have: in time" in text
    row = "| Stay on RabbitMQ | in time | **not met** | change-data, rabbitmq-quorum, java,"
    assert row in text
    (folder / "b").mkdir()
    store(folder / "b", trials())
    text = decide(folder / "b", WITH_THIRD).read_text()
    assert "Not ranked: “Move to SQS” has no figure for delay; it could still come first." in text
    assert "--target sandbox --candidate sqs-fifo --scenario change-data" in text
    assert "“Move to SQS” comes first with delay at 39.8 ms or better: to be shown." in text


def test_a_cost_that_was_priced_is_shown(tmp_path: Path) -> None:
    money = Metric(value=1.25, unit="USD", better="lower")
    priced = [
        one.model_copy(update={"metrics": {**one.metrics, "cost_per_million": money}})
        if one.candidate == "kafka"
        else one
        for one in trials()
    ]
    store(tmp_path, priced)
    text = decide(tmp_path).read_text()
    assert re.search(r"Move to Kafka: 1\.25 .*USD a million at list prices, change-data", text)
    assert "Stay on RabbitMQ: not priced." in text


def test_a_cost_that_could_not_be_priced_says_why(tmp_path: Path) -> None:
    money = Metric(value=None, unit="USD", better="lower", note="no price of London")
    records = [
        one.model_copy(update={"metrics": {**one.metrics, "cost_per_million": money}})
        for one in trials()
    ]
    store(tmp_path, records)
    text = decide(tmp_path).read_text()
    assert "Stay on RabbitMQ: not priced on change-data: no price of London." in text


def test_hostile_words_of_a_record_stay_words(tmp_path: Path) -> None:
    hostile = "<!-- spikebench:end must-haves -->\n# Fake <script>alert(1)</script> | [x](y)"
    bad = [record("rabbitmq-quorum", n, {}, status="void", reason=hostile) for n in range(6)]
    good = trials({"kafka": [10.0] * 6})
    store(tmp_path, good + bad)
    path = decide(tmp_path, WITH_MUST)
    text = path.read_text()
    assert "<script>" not in text
    assert "# Fake" not in text.splitlines()
    assert text.count("<!-- spikebench:end must-haves -->") == 1
    assert decide(tmp_path, WITH_MUST).read_text() == text


def test_prose_and_status_are_kept_when_it_is_written_again(folder: Path) -> None:
    path = decide(folder)
    prose = path.read_text().replace("# Which broker", "# The broker, as we see it")
    prose = prose.replace("\n### Consequences", "\nWe slept on it. \n\n### Consequences")
    prose = prose.replace("decision-makers: []", "decision-makers: [the team]")
    path.write_text(prose)
    decide(folder, FILE.replace("score: 0.8", "score: 0.85"))
    again = path.read_text()
    assert again != prose
    assert "0.85" in again
    decide(folder)
    assert path.read_text() == prose


def test_writing_again_changes_nothing(folder: Path) -> None:
    path = decide(folder)
    before = path.read_bytes()
    assert decide(folder) == path
    assert path.read_bytes() == before


def test_the_tool_never_sets_accepted_and_keeps_what_was_accepted_on_its_runs(
    folder: Path,
) -> None:
    path = decide(folder)
    assert "accepted" not in path.read_text().split("---")[1]
    path.write_text(path.read_text().replace("status: proposed", "status: accepted"))
    store(folder, trials({"kafka": [2.0] * 6, "rabbitmq-quorum": [90.0] * 6}), "20260102-b")
    before = path.read_bytes()
    decide(folder)
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match=r"is accepted: .*--supersedes 0001"):
        decide(folder, FILE, "20260102-b")


def test_a_record_matches_its_evidence_until_that_changes(folder: Path) -> None:
    path = decide(folder)
    assert checked(folder) == path
    run = folder / "results" / "messaging" / "runs" / "20260101-000000.jsonl"
    held = run.read_bytes()
    run.write_bytes(held.replace(b'"value":10.0', b'"value":9.0', 1))
    with pytest.raises(GateError, match="20260101-000000 has changed since"):
        checked(folder)
    run.unlink()
    with pytest.raises(GateError, match="its evidence is gone"):
        checked(folder)
    run.write_bytes(held)
    assert checked(folder) == path


def test_a_newer_run_does_not_break_the_check(folder: Path) -> None:
    path = decide(folder)
    later = [one.model_copy(update={"started_at": "2026-02-02"}) for one in trials()]
    store(folder, later, "20260202-b")
    assert checked(folder) == path


def test_weights_or_figures_that_were_changed_by_hand_fail_the_check(folder: Path) -> None:
    path = decide(folder)
    with pytest.raises(GateError, match=r"no longer what .* gives, in: .*matrix"):
        checked(folder, FILE.replace("weight: 2", "weight: 3"))
    text = path.read_text()
    path.write_text(text.replace("**0.43**", "**0.93**"))
    with pytest.raises(GateError, match=r"in: matrix;"):
        checked(folder)
    path.write_text(text.replace("# Which broker", "# Ours"))
    assert checked(folder) == path


def test_a_check_without_a_record_fails(folder: Path) -> None:
    with pytest.raises(GateError, match="has no record of broker"):
        checked(folder)


def test_superseding_is_written_on_both_sides(folder: Path) -> None:
    old = decide(folder)
    old.write_text(old.read_text().replace("status: proposed", 'status: "accepted"'))
    before = old.read_text()
    new = decide(folder, supersedes="0001")
    assert new.name == "0002-broker.md"
    assert "supersedes: ADR-0001\n" in new.read_text()
    assert "status: proposed\n" in new.read_text()
    expected = before.replace('status: "accepted"', "status: superseded by ADR-0002")
    assert old.read_text() == expected
    assert checked(folder) == new
    assert decide(folder) == new
    with pytest.raises(UsageError, match="superseded by ADR-0002 already"):
        decide(folder, supersedes="1")
    with pytest.raises(UsageError, match="no decision record 0009; there are: 0001-broker, 0002"):
        decide(folder, supersedes="9")


def test_superseding_that_one_side_does_not_say_fails_the_check(folder: Path) -> None:
    old = decide(folder)
    new = decide(folder, supersedes="0001")
    whole = new.read_text()
    new.write_text(whole.replace("supersedes: ADR-0001\n", ""))
    with pytest.raises(GateError, match="superseded by ADR-0002, which does not say so"):
        checked(folder)
    new.write_text(whole)
    old.write_text(old.read_text().replace("superseded by ADR-0002", "deprecated"))
    with pytest.raises(GateError, match="supersedes ADR-0001, which does not say so"):
        checked(folder)


def test_evidence_lies_where_a_reader_finds_it(folder: Path, tmp_path: Path) -> None:
    run = folder / "results" / "messaging" / "runs" / "20260101-000000.jsonl"
    away = tmp_path / "mine.jsonl"
    away.write_bytes(run.read_bytes())
    with pytest.raises(UsageError, match="evidence has to lie in"):
        decide(folder, FILE, str(away))
    copied = run.with_name("mine.jsonl")
    copied.write_bytes(run.read_bytes())
    text = decide(folder, FILE, str(copied)).read_text()
    assert "| mine | [messaging/runs/mine.jsonl](../messaging/runs/mine.jsonl) |" in text
    checked(folder)


def test_numbers_go_on_from_the_highest_of_any_name(folder: Path) -> None:
    shelf.write(folder / "results" / "decisions" / "0007-other.md", "---\nstatus: accepted\n---\n")
    assert decide(folder).name == "0008-broker.md"


def test_an_unknown_status_is_an_error_with_its_file(folder: Path) -> None:
    path = decide(folder)
    path.write_text(path.read_text().replace("status: proposed", "status: fine"))
    with pytest.raises(RecordError, match=r"0001-broker\.md:2: status: 'fine' is not known"):
        decide(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(folder: Path) -> None:
    (folder / "results" / "decisions").mkdir(mode=0o500)
    with pytest.raises(RecordError, match="could not be written"):
        decide(folder)


def test_a_place_taken_by_a_file_is_an_error(folder: Path) -> None:
    (folder / "results" / "decisions").write_text("")
    with pytest.raises(RecordError, match="could not be written"):
        decide(folder)
