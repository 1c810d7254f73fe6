"""A layout of a spike that does not exist: two metrics, a parameter that is an answer, a plot."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from spikebench.candidate import Candidate
from spikebench.record.trials import Trials
from spikebench.report.column import Column
from spikebench.report.drawing import Drawing
from spikebench.report.layout import Layout, ScreenColumn
from spikebench.report.requirement import Judgement, at_most, judgement
from spikebench.report.screen import against, measured, named, required, trials
from spikebench.report.table import Row, Table
from spikebench.report.wording import Footnotes
from spikebench.scenario.model import Scenario


def _judge(scenario: Scenario, cell: Trials, candidate: Candidate | None) -> Judgement | None:  # noqa: ARG001 - a Judge
    return judgement([at_most("login", 20.0, "20 ms", cell)])


def _drawings(table: Table) -> list[Drawing]:
    return [Drawing("logins", partial(_figure, table))]


def _figure(table: Table) -> Figure:
    figure = Figure()
    figure.suptitle(", ".join(section.name for section in table.sections))
    return figure


def _name(row: Row, notes: Footnotes) -> str:  # noqa: ARG001 - a Fill
    return named(f"{row.cell.candidate} {dict(row.cell.params)['flow']}", row)


LAYOUT = Layout(
    columns=(Column("login", "login ms"), Column("refresh", "refresh ms", fixed=False)),
    screen=(
        ScreenColumn("server, flow", 30, _name, left=True),
        ScreenColumn("login\nms", 8, measured("login"), "login"),
        ScreenColumn("against\nbaseline", 11, against),
        ScreenColumn("n", 3, trials),
        ScreenColumn("required", 10, required, left=True),
    ),
    how_to_read="A login is one flow, whole.",
    left_out="refreshes: in table.md",
    headline="login",
    judge=_judge,
    drawings=_drawings,
    alternatives={"flow": ("password", "srp", "code")},
)
