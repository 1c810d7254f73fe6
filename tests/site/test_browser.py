"""The site in a real Chromium: what a person does there, and what an accessibility checker says.

The browser is ``SPIKEBENCH_CHROMIUM``, or a Chromium on the PATH (``.ci/browser`` installs one).
Where there is none the tests are skipped; with ``SPIKEBENCH_REQUIRE_BROWSER=1`` they fail.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.image import imread
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.site.conftest import HOSTILE

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SERIOUS = ("serious", "critical")
SPIKE = "spikes/synthetic/index.html"
RUN = "spikes/synthetic/20260102-b/index.html"
HISTORY = "spikes/synthetic/history.html"
DECISION = "decisions/0001-broker.html"
FAULTY = "spikes/synthetic/20260103-f/index.html"
LARGE = 200_000
"""Bytes of a page from which on it is looked at once and not for its colours, which take minutes.

They are those of the smaller pages and of the synthetic ones: one style sheet serves them all.
"""
PAGES = ("index.html", "method.html", "glossary.html", SPIKE, RUN, FAULTY, HISTORY, DECISION)

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("SPIKEBENCH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
    if not path:
        told = 'no Chromium on the PATH; as root: eval "$(.ci/browser)", or set SPIKEBENCH_CHROMIUM'
        if os.environ.get("SPIKEBENCH_REQUIRE_BROWSER") == "1":
            pytest.fail(told)
        pytest.skip(told)
    # Chromium refuses its sandbox to root
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visitor:
    """Opens pages of a site and keeps what their scripts complain of and what they ask for."""

    def __init__(self, browser: Browser, root: str) -> None:
        self.root = root
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self._browser = browser
        self._open: list[Page] = []

    def visit(self, page: str, scheme: Scheme = "light", width: int = 1400) -> Page:
        found = self._browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        self._open.append(found)
        found.on("console", lambda message: self.complaints.append(f"{page}: {message.text}"))
        found.on("pageerror", lambda error: self.complaints.append(f"{page}: {error}"))
        found.on("request", lambda request: self.asked.append(request.url))
        found.goto(self.root + page)
        return found

    def leave(self) -> None:
        for page in self._open:
            page.close()


@pytest.fixture
def visitor(browser: Browser, site: Path) -> Iterator[Visitor]:
    visitor = Visitor(browser, site.as_uri() + "/")
    yield visitor
    visitor.leave()
    assert visitor.complaints == []
    assert [url for url in visitor.asked if not url.startswith((visitor.root, "data:"))] == []


def test_pages_load_from_files_without_a_complaint(visitor: Visitor) -> None:
    for page in PAGES:
        assert visitor.visit(page).locator("h1").count() == 1


def test_pages_load_from_a_sub_path_without_a_complaint(browser: Browser, site: Path) -> None:
    handler = partial(_Quiet, directory=str(site.parent.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            visitor = Visitor(browser, f"http://127.0.0.1:{server.server_port}/deep/site/")
            page = visitor.visit("index.html")
            page.get_by_role("link", name="synthetic").click()
            page.get_by_role("link", name="2 runs").first.click()
            page.locator(".chart circle").first.wait_for()
            visitor.leave()
        finally:
            server.shutdown()
            thread.join()
    assert visitor.complaints == []
    assert [url for url in visitor.asked if not url.startswith((visitor.root, "data:"))] == []


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is Python's
        pass


def test_a_column_sorts_both_ways_and_keeps_what_is_not_known_last(visitor: Visitor) -> None:
    table = visitor.visit(RUN).locator("#change-data-cells")
    head = table.locator("thead th", has_text="end-to-end p99 ms")
    button = head.get_by_role("button")
    column = head.evaluate("head => head.cellIndex")
    button.focus()
    button.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    up = _column(table, column)
    assert len(up) == 10
    assert up[-1] == "—"
    known = [float(text.replace(",", "")) for text in up[:-1]]
    assert known == sorted(known)
    assert known != known[::-1]
    button.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    assert _column(table, column) == [*up[-2::-1], "—"]


def test_words_sort_as_words_and_only_one_column_is_said_to_be_sorted(visitor: Visitor) -> None:
    table = visitor.visit(RUN).locator("#change-data-cells")
    table.locator("thead th", has_text="end-to-end p50").get_by_role("button").click()
    table.locator("thead th", has_text="candidate").get_by_role("button").click()
    names = _column(table, 0)
    assert [name for name in names if name != HOSTILE] == sorted(set(names) - {HOSTILE})
    assert table.locator("th[aria-sort]").count() == 1


def test_rows_are_filtered_by_word_and_by_choice(visitor: Visitor) -> None:
    page = visitor.visit(RUN)
    grid = page.locator("[data-grid]").filter(has=page.locator("#change-data-cells"))
    rows = grid.locator("tbody tr:visible")
    assert rows.count() == 10
    grid.get_by_label("filter").fill("RABBIT")
    assert rows.count() == 3
    assert grid.locator("output").text_content() == "3 of 10 rows"
    grid.get_by_label("filter").fill("")
    grid.get_by_label("fidelity").select_option("emulator")
    assert rows.count() == 4
    grid.get_by_label("fidelity").select_option("all")
    grid.get_by_label("candidate").select_option(label=HOSTILE)
    assert rows.count() == 1
    grid.get_by_label("95 % intervals").uncheck()
    assert grid.locator(".interval:visible").count() == 0


@pytest.mark.parametrize(
    ("address", "plots"),
    [(SPIKE, 3), (FAULTY, 2)],  # figures, ratios, percentiles; over time, of software and emulators
)
def test_plots_are_drawn(visitor: Visitor, address: str, plots: int) -> None:
    page = visitor.visit(address)
    for image in page.locator(".plot img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("async image => (await image.decode(), image.naturalWidth)") > 100
        assert image.get_attribute("alt")
    assert page.locator(".plot img").count() == plots


def test_a_chart_is_drawn_to_scale_and_changes_with_its_metric(visitor: Visitor) -> None:
    chart = visitor.visit(RUN).locator("[data-chart=change-data-chart]")
    marks = chart.locator("g[tabindex]")
    assert marks.count() == 9
    places = {
        name: float(
            chart.locator(f"g[aria-label^='{name} ']").locator("circle").get_attribute("cx") or 0
        )
        for name in ("kafka", "rabbitmq-quorum", "kinesis")
    }
    assert 0 < places["kafka"] < places["rabbitmq-quorum"] < places["kinesis"]
    chart.get_by_label("metric").select_option(label="headroom ×")
    assert "headroom ×" in (marks.first.get_attribute("aria-label") or "")


def test_a_mark_tells_its_figures_to_pointer_and_keyboard(visitor: Visitor) -> None:
    chart = visitor.visit(RUN).locator("[data-chart=change-data-chart]")
    mark, tip = chart.locator("g[aria-label^='kafka ']"), chart.locator(".tip")
    assert tip.is_hidden()
    mark.hover()
    assert "95 % interval" in (tip.text_content() or "")
    chart.get_by_label("metric").focus()
    chart.get_by_label("metric").press("Tab")
    assert (tip.text_content() or "").startswith("rabbitmq-classic (java)")
    assert tip.is_visible()


def test_arrow_keys_go_from_mark_to_mark(visitor: Visitor) -> None:
    page = visitor.visit(RUN)
    chart = page.locator("[data-chart=change-data-chart]")
    marks, tip = chart.locator("g[tabindex]"), chart.locator(".tip")
    assert chart.locator("g[tabindex='0']").count() == 1
    marks.first.focus()
    for key, place in (
        ("ArrowDown", 1),
        ("ArrowRight", 2),
        ("ArrowUp", 1),
        ("End", 8),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        told = marks.nth(place).get_attribute("aria-label")
        assert told == page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert tip.text_content() == told
    page.keyboard.press("Tab")
    assert chart.locator("g:focus").count() == 0  # one stop, whatever the number of marks


def test_the_history_of_a_cell_is_reached_from_its_row(visitor: Visitor) -> None:
    page = visitor.visit(RUN)
    page.locator("#change-data-cells tr", has_text="kafka").get_by_role(
        "link", name="2 runs"
    ).click()
    target = page.locator("tr:target")
    assert "kafka" in (target.text_content() or "")
    assert "20260101-a" in (target.text_content() or "")
    page.get_by_label("cell", exact=True).select_option(label="kafka (java), local")
    assert page.locator(".chart g[tabindex]").count() == 2


def test_hostile_words_do_nothing_in_a_browser(visitor: Visitor) -> None:
    for name in (SPIKE, RUN, HISTORY, DECISION):
        page = visitor.visit(name)
        page.on("dialog", lambda dialog: visitor.complaints.append(dialog.message))
        assert page.locator("img[src=x], b[onclick], script:not([src]):not([type])").count() == 0
    chart = visitor.visit(RUN).locator("[data-chart=change-data-chart]")
    assert HOSTILE[:30] in (chart.text_content() or "")


def test_the_keyboard_skips_to_the_content(visitor: Visitor) -> None:
    page = visitor.visit(SPIKE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_an_accessibility_checker_finds_nothing_serious(
    visitor: Visitor, page: str, scheme: Scheme
) -> None:
    found = _violations(visitor.visit(page, scheme))
    told = {
        one["id"]: [n["html"] for n in one["nodes"]] for one in found if one["impact"] in SERIOUS
    }
    assert told == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_our_own_results_load_without_a_complaint_and_are_accessible(
    browser: Browser, committed: Path, scheme: Scheme
) -> None:
    visitor = Visitor(browser, committed.as_uri() + "/")
    for path in sorted(committed.rglob("*.html")):
        large = path.stat().st_size > LARGE
        if large and scheme == "dark":
            continue
        page = visitor.visit(path.relative_to(committed).as_posix(), scheme)
        violations = _violations(page, colours=not large)
        found = {one["id"] for one in violations if one["impact"] in SERIOUS}
        assert found == set(), path
        page.close()
    assert visitor.complaints == []


@pytest.mark.parametrize(("day", "past"), [("2026-12-01", False), ("2099-01-01", True)])
def test_a_review_that_is_past_by_the_readers_clock_is_said_to_be(
    browser: Browser, committed: Path, day: str, past: bool
) -> None:
    page = browser.new_page()
    page.clock.set_fixed_time(day)
    for name in ("index.html", "decisions/0001-message-broker.html"):
        page.goto(f"{committed.as_uri()}/{name}")
        said = page.locator("[data-review]").first.inner_text()
        assert said.endswith(" (past)") is past
    page.close()


def test_without_scripts_every_figure_can_be_read(browser: Browser, site: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{site.as_uri()}/{RUN}")
    assert page.locator("#change-data-cells tbody tr").count() == 10
    assert page.locator(".tools *").count() == 0
    assert page.locator(".chart noscript").first.is_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plots_have_the_papers_colour_of_their_page(visitor: Visitor, scheme: Scheme) -> None:
    page = visitor.visit(SPIKE, scheme)
    image = page.locator(".plot img").first
    image.scroll_into_view_if_needed()
    image.evaluate("image => image.decode()")
    red, *_ = imread(BytesIO(image.screenshot()), format="png")[8, 8]
    assert (red > 0.8) == (scheme == "light")


def test_the_checker_would_find_something(visitor: Visitor) -> None:
    page = visitor.visit("index.html")
    page.evaluate("document.querySelector('main').innerHTML += '<img src=\"data:,\"><input>'")
    found = {one["id"] for one in _violations(page)}
    assert {"image-alt", "label"} <= found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_reader(visitor: Visitor, scheme: Scheme) -> None:
    body = visitor.visit(SPIKE, scheme).locator("body")
    red = int(
        body.evaluate("body => getComputedStyle(body).backgroundColor").split("(")[1].split(",")[0]
    )
    assert (red > 200) == (scheme == "light")


def test_a_narrow_window_does_not_scroll_sideways(visitor: Visitor) -> None:
    for name in PAGES:
        page = visitor.visit(name, width=360)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_paper_has_tables_and_plots_but_no_controls(visitor: Visitor) -> None:
    page = visitor.visit(SPIKE)
    page.emulate_media(media="print")
    assert page.locator("#change-data-cells").is_visible()
    assert page.locator(".plot img").first.is_visible()
    for control in ("input", "select", "header nav"):
        assert page.locator(control).first.is_hidden()


def test_paper_is_as_wide_as_the_widest_table_and_headers_come_again(
    browser: Browser, committed: Path
) -> None:
    width = 1032  # A4 on its side within its margins of 12 mm, at 96 to the inch
    page = browser.new_page(viewport={"width": width, "height": 700})
    page.emulate_media(media="print")
    for path in sorted(committed.glob("spikes/*/*.html")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        # Chromium leaves out of a header's repetition what is a box of its own
        shown = "button => getComputedStyle(button).display"
        assert page.locator("th button").first.evaluate(shown) == "contents"
    page.close()


def _violations(page: Page, colours: bool = True) -> list[dict[str, Any]]:
    """What axe finds; without its reading style sheets again, which the page's policy forbids.

    What it found right is not described, which would take most of its time.
    """
    options = {
        "preload": False,
        "resultTypes": ["violations"],
        "selectors": False,
        "rules": {"color-contrast": {"enabled": colours}},
    }
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return found


def _column(table: Locator, column: int) -> list[str]:
    cells = table.locator(f"tbody tr > :nth-child({column + 1})")
    found: list[str] = cells.evaluate_all("cells => cells.map(cell => cell.dataset.value)")
    return found
