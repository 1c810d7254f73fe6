"""A spike's own layout: its columns, its judgement and its plots, and nothing of messages."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from spikebench import report
from spikebench.record import Metric, Record
from spikebench.report.layout import Layout, ScreenColumn, load
from spikebench.report.screen import bounded, measured
from spikebench.report.table import tabulate
from spikebench.spike import Spike
from tests.report.synthetic import candidates, record, run, scenario
from tests.synthetic.layout import LAYOUT

NAME = "tests.synthetic.layout:LAYOUT"
SCENARIOS = {"change-data": scenario()}


def logins(ms: float, flow: str, candidate: str = "kafka") -> list[Record]:
    return [
        record(
            candidate,
            block,
            spike="identity",
            metrics={"login": Metric(value=ms + block / 10, unit="ms", better="lower")},
            ledger=None,
            params={"flow": flow},
        )
        for block in range(6)
    ]


def test_a_spike_that_names_none_has_that_of_messages() -> None:
    spike = Spike("messaging", "Which?", (), Path())
    assert load(spike.layout).headline == "end_to_end_p50"


def test_what_is_named_must_be_a_layout() -> None:
    with pytest.raises(AssertionError, match=r"layout:_judge must be a Layout"):
        load("tests.synthetic.layout:_judge")


def test_a_layout_that_does_not_fit_the_screen_is_refused() -> None:
    wide = ScreenColumn("wide", 101, measured("login"))
    with pytest.raises(ValueError, match="columns of 101 characters, 100 fit the screen"):
        replace(LAYOUT, screen=(wide,))
    replace(LAYOUT, screen=(replace(wide, width=100),))
    hidden = ScreenColumn("narrow", 5, measured("login"), instead=wide)
    with pytest.raises(ValueError, match="columns of 101 characters"):
        replace(LAYOUT, screen=(hidden,))


def test_a_column_gives_way_where_a_section_has_the_others_metric() -> None:
    other = ScreenColumn("capacity", 9, measured("capacity"), "capacity")
    column = ScreenColumn("rate", 9, measured("throughput"), "throughput", instead=other)
    assert column.among({"throughput"}) is column
    assert column.among({"throughput", "capacity"}) is other


def test_tables_have_the_layouts_columns_and_texts() -> None:
    trials = [*logins(5.0, "srp"), *logins(30.0, "password")]
    text = report.text(trials, SCENARIOS, "md", candidates(), NAME)
    (header,) = (line for line in text.splitlines() if line.startswith("| candidate"))
    assert header == (
        "| candidate | flow | client | target | fidelity | params | login ms | n (void) "
        "| requirement |"
    )
    assert LAYOUT.how_to_read in text
    out = io.StringIO()
    report.terminal(trials, SCENARIOS, Console(file=out), candidates(), NAME)
    lines = out.getvalue().splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("kafka")] == [
        ["kafka", "password"],  # as declared, not by alphabet or speed
        ["kafka", "srp"],
    ]
    assert lines[-1] == LAYOUT.left_out


def test_cells_that_differ_in_an_alternative_lead_one_another() -> None:
    trials = [*logins(5.0, "srp"), *logins(30.0, "password")]
    (section,) = tabulate(trials, SCENARIOS, candidates(), LAYOUT).sections
    assert [row.params for row in section.rows if row.best] == ["flow=srp"]
    apart = replace(LAYOUT, alternatives={})
    (section,) = tabulate(trials, SCENARIOS, candidates(), apart).sections
    assert not any(row.best for row in section.rows)


def test_a_value_that_nobody_declared_comes_last() -> None:
    trials = [r for flow in ("zero", "code", "alpha", "srp") for r in logins(5.0, flow)]
    (section,) = tabulate(trials, SCENARIOS, candidates(), LAYOUT).sections
    flows = [row.params.removeprefix("flow=") for row in section.rows]
    assert flows == ["srp", "code", "alpha", "zero"]


def test_the_layout_judges() -> None:
    (section,) = tabulate(logins(30.0, "srp"), SCENARIOS, candidates(), LAYOUT).sections
    (row,) = section.rows
    assert row.judgement is not None
    assert row.judgement.outcome == "not met"


def test_the_layout_draws(tmp_path: Path) -> None:
    paths = report.write("identity", logins(5.0, "srp"), SCENARIOS, tmp_path, candidates(), NAME)
    assert [path.name for path in paths] == ["table.md", "table.csv", "logins.svg"]
    assert "<dc:title>change-data</dc:title>" in paths[2].read_text()


def test_an_interval_is_a_column_and_a_single_trial_has_none() -> None:
    whole = replace(LAYOUT, screen=(ScreenColumn("login", 20, bounded("login")),))
    six = tabulate(logins(5.0, "srp"), SCENARIOS, (), whole)
    (row,) = six.sections[0].rows
    found = row.intervals["login"]
    assert found.low is not None
    assert f"{found.low:.2f}–" in _printed(six.layout, logins(5.0, "srp"))
    assert "–" not in _printed(six.layout, logins(5.0, "srp")[:1])


def _printed(layout: Layout, trials: list[Record]) -> str:
    from spikebench.report.screen import show

    out = io.StringIO()
    free = {"change-data": scenario(title="x")}
    show(tabulate(trials, free, (), layout), Console(file=out))
    return out.getvalue().split("software", 1)[1]


def test_the_layout_of_messages_is_that_of_a_table_made_without_one() -> None:
    with_it = report.text(run(), SCENARIOS, "md", candidates())
    named = report.text(run(), SCENARIOS, "md", candidates(), "spikebench.report.messages:LAYOUT")
    assert with_it == named
