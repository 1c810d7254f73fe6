"""Tables turned: chosen metrics, rows grouped, runs side by side, as text, JSON and a page."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from rich.console import Console

from spikebench import report
from spikebench.errors import UsageError
from spikebench.record import Record
from spikebench.report.pivot import Pivot, pivot
from spikebench.report.table import tabulate
from tests.report.synthetic import MACHINE, candidates, ledger, record, run, scenario

SCENARIOS = {"change-data": scenario()}


def sweep(candidate: str = "kafka", **changes: object) -> list[Record]:
    """Cells of 1, 2 and 4 consumers with p50 of 10, 20 and 40 ms, in each of six trials."""
    return [
        record(
            candidate,
            block,
            {"end_to_end_p50": 10.0 * n, "throughput": 200.0},
            params={"competing": n},
            **changes,
        )
        for n in (1, 2, 4)
        for block in range(6)
    ]


def turned(*runs: Sequence[Record], metrics: Sequence[str] = (), by: Sequence[str] = ()) -> Pivot:
    return pivot([tabulate(each, SCENARIOS, candidates()) for each in runs], metrics, by)


def text(kind: str, *runs: Sequence[Record], **asked: Sequence[str]) -> str:
    return report.turned(runs, SCENARIOS, kind, candidates(), **asked)  # type: ignore[arg-type]


def test_every_cell_is_a_row_with_median_interval_and_n() -> None:
    found = turned(sweep())
    assert found.keys == ("scenario", "candidate", "client", "target", "fidelity", "params")
    assert [line.keys[-1] for line in found.lines] == ["competing=1", "competing=2", "competing=4"]
    # six equal trials: the interval has no width
    assert [line.figures[0].text for line in found.lines] == [
        "10.0 [10.0, 10.0] n=6",
        "20.0 [20.0, 20.0] n=6",
        "40.0 [40.0, 40.0] n=6",
    ]
    assert found.notes == ()


def test_the_declared_metric_is_shown_where_none_is_named() -> None:
    assert [m.header for m in turned(sweep()).measures] == ["end_to_end_p50 ms"]
    asked = turned(sweep(), metrics=["throughput", "end_to_end_p50"])
    assert [m.metric for m in asked.measures] == ["throughput", "end_to_end_p50"]


def test_a_group_of_several_cells_shows_their_range_and_says_what_it_hides() -> None:
    found = turned(sweep(), by=["candidate"])
    (line,) = found.lines
    assert line.keys == ("kafka", "software")
    assert line.figures[0].text == "10.0–40.0 (3 cells)"
    assert found.notes == (
        "hidden by the grouping: competing (1, 2, 4); add --by competing to tell them apart",
    )


def test_a_grouping_by_the_parameter_hides_nothing() -> None:
    found = turned(sweep(), by=["candidate", "competing"])
    assert [line.keys for line in found.lines] == [
        ("kafka", "1", "software"),
        ("kafka", "2", "software"),
        ("kafka", "4", "software"),
    ]
    assert found.notes == ()


def test_candidates_hidden_in_a_group_are_named() -> None:
    found = turned([*sweep(), *sweep("rabbitmq-quorum")], by=["competing"])
    assert found.lines[0].figures[0].text == "10.0–10.0 (2 cells)"
    assert "candidate (kafka, rabbitmq-quorum)" in found.notes[0]


def test_fidelities_are_never_put_together() -> None:
    found = turned([*sweep(), *sweep(fidelity="emulator", target="docker")], by=["candidate"])
    assert [line.keys for line in found.lines] == [("kafka", "software"), ("kafka", "emulator")]


def test_runs_stand_side_by_side_in_the_same_row() -> None:
    before = sweep(run_id="a")
    after = [r for r in sweep(run_id="b") if r.params["competing"] != 4]
    found = turned(before, after)
    assert [m.header for m in found.measures] == ["end_to_end_p50 ms, a", "end_to_end_p50 ms, b"]
    assert [[f.text for f in line.figures] for line in found.lines] == [
        ["10.0 [10.0, 10.0] n=6"] * 2,
        ["20.0 [20.0, 20.0] n=6"] * 2,
        ["40.0 [40.0, 40.0] n=6", "—"],
    ]
    assert found.notes == ()


def test_runs_of_different_machines_carry_a_warning() -> None:
    other = {**MACHINE, "fingerprint": "eeee"}
    found = turned(sweep(run_id="a"), sweep(run_id="b", environment=other))
    assert found.notes == (
        "warning: the runs are of different machines (a on 0f0f0f0f0f0f; b on eeee): their numbers "
        "do not compare",
    )


def test_runs_that_asked_for_different_workloads_carry_a_warning() -> None:
    found = turned(sweep(run_id="a", workload="11"), sweep(run_id="b", workload="22"))
    assert len(found.notes) == 3
    assert found.notes[0].startswith("warning: change-data, kafka (java) was asked for different")


def test_a_cell_that_could_not_be_had_keeps_its_row_with_the_reason() -> None:
    gone = record("kafka", 0, {}, status="unavailable", reason="no <docker>", ledger=None)
    found = turned([gone, *sweep("rabbitmq-quorum")])
    assert found.lines[0].figures[0].text == "—"
    assert found.lines[0].notes == ("no <docker>",)


def test_a_withheld_metric_says_why() -> None:
    few = [record("kafka", block, {"end_to_end_p50": None}) for block in range(6)]
    (line,) = turned(few).lines
    assert line.figures[0].text == "—"
    assert line.notes == ("end_to_end_p50: 100 samples",)


def test_bold_stands_where_the_table_has_it() -> None:
    markdown = text("md", list(run()), metrics=["end_to_end_p50"])
    (kafka,) = (line for line in markdown.splitlines() if "kafka |" in line)
    assert "| **" in kafka
    (quorum,) = (line for line in markdown.splitlines() if "rabbitmq-quorum |" in line)
    assert "**" not in quorum


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"metrics": ["speed"]}, "--metric speed: there are duplicated, end_to_end_p50"),
        ({"by": ["colour"]}, "--by colour: there are candidate, client, competing, scenario, tar"),
    ],
)
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(
    asked: dict[str, Sequence[str]], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        turned(sweep(), **asked)


def test_a_declared_metric_that_no_row_has_is_an_empty_column() -> None:
    gone = record("kafka", 0, {}, status="unavailable", reason="no docker", ledger=None)
    other = [record("null", block, {"throughput": 200.0}) for block in range(6)]
    found = turned([gone, *other])
    assert [m.metric for m in found.measures] == ["end_to_end_p50"]
    assert {line.figures[0].text for line in found.lines} == {"—"}


def test_json_has_csvs_rows_typed() -> None:
    records = sweep()
    found = json.loads(text("json", records, metrics=["end_to_end_p50"]))
    assert [(row["params"], row["median"], row["n"]) for row in found] == [
        ({"competing": 1}, pytest.approx(10), 6),
        ({"competing": 2}, pytest.approx(20), 6),
        ({"competing": 4}, pytest.approx(40), 6),
    ]
    assert found[0]["reason"] is None
    assert found[0]["noise_free"] is False
    whole = json.loads(text("json", records))
    lines = report.text(records, SCENARIOS, "csv", candidates()).splitlines()
    assert len(whole) == len(lines) - 1
    assert list(whole[0]) == lines[0].split(",")


def test_csv_of_several_runs_has_the_rows_of_each() -> None:
    both = text("csv", sweep(run_id="a"), sweep(run_id="b"), metrics=["throughput"])
    assert [line.split(",")[15] for line in both.splitlines()[1:]] == ["a"] * 3 + ["b"] * 3


def test_a_terminal_has_100_columns_however_many_metrics() -> None:
    out = io.StringIO()
    metrics = ["end_to_end_p50", "throughput", "lost", "duplicated"]
    report.turned(
        [sweep()], SCENARIOS, "terminal", candidates(), metrics=metrics, console=Console(file=out)
    )
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    for name in metrics:
        assert any(name in line for line in lines)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, its cells' texts, its own addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.values: list[str | None] = []
        self.cells: list[str] = []
        self.addresses: list[str] = []
        self.heads: list[str] = []
        self._open = self._head = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "td":
            self.values.append(dict(attrs).get("data-value"))
            self.cells.append("")
        self._open = tag == "td" or (self._open and tag in ("strong", "small"))
        self._head = tag == "th" or (self._head and tag == "button")
        if tag == "th":
            self.heads.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "td"
        self._head = self._head and tag != "th"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1] += data
        if self._head:
            self.heads[-1] += data


def test_a_page_is_complete_in_itself_and_sorts_by_numbers() -> None:
    page = Page(text("html", sweep(), metrics=["end_to_end_p50"]))
    assert page.addresses == []
    assert page.tags.count("script") == 1
    assert page.tags.count("tr") == 4
    assert page.values[6::8] == ["10.0", "20.0", "40.0"]
    assert page.cells[6::8] == [f"{n}.0 [{n}.0, {n}.0] n=6" for n in (10, 20, 40)]


def test_a_page_of_a_run_has_every_column_of_the_spikes_table() -> None:
    page = text("html", list(run()))
    for metric in ("throughput", "end_to_end_p99", "broker_cpu_per_million", "startup"):
        assert f">{metric}" in page


def test_a_page_of_a_run_has_its_losses_its_requirements_and_its_verdicts() -> None:
    trials = list(run())
    first = next(n for n, trial in enumerate(trials) if trial.candidate == "kafka")
    trials[first] = trials[first].model_copy(update={"ledger": ledger(lost=7)})
    page = Page(text("html", trials))
    heads = page.heads
    rows = [page.cells[n : n + len(heads)] for n in range(0, len(page.cells), len(heads))]
    kafka = dict(zip(heads, next(row for row in rows if row[1] == "kafka"), strict=True))
    assert kafka["lost"] == "7 in 6 trials"
    assert kafka["requirement"].startswith("not met")
    assert "7 confirmed messages lost" in kafka["notes"]
    assert "of rabbitmq-quorum: kafka better" in kafka["against the baseline"]
    assert kafka["n (void)"] == "6 (0)"


def test_a_loss_is_a_total_that_no_median_hides() -> None:
    trials = [record("kafka", n, ledger=ledger(lost=7 if n == 3 else 0)) for n in range(6)]
    (line,) = turned(trials, metrics=["lost"]).lines
    assert line.figures[0].text == "7 in 6 trials"


def test_a_run_that_lacks_a_cell_is_named() -> None:
    after = [r for r in sweep(run_id="b") if r.params["competing"] != 4]
    lines = turned(sweep(run_id="a"), after).lines
    assert [line.notes for line in lines] == [(), (), ("run b did not measure it",)]


def test_hostile_texts_are_shown_as_text() -> None:
    evil = "</td><script>alert(1)</script>\"'&"
    records = sweep(evil, fidelity="software", client="<img src=x onerror=alert(1)>")
    page = Page(text("html", records, metrics=["end_to_end_p50"]))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.cells[1] == evil
    assert page.values[1] == evil
