"""The site: every page whole, every link leading somewhere, every word shown as text."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest

from spikebench.errors import RecordError, UsageError
from spikebench.record import read_records
from spikebench.report.layout import load
from spikebench.report.table import tabulate
from spikebench.site import build
from spikebench.site.decision import read_decisions
from spikebench.site.prose import render
from spikebench.spike import Spike
from tests.site.conftest import HOSTILE, ROOT
from tests.site.pages import Page, leads_nowhere, pages_of

SPIKE = Path("spikes/synthetic")


def test_pages_are_whole_and_every_link_leads_somewhere(site: Path) -> None:
    pages = pages_of(site)
    assert {path.relative_to(site).as_posix() for path in pages} == {
        "index.html",
        "method.html",
        "glossary.html",
        "decisions/0001-broker.html",
        "decisions/0002-other.html",
        "spikes/synthetic/index.html",
        "spikes/synthetic/history.html",
        "spikes/synthetic/20260101-a/index.html",
        "spikes/synthetic/20260102-b/index.html",
    }
    assert {path: page.faults for path, page in pages.items() if page.faults} == {}
    assert leads_nowhere(pages) == []


def test_our_own_results_make_a_site_whose_links_lead_somewhere(committed: Path) -> None:
    pages = pages_of(committed)
    for run in ROOT.glob("results/*/runs/*.jsonl"):
        page = committed / "spikes" / run.parts[-3] / run.stem / "index.html"
        assert run.stem in pages[page].text
    for decision in (ROOT / "results" / "decisions").glob("*.md"):
        assert committed / "decisions" / f"{decision.stem}.html" in pages
    assert {path: page.faults for path, page in pages.items() if page.faults} == {}
    assert leads_nowhere(pages) == []


def test_nothing_is_loaded_from_elsewhere(site: Path, committed: Path) -> None:
    for folder in (site, committed):
        for page in pages_of(folder).values():
            assert [one for one in page.loads if "//" in one] == []
        assert "//" not in (folder / "site.css").read_text().replace("/*", "").replace("*/", "")
        for word in ("fetch(", "import(", "XMLHttpRequest", "http://w", "https://"):
            found = (folder / "site.js").read_text().replace("http://www.w3.org/2000/svg", "")
            assert word not in found


def test_hostile_words_are_shown_as_text(site: Path) -> None:
    pages = pages_of(site)
    texts = {
        path.relative_to(site).as_posix(): path.read_text()
        for path in pages
        if path.name != "method.html"
    }
    shown = texts[f"{SPIKE}/20260102-b/index.html"]
    assert pages[site / SPIKE / "20260102-b" / "index.html"].text.count(HOSTILE) >= 6
    assert escape(HOSTILE) in shown.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    for text in texts.values():
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    for page in pages.values():
        assert [one for one in page.attributes if one[1].startswith("on")] == []
        assert [one for one in page.links if one.startswith("javascript")] == []


def test_a_chart_has_the_means_and_intervals_of_its_table(
    site: Path, spike: Spike, results: Path
) -> None:
    records = read_records(results / "synthetic" / "runs" / "20260101-a.jsonl")
    layout = load(spike.layout)
    table = tabulate(records, spike.read_scenarios(), spike.candidates, layout)
    kafka = next(row for row in table.sections[0].rows if row.cell.candidate == "kafka")
    data = _chart(site / SPIKE / "20260101-a" / "index.html", "change-data-chart")
    row = next(one for one in data["groups"][0]["rows"] if one["name"] == "kafka (java)")
    expected = kafka.intervals["end_to_end_p50"]
    assert row["marks"]["end_to_end_p50"] == [expected.mean, expected.low, expected.high, 6]
    hollow = {one["name"]: one["hollow"] for one in data["groups"][0]["rows"]}
    assert hollow["kafka (java)"] is False
    assert hollow["kinesis (java)"] is True
    assert "null (java)" not in hollow


def test_a_cell_has_its_runs_in_order_and_says_where_they_do_not_compare(site: Path) -> None:
    page = site / SPIKE / "history.html"
    data = _chart(page, "change-data-chart")
    kafka = next(one for one in data["groups"] if one["name"] == "kafka (java), local")
    assert [row["name"] for row in kafka["rows"]] == ["20260101-a", "20260102-b"]
    assert "another machine than in the run before" in Page(page).text


def test_a_row_has_median_interval_and_its_history(site: Path) -> None:
    text = (site / SPIKE / "20260101-a" / "index.html").read_text()
    row = text[text.index('data-value="kafka"') :].split("</tr>")[0]
    assert '<span class="interval"><span class="unseen">, 95 % interval </span>' in row
    assert 'href="../history.html#cell-' in row
    assert "2 runs" in row


def test_a_void_trial_is_counted_and_its_reason_told(site: Path) -> None:
    page = Page(site / SPIKE / "20260102-b" / "index.html")
    assert "1 (1)" in page.text


def test_a_decision_keeps_its_words_and_its_links(site: Path) -> None:
    page = Page(site / "decisions" / "0001-broker.html")
    assert page.links[-5:] == [
        "../spikes/synthetic/index.html#change-data",
        "../spikes/synthetic/20260102-b/index.html",
        "0002-other.html#why",
        "../files/synthetic/extra.csv",
        "https://example.org/",
    ]
    assert "gone" in page.text
    assert '<b onclick="alert(3)">raw</b>' in page.text
    assert "the team, <script>alert(2)</script>" in page.text
    assert page.loads[-1] == "../files/synthetic/extra.svg"
    assert "not loaded" in page.text
    index = Page(site / "index.html").text
    assert "Which broker, <i>then</i>?" in index
    assert "2026-11-25" in index


def test_a_decision_without_front_matter_has_no_status(tmp_path: Path) -> None:
    (tmp_path / "0001-a.md").write_text("Words alone.\n\n---\n\nMore.\n")
    (found,) = read_decisions(tmp_path)
    told = [found.told(name, lambda _: None) for name in ("status", "date")]
    assert [found.title, *told] == ["0001-a", "—", "—"]
    assert "More." in found.html(lambda _: None)


def test_a_status_leads_to_the_decision_that_follows(site: Path) -> None:
    assert "0001-broker.html" in Page(site / "decisions" / "0002-other.html").links
    assert Page(site / "index.html").links.count("decisions/0001-broker.html") == 2


def test_front_matter_that_is_not_yaml_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "0001-a.md").write_text("---\nstatus: [proposed\n---\n# A\n")
    with pytest.raises(RecordError, match=r"0001-a\.md: front matter is not YAML"):
        read_decisions(tmp_path)


def test_headings_of_one_name_have_ids_of_their_own() -> None:
    html = render("# T\n\n## Good, bad\n\n## Good, bad\n\n# Again\n", lambda _: None).html
    assert '<h2 id="good-bad">' in html
    assert '<h2 id="good-bad-1">' in html
    assert '<h2 id="again">' in html


def test_the_same_records_make_the_same_site(
    site: Path, spike: Spike, results: Path, tmp_path: Path
) -> None:
    again = build([spike], results, ROOT / "docs", tmp_path / "site").parent
    files = [path.relative_to(site) for path in sorted(site.rglob("*")) if path.is_file()]
    assert [
        path for path in files if (site / path).read_bytes() != (again / path).read_bytes()
    ] == []
    build([spike], results, ROOT / "docs", again)  # in place of the earlier one
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site"]


def test_a_folder_of_something_else_is_left_alone(
    spike: Spike, results: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is no site of spikebench's"):
        build([spike], results, ROOT / "docs", tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_records_that_cannot_be_read_leave_the_earlier_site(
    spike: Spike, results: Path, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    build([spike], results, ROOT / "docs", out)
    broken = tmp_path / "results" / "synthetic" / "runs"
    broken.mkdir(parents=True)
    (broken / "a.jsonl").write_text("{}\n{}\n")
    with pytest.raises(RecordError, match=r"a\.jsonl:1"):
        build([spike], tmp_path / "results", ROOT / "docs", out)
    assert (out / "index.html").is_file()


def test_a_spike_without_runs_says_how_to_measure(spike: Spike, tmp_path: Path) -> None:
    out = build([spike], tmp_path, tmp_path / "no-docs", tmp_path / "site").parent
    pages = pages_of(out)
    assert "python3 -m tox -e synthetic" in pages[out / SPIKE / "index.html"].text
    assert leads_nowhere(pages) == []


def _chart(page: Path, name: str) -> Any:
    text = page.read_text()
    start = text.index(">", text.index(f'id="{name}"')) + 1
    return json.loads(text[start : text.index("</script>", start)])


@pytest.mark.parametrize(
    ("status", "review"),
    [("proposed", "2027-05-25"), ("accepted", "2027-05-25"), ("superseded by ADR-0002", "")],
)
def test_a_decision_in_force_says_when_to_look_at_it_again(
    tmp_path: Path, status: str, review: str
) -> None:
    said = "To be looked at again by 2027-05-25."
    (tmp_path / "0001-a.md").write_text(f"---\nstatus: {status}\n---\n# A\n\n{said}\n")
    (found,) = read_decisions(tmp_path)
    assert found.review == review


def test_our_own_decisions_stand_on_their_spikes_pages_with_their_review(committed: Path) -> None:
    assert '<time data-review datetime="20' in (committed / "index.html").read_text()
    for name in ("0001-message-broker", "0002-java-on-lambda"):
        assert "look at it again by" in Page(committed / "decisions" / f"{name}.html").text
    links = Page(committed / "spikes" / "messaging" / "index.html").links
    assert "../../decisions/0001-message-broker.html" in links
