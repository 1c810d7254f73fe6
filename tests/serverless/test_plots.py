"""Plots of cold starts: bars add up, nothing lies on anything, what was not measured says so."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import get_args

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from spikebench.record import Record
from spikebench.report.table import Section, tabulate
from spikes.serverless.plots import drawings
from spikes.serverless.plots.panels import STROKES, by_invoke, by_memory, invokes_of, memory_of
from spikes.serverless.plots.phases import PHASES, phases_of
from spikes.serverless.plots.rows import main_state
from spikes.serverless.scenario import Lever
from tests.serverless.cold_starts import (
    LAYOUT,
    SOURCE,
    STARTS,
    candidates,
    published,
    record,
    run,
    scenario,
)

SIZES = (256, 512, 1024, 1769, 3008)


def section(records: list[Record], **changes: object) -> Section:
    table = tabulate(records, {"hello": scenario(**changes)}, candidates(), LAYOUT)
    return table.sections[0]


def phases(records: list[Record], **changes: object) -> Figure:
    found = section(records, **changes)
    return phases_of(found, main_state(found))


def bars(figure: Figure) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_a_bar_has_its_phases_end_to_end_and_its_sum_in_figures() -> None:
    drawn = phases([record(block=n) for n in range(2)])
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars(drawn)]
    expected = STARTS["java-21", "baseline"]
    assert ends == [
        pytest.approx((sum(expected[:n]), sum(expected[: n + 1]))) for n in range(len(expected))
    ]
    assert [text.get_text() for text in drawn.axes[0].texts] == ["170"]
    assert len({bar.get_hatch() for bar in bars(drawn)}) == len(PHASES)


def test_a_short_start_has_its_phases_beside_the_turn_around() -> None:
    values = {"runtime_up": 1.0, "init": 1.0, "first_invoke": 0.5, "cold_start": 3.0}
    assert len(bars(phases([record(values=values)]))) == 1
    assert len(bars(phases([record(values={**values, "turn_around": 0.5})]))) == len(PHASES)


def test_phases_that_do_not_add_up_are_not_drawn_as_parts() -> None:
    drawn = phases([record(values={"init": 50.0, "cold_start": 170.0})])
    assert [bar.get_width() for bar in bars(drawn)] == [170.0]
    (legend,) = drawn.legends
    assert "cold start, phases not known" in [text.get_text() for text in legend.get_texts()]


def test_bars_stand_in_the_tables_order_with_runtimes_apart() -> None:
    drawn = phases(list(run()))
    assert labels(drawn) == [f"{name} {lever}" for name, lever in STARTS]
    places = list(drawn.axes[0].get_yticks())
    gaps = [round(b - a, 2) for a, b in pairwise(places)]
    assert gaps == [1, 1, 1.6, 1, 1, 1, 1.6, 1]


def test_only_the_scenarios_own_size_has_bars() -> None:
    drawn = phases(list(run(sizes=SIZES)), memory_mb=1024)
    assert len(labels(drawn)) == len(STARTS)
    assert "1,024 MB, page cache warm" in drawn.get_suptitle()
    longest = max(bar.get_x() + bar.get_width() for bar in bars(drawn))
    assert longest == pytest.approx(190 * 1769 / 1024, rel=0.05)


def test_a_size_that_a_run_lacks_gives_way_to_the_nearest() -> None:
    found = section(list(run(1, sizes=(256, 1024))))
    assert main_state(found).memory_mb == 1024


def test_a_run_without_its_scenarios_file_is_drawn_all_the_same() -> None:
    table = tabulate(run(2, sizes=SIZES), {}, candidates(), LAYOUT)
    assert [each.name for each in drawings(table)] == ["plot-hello.svg", "plot-hello-memory.svg"]


def test_what_others_published_stands_below_with_its_source_and_size() -> None:
    read = [published(memory_mb=size) for size in (256, 1024)]
    drawn = phases([*run(), *read])
    assert labels(drawn)[-1] == "java-21 baseline, 1,024 MB"
    texts = [text.get_text() for text in drawn.axes[0].texts]
    (source,) = (text for text in texts if text.startswith("published: "))
    assert " ".join(source.split()) == f"published: {SOURCE}"


def test_what_failed_says_so_and_what_could_not_be_had_has_no_bar() -> None:
    failed = record("java-21", "native", values={}, status="failed", reason="it ended")
    away = record("java-21", "snapstart", values={}, status="unavailable", reason="no account")
    drawn = phases([*run(), failed, away])
    names = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert any("native" in name for name in names)
    assert not any("snapstart" in name for name in names)
    assert "not measured: it ended" in [text.get_text() for text in drawn.axes[0].texts]


def test_every_lever_has_a_stroke_that_is_told_apart_without_colour() -> None:
    assert set(STROKES) == set(get_args(Lever))
    assert len({stroke.marker for stroke in STROKES.values()}) == len(STROKES)


@pytest.mark.parametrize(("limit_ms", "drawn"), [(150.0, True), (3000.0, False)])
def test_what_is_required_is_in_the_key_and_on_the_scale_where_it_fits(
    limit_ms: float, drawn: bool
) -> None:
    figure = phases(list(run()), requires={"cold_start_ms": limit_ms})
    (legend,) = figure.legends
    (said,) = (t.get_text() for t in legend.get_texts() if "required" in t.get_text())
    assert ("beyond this scale" in said) != drawn
    lines = figure.axes[0].lines
    upright = [n for n in lines if np.asarray(n.get_xdata()).tolist() == [limit_ms] * 2]
    assert bool(upright) == drawn


def test_each_page_cache_has_a_plot_of_its_own() -> None:
    table = tabulate(
        run(2, page_caches=("warm", "dropped")), {"hello": scenario()}, candidates(), LAYOUT
    )
    names = {each.name for each in drawings(table)}
    assert {"plot-hello.svg", "plot-hello-dropped.svg"} <= names


def test_memory_has_a_panel_a_runtime_and_a_line_a_lever() -> None:
    found = section([*run(sizes=SIZES), published()])
    state = main_state(found)
    panels = by_memory(found, state)
    assert {name: [k for k in curves if ":" not in k] for name, curves in panels.items()} == {
        name: [lever for owner, lever in STARTS if owner == name]
        for name in ("java-17", "java-21", "python", "rust")
    }
    assert panels["java-21"]["c1"].x == list(SIZES)
    assert [curve.x for key, curve in panels["java-21"].items() if ":" in key] == [[1024.0]]
    figure = memory_of(found, state, panels)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == list(panels)
    assert {(axes.get_xscale(), axes.get_yscale()) for axes in shown} == {("log", "log")}


def test_one_size_has_no_plot_over_memory() -> None:
    found = section(list(run()))
    assert not by_memory(found, main_state(found))


def test_invokes_are_medians_as_far_as_all_trials_go() -> None:
    trials = [
        record(block=n, series={"invoke_ms": values})
        for n, values in enumerate(([30.0, 3.0, 1.0], [32.0, 4.0, 2.0, 1.0], [40.0, 5.0, 1.5]))
    ]
    found = section(trials)
    curve = by_invoke(found, main_state(found))["java-21"]["baseline"]
    assert (curve.x, curve.y) == ([1.0, 2.0, 3.0], [32.0, 4.0, 1.5])


def whole(records: list[Record]) -> list[Figure]:
    found = section(records)
    state = main_state(found)
    series = [
        r.model_copy(update={"series": {"invoke_ms": [30.0 / (n + 1) for n in range(40)]}})
        for r in records
    ]
    warm = section(series)
    return [
        phases_of(found, state),
        memory_of(found, state, by_memory(found, state)),
        invokes_of(warm, state, by_invoke(warm, state)),
    ]


@pytest.mark.parametrize("scale", [0.2, 1.0, 120.0])
def test_no_label_lies_on_another_and_none_is_cut(scale: float) -> None:
    for figure in whole([*run(sizes=SIZES, scale=scale), published(ms=420 * scale)]):
        figure.draw_without_rendering()
        boxes = [(t.get_text(), t.get_window_extent()) for t in _texts(figure)]
        assert len(boxes) > 8
        for (a, one), (b, other) in combinations(boxes, 2):
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert not (width > 0.5 and height > 0.5), (a, b)
        for text, box in boxes:
            assert box.x0 >= 0, text
            assert box.y0 >= 0, text
            assert box.x1 <= figure.bbox.x1, text
            assert box.y1 <= figure.bbox.y1, text


def _texts(figure: Figure) -> list[Text]:
    found: list[Text] = [t for legend in figure.legends for t in legend.get_texts()]
    found += [legend.get_title() for legend in figure.legends]
    found += figure.texts
    for axes in (axes for axes in figure.axes if axes.get_visible()):
        found += axes.texts
        found += [axes.xaxis.label, axes.yaxis.label, axes.title]
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            low, high = sorted((low, high))
            found += [
                tick.label1
                for tick in axis.get_major_ticks()
                if low <= tick.get_loc() <= high and tick.label1.get_visible()
            ]
    return [text for text in found if text.get_text() and text.get_visible()]


def test_the_same_records_give_the_same_svg() -> None:
    table = tabulate(run(2, sizes=SIZES), {"hello": scenario()}, candidates(), LAYOUT)
    first = [each.svg() for each in drawings(table)]
    assert [each.svg() for each in drawings(table)] == first


def test_a_scenario_without_a_measured_cell_has_no_plot() -> None:
    away = record(values={}, status="unavailable", reason="no runtime")
    table = tabulate([away, published()], {"hello": scenario()}, candidates(), LAYOUT)
    assert drawings(table) == []
