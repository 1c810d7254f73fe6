"""Plots of ratios, percentiles, rates and costs: what is drawn, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from spikebench.record import Record
from spikebench.report.curve import COLOURS, DASHES, MARKS, cost_figure, of_costs, style
from spikebench.report.percentiles import (
    _panels,
    names_of,
    of_percentiles,
    of_rates,
    percentile_figure,
    rate_figure,
)
from spikebench.report.ratios import compared, of_ratios, ratio_figure
from spikebench.report.table import Section, Table, tabulate
from tests.report.synthetic import candidates, record, run, scenario

SCENARIOS = {"change-data": scenario()}


def table(records: list[Record]) -> Table:
    return tabulate(records, SCENARIOS, candidates())


def swept(candidate: str = "kafka", rates: tuple[int, ...] = (100, 1000)) -> list[Record]:
    """Six trials a rate, whose p50 is a tenth of the rate in ms, and p99 ten times as much."""
    return [
        record(
            candidate,
            block,
            {
                "throughput": float(rate),
                "end_to_end_p50": rate / 10 * (1 + block / 100),
                "end_to_end_p95": None,
                "end_to_end_p99": rate * (1 + block / 100),
            },
            params={"rate_per_s": rate},
        )
        for rate in rates
        for block in range(6)
    ]


def only(found: Table) -> Section:
    (section,) = found.sections
    return section


def rates(found: Table) -> Figure:
    return rate_figure(only(found), names_of(found))


def lines(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    """Data of each errorbar's line, by its colour."""
    return {
        str(line.get_color()): (
            [float(x) for x in np.asarray(line.get_xdata())],
            [float(y) for y in np.asarray(line.get_ydata())],
        )
        for line in axes.get_lines()
        if line.get_marker() not in ("|", "_", "None", "", None)
    }


def marks(axes: Axes) -> list[tuple[float, float, object]]:
    """Each ratio's mark: where it is, in which row, and its face; those of one face are a line."""
    return [
        (float(ratio), float(place), line.get_markerfacecolor())
        for line in axes.get_lines()
        if line.get_marker() == "s"
        for ratio, place in zip(
            np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), strict=True
        )
    ]


def test_each_comparison_is_a_row_with_its_ratio_and_interval() -> None:
    section = only(table(list(run())))
    found = compared(section)
    axes = ratio_figure(section).axes[0]
    drawn = {place: ratio for ratio, place, _ in marks(axes)}
    with_ratio = {
        place: one.comparison.ratio
        for place, one in enumerate(found)
        if one.comparison.ratio is not None
    }
    assert drawn == with_ratio
    assert len(drawn) > 2
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "rabbitmq-classic (java) ÷ rabbitmq-quorum"
    assert len(names) == len(found)


def test_a_comparison_without_a_ratio_says_why() -> None:
    section = only(table(list(run())))
    said = [text.get_text() for text in ratio_figure(section).axes[0].texts]
    assert any("no verdict across fidelities" in text for text in said)


def test_only_what_has_a_verdict_is_filled() -> None:
    same = [*run(spread=0.6)]  # so noisy that little is shown
    section = only(table(same))
    axes = ratio_figure(section).axes[0]
    hollow = {place: face == "white" for _, place, face in marks(axes)}
    verdicts = {
        place: one.comparison.verdict
        for place, one in enumerate(compared(section))
        if one.comparison.ratio is not None
    }
    assert "unresolved" in verdicts.values()
    assert hollow == {place: verdict == "unresolved" for place, verdict in verdicts.items()}


def test_a_percentile_with_too_few_samples_is_left_out() -> None:
    found = table(swept())
    panels = _panels(only(found), found.layout)
    assert [panel.title for panel in panels] == ["rate_per_s=100", "rate_per_s=1000"]
    figure = percentile_figure("x", panels, names_of(found))
    ((xs, ys),) = lines(figure.axes[0]).values()
    assert xs == [2.0, 100.0]  # p50 and p99: one in 2 and one in 100 is slower; no p95
    assert ys == pytest.approx([10.25, 102.5], rel=0.01)


def test_latency_is_drawn_against_the_rate_that_was_kept() -> None:
    figure = rates(table(swept()))
    ((xs, ys),) = lines(figure.axes[0]).values()
    assert xs == [100, 1000]
    assert ys == pytest.approx([10.25, 102.5], rel=0.01)


def test_a_rate_that_was_not_swept_has_no_plot() -> None:
    assert of_rates(table(swept(rates=(100,)))) == []
    assert of_rates(table(list(run()))) == []


def test_nothing_known_is_nothing_drawn() -> None:
    gone = record("kafka", 0, {}, status="unavailable", reason="no docker", ledger=None)
    assert of_percentiles(table([gone])) == []
    assert of_ratios(table([gone])) == []


def test_bars_reach_as_far_as_the_interval() -> None:
    found = table(swept(rates=(100, 1000)))
    section = only(found)
    axes = rates(found).axes[0]
    (bars,) = (c for c in axes.collections if hasattr(c, "get_segments"))
    ends = [segment[:, 1] for segment in bars.get_segments()]
    interval = section.rows[0].intervals["end_to_end_p50"]
    assert sorted(ends[0]) == pytest.approx([interval.low, interval.high])


def test_costs_are_drawn_by_load_and_what_is_not_priced_is_named() -> None:
    offers = {"calls": lambda x: 2 * x, "nodes": lambda _: 300.0, "odd": lambda _: None}
    figure = cost_figure("change-data", offers, 200)
    assert [line.get_label() for line in figure.axes[0].get_lines()][:2] == ["calls", "nodes"]
    assert "not priced: odd" in figure.get_supxlabel()
    found = of_costs({"change-data": offers, "alone": {"calls": offers["calls"]}}, 200)
    assert [drawing.name for drawing in found] == ["plot-change-data-cost.svg"]


def test_offers_that_cost_the_same_share_a_line() -> None:
    offers = {"a": lambda _: 1.0, "b": lambda _: 1.0, "c": lambda _: 2.0}
    figure = cost_figure("x", offers, 200)
    assert [line.get_label() for line in figure.axes[0].get_lines()][:2] == ["a, b", "c"]


def test_lines_are_told_apart_without_colour() -> None:
    styles = [style(place) for place in range(64)]
    assert len({(str(s["linestyle"]), s["marker"]) for s in styles}) == 64
    assert len(COLOURS) == len(DASHES) == len(MARKS) == 8


def test_a_line_has_the_same_style_in_every_plot_of_a_table() -> None:
    found = table([*swept("rabbitmq-quorum", rates=(100,)), *swept("kafka")])
    by_percentile = percentile_figure("x", _panels(only(found), found.layout), names_of(found))
    drawn = [_keys(by_percentile), _keys(rates(found))]
    assert list(drawn[0]) == ["rabbitmq-quorum (java)", "kafka (java)"]
    assert list(drawn[1]) == ["kafka (java)"]  # the other's rate was not swept
    assert drawn[0]["kafka (java)"] == drawn[1]["kafka (java)"]


def _keys(figure: Figure) -> dict[str, tuple[object, ...]]:
    """Each line of the legend with its colour, mark and dash."""
    (legend,) = figure.legends
    return {
        text.get_text(): (line.get_color(), line.get_marker(), line.get_linestyle())
        for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }


def test_intervals_of_one_percentile_stand_beside_one_another() -> None:
    found = table(list(run()))
    panels = _panels(only(found), found.layout)
    axes = percentile_figure("x", panels, names_of(found)).axes[0]
    first = sorted(xs[0] for xs, _ in lines(axes).values())
    assert len(set(first)) == len(first) == len(panels[0].rows) > 4
    assert first[-1] / first[0] < 3  # and stay nearer to their own percentile than to the next


def test_each_ratio_has_its_verdict_in_words_beside_it() -> None:
    section = only(table(list(run())))
    said = [text.get_text() for text in ratio_figure(section).axes[0].texts]
    kafka = next(one for one in compared(section) if one.names[0] == "kafka")
    assert f"{kafka.comparison.ratio:.2f} better" in said


def figures() -> Iterator[Figure]:
    found = table(list(run()))
    yield ratio_figure(only(found))
    yield percentile_figure("change-data", _panels(only(found), found.layout), names_of(found))
    yield rates(table([*swept(), *swept("rabbitmq-quorum")]))
    yield cost_figure("x", {"calls": lambda x: 2 * x, "nodes": lambda _: 300.0}, 200)


@pytest.mark.parametrize("place", range(4))
def test_no_label_of_an_axis_touches_another(place: int) -> None:
    figure = list(figures())[place]
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            boxes = [
                label.get_window_extent() for label in axis.get_ticklabels() if _shown(label, axes)
            ]
            assert not [1 for a, b in combinations(boxes, 2) if a.overlaps(b)]


def _shown(label: Text, axes: Axes) -> bool:
    return bool(label.get_text()) and label.get_visible() and axes.get_visible()
