"""Plots over time: the fault is marked where it was, and what is drawn is what was recorded."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from spikebench.record import Metric, Record, RecordFile, read_records
from spikebench.report import text, write
from spikebench.report.faults import Fault, faults
from spikebench.report.timeline import Plot, of_faults, plots, timeline_figure
from spikebench.report.trace import traced
from spikebench.scenario.messages import Fault as Planned
from tests.report.broken import broken, of_old
from tests.report.synthetic import candidates, scenario

SCENARIOS = {
    "faults-durable": scenario("faults-durable", experiment="fault", fault=Planned(at_s=1))
}


def found(*records: Record) -> dict[str, list[Fault]]:
    return faults(records, SCENARIOS, candidates())


def only(*records: Record) -> Plot:
    (plot,) = plots(found(*records))["faults-durable"]
    return plot


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.axison]


def band(axes: Axes, name: str) -> tuple[float, float]:
    (patch,) = [patch for patch in axes.patches if patch.get_gid() == name]
    x = patch.get_extents().transformed(axes.transData.inverted())
    return x.x0, x.x1


def steps(axes: Axes) -> dict[str, list[float]]:
    """Heights of each stepped line, by its colour."""
    return {
        str(patch.get_edgecolor()): [float(value) for value in patch.get_data()[0]]
        for patch in axes.patches
        if isinstance(patch, StepPatch)
    }


def test_the_fault_is_shaded_from_its_beginning_to_its_end_and_recovery_marked() -> None:
    figure = timeline_figure(only(broken(away_s=3.0)))
    rate, wait = panels(figure)
    for axes, place in ((rate, "rate"), (wait, "wait")):
        assert band(axes, f"fault-kill-broker-kafka-java-{place}") == pytest.approx((2.0, 3.0))
        (line,) = [
            line
            for line in axes.get_lines()
            if line.get_gid() == f"fault-kill-broker-kafka-java-{place}-recovered"
        ]
        assert list(map(float, np.asarray(line.get_xdata()))) == pytest.approx([5.0, 5.0], abs=0.01)
    assert rate.get_title("left") == "fault 1.0 s"
    assert rate.get_title("right") == "recovered after 3 s"


def test_lines_are_the_recorded_bins() -> None:
    trial = broken()
    rate, wait = panels(timeline_figure(only(trial)))
    drawn = list(steps(rate).values())
    names = ("sent_per_s", "confirmed_per_s", "delivered_per_s")
    assert drawn == [trial.series[name] for name in names]
    (waits,) = steps(wait).values()
    assert waits == trial.series["end_to_end_max_ms"]
    assert max(waits) == pytest.approx(3000, abs=1)


def test_what_never_came_is_marked_where_it_was_due_and_breaks_the_line() -> None:
    _, wait = panels(timeline_figure(only(broken(lost=range(1050, 1100)))))
    (waits,) = steps(wait).values()
    assert [n for n, value in enumerate(waits) if np.isnan(value)] == [21]
    (marks,) = [line for line in wait.get_lines() if line.get_marker() == "x"]
    assert list(map(float, np.asarray(marks.get_xdata()))) == pytest.approx([2.15])


def test_the_svg_has_the_fault_by_its_name() -> None:
    kinds = ("kill-broker", "pause-broker")
    trials = [broken(name, kind) for name in ("kafka", "rabbitmq-quorum") for kind in kinds]
    (drawing,) = of_faults(plots(found(*trials)))
    assert drawing.name == "plot-faults-durable-timeline.svg"
    svg = drawing.svg().decode()
    ids = re.findall(r'id="(fault-[^"]+)"', svg)
    assert len(ids) == len(set(ids)) == 4 * 4
    for name in ("kafka", "rabbitmq-quorum"):
        for kind in kinds:
            assert f"fault-{kind}-{name}-java-rate" in ids
            assert f"fault-{kind}-{name}-java-wait-recovered" in ids


def test_of_several_trials_the_longest_to_recover_is_drawn_and_said_to_be() -> None:
    trials = [broken(block=n, away_s=away_s) for n, away_s in enumerate((1.5, 4.0, 2.0))]
    ((fault,),) = found(*trials).values()
    trace = traced(fault)
    assert trace is not None
    assert trace.trial == trials[1]
    rate, _ = panels(timeline_figure(only(*trials)))
    assert rate.get_title("right") == "recovered after 4 s, n 3"


def test_a_trial_that_had_not_recovered_took_longest() -> None:
    never = {"recovery_s": Metric(value=None, unit="s", note="it had not recovered")}
    trials = [broken(), broken(block=1, metrics=never)]
    rate, _ = panels(timeline_figure(only(*trials)))
    assert rate.get_title("right") == "not recovered, n 2"
    assert not [line for line in rate.get_lines() if line.get_gid()]


def test_a_fault_that_nobody_felt_says_so() -> None:
    rate, _ = panels(timeline_figure(only(broken(away_s=0.2))))
    assert rate.get_title("right") == "nothing late"


def test_emulators_stand_in_a_figure_of_their_own() -> None:
    software, emulated = plots(found(broken(), broken("sqs-fifo")))["faults-durable"]
    assert [trace.fault.cell.candidate for trace in software.traces] == ["kafka"]
    assert [trace.fault.cell.candidate for trace in emulated.traces] == ["sqs-fifo"]
    assert emulated.stem == "plot-faults-durable-timeline-emulator"
    assert "say nothing of AWS" in emulated.title


def test_a_cell_without_a_series_says_so_beside_those_that_have_one() -> None:
    trials = [
        broken("kafka"),
        broken("rabbitmq-quorum", "pause-broker"),
        of_old(broken("kafka", "pause-broker")),
    ]
    figure = timeline_figure(only(*trials))
    assert len(panels(figure)) == 4
    said = [text.get_text() for axes in figure.axes for text in axes.texts if not axes.axison]
    assert said.count("no series") == 2


def test_a_series_that_is_not_whole_is_not_drawn() -> None:
    series = broken().series
    odd = [{**series, "t": series["t"][:-1]}, {"t": [], "sent_per_s": [], "delivered_per_s": []}]
    assert [plots(found(broken(series=one)))["faults-durable"] for one in odd] == [(), ()]


def test_a_run_of_faults_writes_its_plots_and_leads_to_them(tmp_path: Path) -> None:
    trials = [broken(), broken("sqs-fifo"), broken("kafka", "pause-broker")]
    written = write("messaging", trials, SCENARIOS, tmp_path, candidates())
    stems = ("plot-faults-durable-timeline", "plot-faults-durable-timeline-emulator")
    pictures = [f"{stem}.svg" for stem in stems]
    assert [path.name for path in written] == ["faults.md", "faults.csv", *pictures]
    links = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (tmp_path / "faults.md").read_text())
    assert links == [f"{stem}.svg" for stem in stems]
    assert all((tmp_path / link).is_file() for link in links)
    assert "plot-" not in text(trials, SCENARIOS, "md", candidates())


def test_an_old_record_is_read_and_has_no_plot_and_no_link(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "old.jsonl"
    with RecordFile(path) as file:
        file.append(of_old(broken()))
    line = json.loads(path.read_text())
    del line["events"]
    path.write_text(json.dumps(line) + "\n")
    records = read_records(path)
    assert records == [of_old(broken())]
    written = write("messaging", records, SCENARIOS, tmp_path, candidates())
    assert [path.name for path in written] == ["faults.md", "faults.csv"]
    assert "plot-" not in (tmp_path / "faults.md").read_text()


@pytest.mark.parametrize("wide", [1, 4])
def test_no_label_touches_another(wide: int) -> None:
    names = ("rabbitmq-classic", "rabbitmq-quorum", "rabbitmq-stream", "kafka")[:wide]
    kinds = ("kill-broker-holding", "cut-connection")
    trials = [broken(n, k, b, away_s=4.5) for n in names for k in kinds for b in range(2)]
    figure = timeline_figure(only(*trials))
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    texts = [*figure.texts, *(t for one in figure.legends for t in one.get_texts())]
    texts += [one.get_title() for one in figure.legends]
    for axes in figure.axes:
        texts += [*axes.texts, axes.yaxis.label, *axes.get_yticklabels(), *_times_within(axes)]
        texts += [axes.title, axes._left_title, axes._right_title]  # type: ignore[attr-defined]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts if _shown(t)]
    assert len(boxes) > 12
    assert [(a, b) for (a, x), (b, y) in combinations(boxes, 2) if x.overlaps(y)] == []


def _shown(label: Text) -> bool:
    return bool(label.get_text()) and label.get_visible()


def _times_within(axes: Axes) -> list[Text]:
    low, high = axes.get_xlim()
    labels = zip(axes.get_xticks(), axes.get_xticklabels(), strict=False)  # the upper has none
    return [label for at, label in labels if low <= at <= high]


def test_columns_keep_the_order_of_candidates_whatever_has_a_series() -> None:
    trials = [
        *(broken(name, "pause-broker") for name in ("rabbitmq-classic", "kafka")),
        of_old(broken("rabbitmq-classic")),
        broken("kafka"),
        of_old(broken("rabbitmq-quorum")),
    ]
    assert only(*trials).columns == ("rabbitmq-classic (java, local)", "kafka (java, local)")
