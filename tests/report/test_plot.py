"""Plots: what is drawn, how an emulator is told apart, and that no labels lie on one another."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from spikebench.record import Record
from spikebench.report.curve import COLOURS
from spikebench.report.dark import USED, turned
from spikebench.report.figure import GREY, INK
from spikebench.report.plot import drawings, figure_of
from spikebench.report.table import tabulate
from spikebench.stats import interval
from tests.report.synthetic import SPEED, candidates, record, run, scenario

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
SCENARIOS = {"change-data": scenario()}


def figure(records: list[Record]) -> Figure:
    drawn = figure_of(tabulate(records, SCENARIOS, candidates()).sections[0])
    drawn.draw_without_rendering()
    return drawn


def marks(axes: Axes, hollow: bool) -> int:
    lines = [c.lines[0] for c in axes.containers if hasattr(c, "lines")]
    faces = [(line.get_markerfacecolor(), len(line.get_xdata())) for line in lines]
    return sum(points for face, points in faces if (face == "white") == hollow)


def test_every_measured_cell_has_its_marks_and_emulators_hollow_ones() -> None:
    drawn = figure([*run(), record("kafka", 0, {}, client="x", status="failed", reason="no")])
    rate, latency = drawn.axes
    emulated = sum(fidelity == "emulator" for _, fidelity in SPEED.values())
    assert (marks(rate, True), marks(latency, True)) == (emulated, 2 * emulated)
    software = len(SPEED) - emulated - 1  # the generator's own ceiling is not drawn
    assert (marks(rate, False), marks(latency, False)) == (software, 2 * software)
    assert [text.get_text() for text in rate.texts] == ["not measured"]
    assert [text.get_text() for text in latency.texts] == ["no"]
    assert latency.get_xscale() == "log"


def bars(axes: Axes) -> list[tuple[float, float]]:
    """Where each error bar begins and ends; those that are not drawn are left out."""
    drawn = [c.lines[2][0] for c in axes.containers if hasattr(c, "lines")]
    ends = [(s[0][0], s[1][0]) for collection in drawn for s in collection.get_segments() if len(s)]
    return [(low, high) for low, high in ends if np.isfinite([low, high]).all()]


def test_a_bar_is_the_interval_and_a_single_trial_has_none() -> None:
    values = (10.0, 20.0, 40.0)
    several = [record("kafka", n, {"throughput": v}) for n, v in enumerate(values)]
    one = record("rabbitmq-quorum", 0, {"throughput": 30.0})
    rate = figure([*several, one]).axes[0]
    found = interval(values)
    assert bars(rate) == [pytest.approx((found.low, found.high))]
    assert marks(rate, hollow=False) == 2


def test_the_legend_says_that_emulators_say_nothing_of_aws() -> None:
    (legend,) = figure(list(run())).legends
    assert any("say nothing of AWS" in text.get_text() for text in legend.get_texts())
    (plain,) = figure([r for r in run() if r.candidate == "kafka"]).legends
    assert not any("AWS" in text.get_text() for text in plain.get_texts())


@pytest.mark.parametrize(("highest", "scale"), [(900.0, "linear"), (30_000.0, "log")])
def test_rates_that_lie_far_apart_are_drawn_by_decades(highest: float, scale: str) -> None:
    trials = [record("kafka", n, {"capacity": highest}) for n in range(2)]
    trials += [record("rabbitmq-classic", n, {"capacity": 300.0}) for n in range(2)]
    rate, _ = figure_of(tabulate(trials, {}).sections[0]).axes
    assert rate.get_xscale() == scale


@pytest.mark.parametrize("params", [{}, {"rate_per_s": "30 %", "competing": 4}])
@pytest.mark.parametrize("rows", [1, 9, 40])
def test_no_label_lies_on_another(rows: int, params: dict[str, str | int]) -> None:
    few = [r for r in run(2, params=params) if not r.arm]
    trials = [
        r.model_copy(update={"client": f"client-{n}", "cell": f"{r.cell}-{n}"})
        for n in range(1 + rows // len(SPEED))
        for r in few
    ]
    drawn = figure([r for r in trials if r.candidate == "kafka"] if rows == 1 else trials)
    texts = [*drawn.texts, *(t for legend in drawn.legends for t in legend.get_texts())]
    texts += [legend.get_title() for legend in drawn.legends]
    for axes in drawn.axes:
        texts += [axes.xaxis.label, *_labels_within(axes)]
    texts += drawn.axes[0].get_yticklabels()
    boxes = [t.get_window_extent() for t in texts if t.get_text() and t.get_visible()]
    assert len(boxes) > 8
    overlapping = [(a, b) for a, b in combinations(boxes, 2) if _overlap(a, b)]
    assert not overlapping


def _labels_within(axes: Axes) -> list[Text]:
    low, high = axes.get_xlim()
    labels = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    return [label for place, label in labels if low <= place <= high]


def _overlap(a: object, b: object) -> bool:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)  # type: ignore[attr-defined]
    height = min(a.y1, b.y1) - max(a.y0, b.y0)  # type: ignore[attr-defined]
    return bool(width > 0.5 and height > 0.5)


@pytest.mark.parametrize("spread", [1.0, 1.001, 30.0])
def test_a_log_scale_always_has_a_label(spread: float) -> None:
    values = {"end_to_end_p50": 2.9, "end_to_end_p99": 2.9 * spread}
    latency = figure([record("kafka", 0, values)]).axes[1]
    assert [label.get_text() for label in _labels_within(latency)]


def svgs(records: Iterable[Record]) -> list[str]:
    return [each.svg().decode() for each in drawings(tabulate(records, SCENARIOS, candidates()))]


def test_the_same_records_give_the_same_svg() -> None:
    assert svgs(run()) == svgs(run())


def test_a_drawing_has_colours_for_the_dark_in_place_of_all_that_it_uses() -> None:
    for svg in svgs(run()):
        before, _, rest = svg.partition("@media (prefers-color-scheme: dark) {")
        rules, _, after = rest.partition("\n}\n")
        for kind, colour in set(USED.findall(before + after)):
            assert f'[style*="{kind}: {colour}"]' in rules
        assert "svg{fill:#" in rules
        ElementTree.fromstring(svg)


def test_a_drawings_words_are_words() -> None:
    """That can be searched for, and read out."""
    words = {text.text for text in ElementTree.fromstring(svgs(run())[0]).iter(f"{SVG}text")}
    assert {"kafka (java)", "throughput, msg/s"} <= words


@pytest.mark.parametrize("colour", [*COLOURS, INK, GREY])
def test_lines_and_words_stand_out_from_the_paper_by_day_and_by_night(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 4.5
    assert contrast(turned(colour), turned("#ffffff")) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2 between two colours."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_names_are_drawn_as_they_are_written() -> None:
    evil = "a_$\\bad{$ \x1b[31m<b>&amp;--></text>"
    trials = [
        *run(),
        *(r.model_copy(update={"candidate": evil, "cell": evil}) for r in run(client=evil)),
        record(evil, 0, {}, client="x", cell="x", status="failed", reason=evil),
    ]
    written = svgs(trials)
    assert len(written) == 3
    for svg in written:
        ElementTree.fromstring(svg)
        assert "mathdefault" not in svg
        assert "a_$\\bad{$" in svg


def test_our_own_drawings_have_both_colours_and_no_formula() -> None:
    drawn = list((ROOT / "results").glob("*/plot-*.svg"))
    assert drawn
    for path in drawn:
        text = path.read_text()
        assert "@media (prefers-color-scheme: dark)" in text, path
        assert "mathdefault" not in text, path


def test_a_scenario_without_a_measured_cell_has_no_plot() -> None:
    away = record("kafka", 0, {}, status="unavailable", reason="no engine", ledger=None)
    assert drawings(tabulate([away], SCENARIOS)) == []
