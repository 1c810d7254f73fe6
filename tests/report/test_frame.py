"""The room around panels: as much as what stands there takes, measured without drawing it."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from spikebench.report.figure import WIDTH_INCHES
from spikebench.report.frame import NARROWEST_INCHES, Frame, legend_inches, names_inches

NAMES = ("kafka (java)", "rabbitmq-quorum-3 (java), rate_per_s=1000", "ΩÄ\x1b日")


@pytest.mark.filterwarnings("ignore:Glyph .* missing")
@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_the_room_it_takes(name: str) -> None:
    frame = Frame(height=2.0, left=names_inches([name, "x"], 8.5))
    figure = frame.figure("title")
    (axes,) = figure.axes
    axes.set_yticks([0.5], [name])
    axes.tick_params(labelsize=8.5)
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    (label,) = axes.get_yticklabels()
    assert 0 <= label.get_window_extent().x0 / figure.dpi < 0.25


def test_panels_stand_where_the_frame_says() -> None:
    frame = Frame(height=4.0, left=2.0, right=1.0, bottom=0.5, top=1.0, between=0.25)
    one, other = (axes.get_position() for axes in frame.figure("x", ratios=(1, 2)).axes)
    width = WIDTH_INCHES
    assert (one.x0 * width, other.x1 * width) == pytest.approx((2.0, width - 1.0))
    assert (one.y0 * 4, one.y1 * 4) == pytest.approx((0.5, 3.0))
    assert (other.x0 - one.x1) * width == pytest.approx(0.25)
    assert other.width / one.width == pytest.approx(2)


def test_a_figure_grows_where_names_leave_no_room() -> None:
    frame = Frame(height=2.0, left=9.0)
    figure = frame.figure("x")
    assert figure.get_figwidth() == pytest.approx(9.0 + NARROWEST_INCHES + frame.right)


@pytest.mark.parametrize("entries", [1, 4, 5, 18, 40])
def test_a_legend_has_the_room_it_takes(entries: int) -> None:
    figure = Frame(height=6.0, left=1.0, bottom=legend_inches(entries, 4)).figure("x")
    (axes,) = figure.axes
    lines = [axes.plot([1, 2], label=f"candidate {n}")[0] for n in range(entries)]
    legend = figure.legend(
        handles=lines, title="caption", title_fontsize=8, fontsize=8, ncols=4, loc="lower center"
    )
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    top = legend.get_window_extent().y1 / figure.dpi
    assert top - 0.1 < legend_inches(entries, 4) < top + 0.25
