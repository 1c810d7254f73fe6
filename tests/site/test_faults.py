"""Runs of faults on the site: their tables, their plots over time, and their history."""

from __future__ import annotations

import re
from pathlib import Path

from tests.site.conftest import FAULTS, OLD_FAULTS
from tests.site.pages import Page

SPIKE = Path("spikes/synthetic")


def attributes(page: Page, tag: str, name: str) -> list[str]:
    return [value for of, attribute, value in page.attributes if (of, attribute) == (tag, name)]


def rows(page: Path, table: str) -> list[list[str]]:
    """The words of each row's places, of the table with that id."""
    text = page.read_text()
    body = re.search(rf'<table id="{table}">.*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    assert body is not None
    return [
        re.findall(r'data-value="([^"]*)"', row)
        for row in re.findall(r"<tr.*?</tr>", body[1], re.DOTALL)
    ]


def test_a_run_of_faults_shows_its_plots_in_words_too(site: Path) -> None:
    page = Page(site / SPIKE / FAULTS / "index.html")
    stems = ("plot-faults-durable-timeline", "plot-faults-durable-timeline-emulator")
    assert [Path(one).name for one in page.loads if "plot-" in one] == [f"{s}.svg" for s in stems]
    assert all((site / SPIKE / FAULTS / f"{stem}.svg").is_file() for stem in stems)
    told = attributes(page, "img", "alt")
    assert len(told) == len(set(told)) == 2
    assert all("the time of the fault shaded" in one for one in told)
    assert attributes(page, "img", "title")[0] == "faults-durable over time"


def test_a_run_without_series_has_its_table_and_no_plot(site: Path) -> None:
    page = Page(site / SPIKE / OLD_FAULTS / "index.html")
    assert [one for one in page.loads if "plot-" in one] == []
    assert list((site / SPIKE / OLD_FAULTS).glob("plot-*")) == []
    assert rows(page.path, "faults-durable-faults")[0][:2] == ["kafka", "kill-broker"]


def test_a_fault_has_its_runs_in_order_apart_from_what_was_measured(site: Path) -> None:
    page = site / SPIKE / "history.html"
    found = rows(page, "faults-durable-fault-history")
    assert [row[:2] + row[5:6] for row in found] == [
        ["kafka", "kill-broker", OLD_FAULTS],
        ["kafka", "kill-broker", FAULTS],
        ["kafka", "pause-broker", FAULTS],
        ["sqs-fifo", "pause-broker", FAULTS],
    ]
    # n, confirmed, lost after confirm, time to recover: away for 3 s; for 2 s, and then for 3 s
    assert [row[7:] for row in found[:2]] == [
        ["1", "3,500", "1", "3.00"],
        ["2", "7,000", "0", "3.00"],
    ]
    text = page.read_text()
    assert text.index('id="change-data-history"') < text.index('id="when-something-breaks"')
    assert "faults-durable" not in text[: text.index('id="when-something-breaks"')]


def test_a_fault_leads_to_its_history(site: Path) -> None:
    text = (site / SPIKE / FAULTS / "index.html").read_text()
    row = text[text.index('data-value="kafka"') :].split("</tr>")[0]
    assert 'href="../history.html#cell-' in row
    assert "2 runs" in row
