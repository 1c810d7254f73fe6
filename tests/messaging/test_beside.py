"""Costs beside a run's rows: one value a cell, from what all its trials carried together."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from click.testing import CliRunner

from spikebench import report
from spikebench.cli import cli
from spikebench.record import Metric, Record
from spikebench.record.trials import by_cell
from spikebench.report.layout import load
from spikebench.report.table import Section, tabulate
from spikebench.scenario.messages import Arrivals, Consumers, Producer
from spikes.messaging.beside import A_MONTH, PER_MILLION, complete, pattern, pricing, tell
from spikes.messaging.pattern import Nodes
from tests.report.synthetic import candidates, ledger, record, scenario

LAYOUT = "spikes.messaging.layout:LAYOUT"
WORKLOAD = scenario(
    arrivals=Arrivals(kind="bursts", rate_per_s=200, burst_min=10, burst_max=10),
    producer=Producer(batch_messages=10),
    consumers=Consumers(subscribers=3),
)
SCENARIOS = {"change-data": WORKLOAD}


def trials(candidate: str, megabytes: float = 0.1, **changes: object) -> list[Record]:
    values = {"throughput": 100.0, "throughput_bytes": megabytes, "end_to_end_p50": 5.0}
    return [record(candidate, block, values, **changes) for block in range(6)]


def a_month(records: list[Record], candidate: str) -> list[float]:
    cells = by_cell(complete(records, SCENARIOS))
    (cell,) = (cell for cell in cells if cell.candidate == candidate)
    return cell.values(A_MONTH)


def section(records: list[Record]) -> Section:
    (found,) = tabulate(records, SCENARIOS, candidates(), load(LAYOUT)).sections
    return found


def test_a_cost_is_one_value_a_cell_and_no_evidence_of_six_trials() -> None:
    # 200/s × 2,628,000 s = 525.6 million; ÷ 10 × 3 queues × 3 calls × 0.40 = 189.216, and half an
    # hour of upkeep at 60
    assert a_month(trials("sqs-standard"), "sqs-standard") == pytest.approx([219.216])


def test_bodies_are_the_same_for_all_candidates_whatever_each_happened_to_send() -> None:
    light, heavy = trials("rabbitmq-quorum", 0.05), trials("rabbitmq-stream", 0.15)
    both = [*light, *heavy]
    assert a_month(both, "rabbitmq-quorum") == a_month(both, "rabbitmq-stream")
    assert a_month(light, "rabbitmq-quorum") < a_month(both, "rabbitmq-quorum")


def test_duplicates_that_a_trial_counted_cost_money() -> None:
    # every copy twice: receives and deletes double, 63.072 each
    doubled = ledger(duplicated=1320)
    again = a_month(trials("sqs-standard", ledger=doubled), "sqs-standard")
    assert again == pytest.approx([219.216 + 2 * 63.072])


def test_a_void_trial_an_arm_and_the_ceiling_have_no_cost() -> None:
    void = record("kafka", 0, status="void", reason="late")
    arm = record("kafka", 0, arm="A/A")
    ceiling = record("null", 0)
    assert list(complete([void, arm, ceiling], SCENARIOS)) == [void, arm, ceiling]


def test_what_is_not_priced_has_no_figure_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = pattern().model_copy(update={"nodes": Nodes(instance="odd.large")})
    monkeypatch.setattr("spikes.messaging.beside.pattern", lambda: odd)
    records = trials("kafka")
    text = report.text(records, SCENARIOS, "md", candidates(), LAYOUT)
    assert "no cost: 3 nodes: not priced: eu-west-2 has no price of ec2 instance odd.large" in text
    assert "`spikebench prices refresh`" in text
    assert a_month(records, "kafka") == []


def test_a_price_of_another_region_or_an_old_one_is_said_at_the_row() -> None:
    records = [*trials("kinesis"), *trials("sns-sqs")]
    text = report.text(records, SCENARIOS, "md", candidates(), LAYOUT)
    assert "cost: a price of us-east-1: 2 shards, PUT payload units" in text
    old = "a price of us-east-1, the price is of 2024-12-04: older than a year"
    assert f"{old}: payload published, copies delivered, payload delivered" in text


def test_prices_age_with_the_book_and_not_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [*trials("kinesis"), *trials("sns-sqs")]

    once = report.text(records, SCENARIOS, "md", candidates(), LAYOUT)
    monkeypatch.setattr("spikes.messaging.beside.today", lambda: date(2099, 1, 1))
    assert report.text(records, SCENARIOS, "md", candidates(), LAYOUT) == once
    # a person who asks for a cost is told by the day on which they ask
    shards = next(p for p in pricing(records, SCENARIOS, None) if p.name == "kinesis")
    assert "the price is of 2026-10-01: older than a year" in shards.costs["a month"].marks[0]


def tidy(text: str) -> list[dict[str, str]]:
    """A table's rows without their footnotes, which have what is to be said of costs."""
    rows = csv.DictReader(io.StringIO(text))
    return [{name: value for name, value in row.items() if name != "notes"} for row in rows]


def test_the_table_has_both_columns_and_nothing_else_is_changed() -> None:
    records = [*trials("kafka"), *trials("rabbitmq-quorum"), *trials("sqs-fifo")]
    usual = tidy(report.text(records, SCENARIOS, "csv", candidates()))
    costed = tidy(report.text(records, SCENARIOS, "csv", candidates(), LAYOUT))
    extra = [row for row in costed if row["metric"] in (PER_MILLION, A_MONTH)]
    assert len(extra) == 6
    assert [row for row in costed if row not in extra] == usual
    header = next(
        line
        for line in report.text(records, SCENARIOS, "md", candidates(), LAYOUT).splitlines()
        if line.startswith("| candidate")
    )
    assert "| USD per million | USD a month |" in header


def test_a_section_says_what_is_cheapest_and_from_which_load_on() -> None:
    (said,) = tell(section([*trials("kafka"), *trials("sqs-standard")]))
    assert "by cost alone the cheapest at 200 messages a second is sqs-standard, 219 USD" in said
    # SQS: 30 of upkeep and 0.94608 a message a second. MSK: 120, 489.9 of brokers and disks, and
    # 2.628 GB × 2 2/3 zones × 2 × 0.01 = 0.14016: the same at 579.9 / 0.80592 = 719.6
    assert "(sqs-standard below 720 a second, kafka on MSK from 720)" in said
    # without hours: nodes 186.15 and disks 27.84, and 4 2/3 crossings, 0.24528: 213.99 / 0.7008 =
    # 305.4; then MSK at 275.91 / 0.10512 = 2,625
    assert "(sqs-standard below 305 a second, kafka from 305, kafka on MSK from 2,620)" in said
    assert "Prices that may not hold here: a price of us-east-1: kafka, kafka on MSK." in said


def test_a_candidate_that_could_not_be_measured_is_compared_all_the_same() -> None:
    had = record("sqs-standard", 0, {}, status="unavailable", reason="no docker", ledger=None)
    (said,) = tell(section([*trials("kafka"), had]))
    assert "is sqs-standard" in said


def test_a_run_in_which_something_breaks_has_no_costs() -> None:
    assert tell(Section("gone", None, ())) == []


def test_the_command_opens_a_figure_of_the_table_into_its_terms() -> None:
    records = trials("sqs-standard")
    (found,) = (p for p in pricing(records, SCENARIOS, None) if p.name == "sqs-standard")
    month = found.costs["a month"]
    assert month.total == pytest.approx(a_month(records, "sqs-standard")[0])
    assert len(month.lines) == 6
    a_million = found.costs["a million messages"].total
    assert month.total is not None
    assert a_million == pytest.approx(month.total / 525.6)
    assert f"{pattern().title}: 200 messages a second of 1000 bytes" in found.about


def test_the_command_prints_one_candidate_with_every_way_to_have_it() -> None:
    out = CliRunner().invoke(cli, ["cost", "messaging", "--candidate", "kafka"])
    assert out.exit_code == 0, out.output
    heads = [line for line in out.output.splitlines() if line and not line.startswith(" ")]
    assert heads == ["kafka", "kafka on MSK"]
    assert "3 nodes: 2,190 hour × 0.085 = 186.1500 USD" in out.output


def test_the_command_sums_up_within_100_columns_and_opens_everything_on_demand() -> None:
    out = CliRunner().invoke(cli, ["cost", "messaging"])
    assert out.exit_code == 0, out.output
    lines = out.output.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("by cost alone the cheapest at 200 messages a second is ")
    (kinesis,) = (line for line in lines if line.startswith("kinesis "))
    assert kinesis.count("*") == 2  # a month, and a million messages
    (sqs,) = (line for line in lines if line.startswith("sqs-standard "))
    assert "*" not in sqs
    assert "* a price of another region, or one that is old or undated" in lines
    opened = CliRunner().invoke(cli, ["cost", "messaging", "--terms"])
    assert "upkeep: 8 hour × 60.0 = 480.0000 USD (an assumption of the pattern)" in opened.output


def test_calls_that_a_run_counted_show_in_its_costs() -> None:
    # half as many messages a sending call as are derived: 63.072 more
    counted = [
        trial.model_copy(update={"metrics": {**trial.metrics, **calls(264)}})
        for trial in trials("sqs-standard")
    ]
    assert a_month(counted, "sqs-standard") == pytest.approx([219.216 + 63.072])


def calls(sends: float) -> dict[str, Metric]:
    """440 messages to three queues are 132 calls of ten, as derived."""
    return {"calls_send_message_batch": Metric(value=sends, unit="calls")}


def test_an_unknown_scenario_is_an_error_that_lists_the_known_ones() -> None:
    out = CliRunner().invoke(cli, ["cost", "messaging", "--scenario", "nowhere"])
    assert "there are backlog, change-data" in str(out.exception)
