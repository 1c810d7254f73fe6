"""decision.yaml: every error names file, line and key; and it is no scenario."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from spikebench.decision.assess import assess
from spikebench.decision.read import decision_path, read_decision
from spikebench.discovery import find_spike, find_spikes
from spikebench.errors import RecordError, ScenarioError
from tests.decision import broken
from tests.decision.situation import FILE, WITH_MUST, assessed, spike, store, trials
from tests.report.synthetic import record

ROOT = Path(__file__).parents[2]


def problem(folder: Path, text: str) -> str:
    one = spike(folder, text)
    with pytest.raises(ScenarioError) as caught:
        read_decision(one, one.read_scenarios())
    return str(caught.value).removeprefix(str(decision_path(one)))


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ("decision: broker", "decision: Broker 1", 1, "decision", "does not fit"),
        ("review: 2027-01-31", "review: soon", 5, "review", "does not fit"),
        ("question: Stay or move?\n", "", 1, "question", "missing; add it"),
        ("weight: 2", "weight: -2", 13, "criteria.0.weight", "greater than"),
        ("weight: 2", "weight: 1e308", 13, "criteria.0.weight", "less than"),
        ("weight: 2", "wieght: 2", 13, "criteria.0.wieght", "did you mean 'weight'?"),
        ("best: 1,", "best: 100,", 14, "criteria.0.measured.worst", "must differ from best"),
        ("best: 1,", "best: 0,", 14, "criteria.0.measured.scale", "write 'scale: linear'"),
        ("best: 1,", "best: .nan,", 14, "criteria.0.measured.best", "finite"),
        ("score: 0.8", "score: 8", 21, "criteria.1.judged.scores.1.score", "less than or equal"),
        ("option: rabbit,", "option: rabit,", 21, "criteria.1.judged.scores.1.option", "kafka"),
        ("option: rabbit,", "option: kafka,", 21, "criteria.1.judged.scores.1.option", "two"),
        ("name: rabbit,", "name: kafka,", 10, "options.1.name", "given twice"),
        ("candidate: kafka", "candidate: kafca", 9, "options.0.candidate", "mean 'kafka'?"),
        (
            "candidate: kafka",
            "candidate: kafka, client: jawa",
            9,
            "options.0.client",
            "mean 'java'?",
        ),
        ("scenario: change-data", "scenario: change", 14, "criteria.0.measured.scenario", "mean"),
        ("      by: the authors of this test\n", "", 17, "criteria.1.judged.by", "missing"),
        ("name: effort", "name: delay", 15, "criteria.1.name", "given twice"),
        ("review: 2027-01-31", "review: 2027-02-30", 5, "review", "write a day as"),
        (
            "candidate: kafka}",
            "candidate: kafka, stand_ins: {change-data: kafca}}",
            9,
            "options.0.stand_ins.change-data",
            "mean 'kafka'?",
        ),
        (
            "candidate: kafka}",
            "candidate: kafka, stand_ins: {change-date: kafka}}",
            9,
            "options.0.stand_ins.change-date",
            "mean 'change-data'?",
        ),
        (
            "best: 1, worst: 100}",
            "best: 1, worst: 100, or_judged: true}",
            14,
            "criteria.0.measured.or_judged",
            "has no judged scores",
        ),
    ],
)
def test_an_error_names_line_and_key(
    tmp_path: Path, old: str, new: str, line: int, key: str, said: str
) -> None:
    assert FILE.count(old) == 1
    found = problem(tmp_path, FILE.replace(old, new)).splitlines()
    (mine,) = [told for told in found if f":{line}: {key}: " in told]
    assert said in mine


def test_an_option_without_a_judged_score_is_an_error(tmp_path: Path) -> None:
    text = FILE.replace("        - {option: kafka, score: 0.2, why: new to us}\n", "")
    assert "criteria.1.judged: kafka has no score" in problem(tmp_path, text)


def test_an_option_that_is_not_measured_needs_a_judged_score_everywhere(tmp_path: Path) -> None:
    text = FILE.replace(", candidate: kafka", "")
    assert ":12: criteria.0: kafka has no score" in problem(tmp_path, text)


def test_what_is_measured_is_not_judged_too(tmp_path: Path) -> None:
    judged = "    judged: {by: us, scores: [{option: kafka, score: 1, why: fast}]}\n"
    text = FILE.replace("  - name: effort\n", f"{judged}  - name: effort\n")
    assert "kafka is measured here; remove its judged score, or write 'or_judged: true'" in (
        problem(tmp_path, text)
    )


@pytest.mark.parametrize(
    ("must", "said"),
    [
        ("{name: a, scenario: change-data}", "write 'requires: met', or a metric"),
        ("{name: a, scenario: change-data, requires: met, at_most: 1}", "remove at_most"),
        ("{name: a, scenario: change-data, metric: m}", "needs one bound"),
        ("{name: a, scenario: change-data, metric: m, at_most: 1, at_least: 1}", "one bound"),
        ("{name: a, scenario: change-data, requires: maybe}", "write 'met'"),
        ("{name: a, scenario: nowhere, requires: met}", "not known to the spike"),
    ],
)
def test_a_must_have_says_one_thing(tmp_path: Path, must: str, said: str) -> None:
    found = problem(tmp_path, FILE.replace("criteria:\n", f"must_haves:\n  - {must}\ncriteria:\n"))
    assert found.startswith(":12: must_haves.0")
    assert said in found


def test_what_stands_in_needs_what_it_stands_in_for(tmp_path: Path) -> None:
    text = FILE.replace("candidate: kafka}", "stand_ins: {change-data: kafka}}")
    assert ":9: options.0.stand_ins: stand in for a candidate" in problem(tmp_path, text)


def test_a_client_that_what_stands_in_does_not_have_is_an_error(tmp_path: Path) -> None:
    """It would have no row, and not be shown for ever."""
    text = broken.STAND_INS.replace("candidate: kafka,", "candidate: kafka, client: jawa,")
    one = broken.spike(tmp_path, text)
    with pytest.raises(ScenarioError, match=r":9: options\.0\.client: of kafka-3: 'jawa' is not"):
        read_decision(one, one.read_scenarios())


@pytest.mark.parametrize(
    ("params", "key", "said"),
    [
        ("kind: kil-broker", "kind", "did you mean 'kill-broker'?"),
        ("kind: kill-leader", "kind", "'kill-leader' is not swept by faults-durable"),
        ("knid: kill-broker", "knid", "is not swept by faults-durable; did you mean 'kind'?"),
    ],
)
def test_a_fault_that_nobody_puts_in_is_an_error(
    tmp_path: Path, params: str, key: str, said: str
) -> None:
    asked = broken.NONE_LOST.replace("kind: kill-broker", params)
    one = broken.spike(tmp_path, broken.must(asked))
    with pytest.raises(ScenarioError) as caught:
        read_decision(one, one.read_scenarios())
    assert f":12: must_haves.0.params.{key}: " in str(caught.value)
    assert said in str(caught.value)


def test_any_file_is_read_or_refused_in_words(tmp_path: Path) -> None:
    """Nothing but a ScenarioError comes of a file with lines lost, doubled or garbled."""
    draw = random.Random(5)
    whole = WITH_MUST.splitlines(keepends=True)
    one = spike(tmp_path)
    scenarios = one.read_scenarios()
    refused = []
    for _ in range(300):
        lines = list(whole)
        at = draw.randrange(len(lines))
        change = draw.choice(["", lines[at] * 2, lines[at].replace(":", ": -"), "  x: 1\n", "- \n"])
        lines[at] = change if draw.random() < 0.7 else _garbled(lines[at], draw)
        decision_path(one).write_text("".join(lines))
        try:
            read_decision(one, scenarios)
        except ScenarioError as error:
            refused.append(str(error))
    named = re.compile(rf"{re.escape(str(decision_path(one)))}:\d+: ")
    assert len(refused) > 100
    assert all(named.match(said) for said in refused)


def _garbled(line: str, draw: random.Random) -> str:
    place = draw.randrange(len(line))
    return line[:place] + draw.choice("{}[]:,0.9-#'\"x\n &*!") + line[place + 1 :]


def test_a_spike_without_a_decision_says_how_to_write_one(tmp_path: Path) -> None:
    one = spike(tmp_path)
    decision_path(one).unlink()
    with pytest.raises(ScenarioError, match="has no decision; write one as docs"):
        read_decision(one, one.read_scenarios())


def test_a_metric_that_is_better_the_other_way_is_an_error(tmp_path: Path) -> None:
    text = FILE.replace("best: 1, worst: 100", "best: 100, worst: 1")
    with pytest.raises(ScenarioError, match=r":14: criteria\.0\.measured\.best: .* better lower"):
        assessed(tmp_path, text=text)


def test_several_rows_are_an_error_that_lists_them_and_params_choose_one(tmp_path: Path) -> None:
    swept = [
        record(name, n, {"end_to_end_p99": ms}, params={"rate_per_s": rate})
        for name in ("kafka", "rabbitmq-quorum")
        for rate, ms in ((10, 3.0), (20, 30.0))
        for n in range(6)
    ]
    path = store(tmp_path, swept)
    with pytest.raises(ScenarioError, match=r":14: .*scenario: kafka has several rows") as caught:
        assess(spike(tmp_path), [path])
    assert "rate_per_s=10; rate_per_s=20" in str(caught.value)
    text = FILE.replace("metric: end", "params: {rate_per_s: 20}, metric: end")
    found = assess(spike(tmp_path, text), [path])
    assert {round(entry.value or 0) for entry in found.matrix.entries[0]} == {30}


def test_a_later_run_counts_where_it_has_the_row(tmp_path: Path) -> None:
    first = store(tmp_path, trials(), "20260101-a")
    later = store(tmp_path, trials({"kafka": [2.0] * 6}), "20260102-b")
    found = assess(spike(tmp_path), [first, later])
    kafka, rabbit = found.matrix.entries[0]
    assert (round(kafka.value or 0), round(rabbit.value or 0)) == (2, 32)
    assert [run.run_id for run in found.runs] == ["20260101-a", "20260102-b"]


def test_a_run_of_another_spike_is_no_evidence(tmp_path: Path) -> None:
    path = store(tmp_path, [one.model_copy(update={"spike": "other"}) for one in trials()])
    with pytest.raises(RecordError, match="has no trial of messaging to decide on"):
        assess(spike(tmp_path), [path])


def test_the_decision_is_no_scenario(tmp_path: Path) -> None:
    assert list(spike(tmp_path).read_scenarios()) == ["change-data"]


@pytest.mark.parametrize("name", ["messaging", "serverless"])
def test_the_decisions_of_this_repository_fit_their_spikes(name: str) -> None:
    one = find_spike(name, ROOT)
    decision, _ = read_decision(one, one.read_scenarios())
    assert sum(decision.shares) == pytest.approx(1)
    assert find_spikes(ROOT)
