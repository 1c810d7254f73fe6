"""The table: its rows, what is bold, its warnings, and each way of writing it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from spikebench import report
from spikebench.discovery import find_spike
from spikebench.errors import RecordError
from spikebench.record import Record, read_records
from spikebench.report.plotted import by_section
from spikebench.report.table import tabulate
from spikebench.scenario.messages import Promise, Requires
from spikebench.stats import interval
from tests.report.synthetic import (
    MACHINE,
    SPEED,
    candidates,
    ledger,
    metric,
    record,
    run,
    scenario,
)

ROOT = Path(__file__).parents[2]
SCENARIOS = {"change-data": scenario()}
TIDY = (
    "spike,scenario,candidate,client,target,fidelity,metric,unit,better,n,void,median,ci_low,"
    "ci_high,cv,run_id,environment"
)


def awkward_run() -> list[Record]:
    """A run with all that can go wrong with a cell."""
    trials = list(run())
    trials.append(
        record("kafka", 0, {}, client="kafka-python", status="unavailable", reason="no | engine")
    )
    return [
        trial.model_copy(update={"status": "void", "reason": "achieved 150 of 200 msg/s"})
        if trial.candidate == "kinesis" and trial.block > 1
        else trial
        for trial in trials
    ]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_cell_has_one_row_in_the_candidates_order() -> None:
    (section,) = tabulate(awkward_run(), SCENARIOS, candidates()).sections
    names = [(row.cell.candidate, row.cell.client) for row in section.rows]
    assert len(names) == len(set(names)) == 10
    by_fidelity = sorted(SPEED, key=lambda name: (SPEED[name][1] == "emulator", name == "null"))
    assert list(dict.fromkeys(name for name, _ in names)) == by_fidelity


def test_numbers_of_parameters_are_in_their_order() -> None:
    trials = [record("kafka", 0, params={"competing": n}) for n in (10, 2, 1)]
    (section,) = tabulate(trials, SCENARIOS).sections
    assert [row.params for row in section.rows] == ["competing=1", "competing=2", "competing=10"]


def test_bold_leads_only_with_a_verdict_and_never_an_emulator_or_the_ceiling() -> None:
    (section,) = tabulate(run(), SCENARIOS, candidates()).sections
    leading = {row.cell.candidate for row in section.rows if "end_to_end_p50" in row.best}
    assert leading == {"kafka"}
    assert all(not row.best for row in section.rows if row.cell.fidelity == "emulator")
    (short,) = tabulate(run(blocks=5), SCENARIOS, candidates()).sections
    assert all(not row.best for row in short.rows)
    (noisy,) = tabulate(run(spread=0.9), SCENARIOS, candidates()).sections
    assert not any("end_to_end_p50" in row.best for row in noisy.rows)


def test_a_tie_that_beats_the_rest_is_shared() -> None:
    values = {"kafka": 3.0, "rabbitmq-classic": 3.01, "rabbitmq-quorum": 9.0}
    trials = [
        record(name, n, {"end_to_end_p50": value + n / 100})
        for n in range(6)
        for name, value in values.items()
    ]
    (section,) = tabulate(trials, SCENARIOS).sections
    leading = {row.cell.candidate for row in section.rows if "end_to_end_p50" in row.best}
    assert leading == {"kafka", "rabbitmq-classic"}


def apart(candidate: str, target: str) -> list[Record]:
    value = {"kafka": 3.0, "rabbitmq-quorum": 9.0, "rabbitmq-classic": 12.0}[candidate]
    return [
        record(candidate, n, {"end_to_end_p50": value + n / 100}, target=target) for n in range(6)
    ]


def test_bold_does_not_lead_over_another_target() -> None:
    trials = [*apart("kafka", "local"), *apart("rabbitmq-quorum", "endpoint")]
    (section,) = tabulate(trials, SCENARIOS).sections
    assert [row.best for row in section.rows] == [frozenset(), frozenset()]
    (mixed,) = tabulate([*trials, *apart("rabbitmq-classic", "endpoint")], SCENARIOS).sections
    leading = {row.cell.candidate for row in mixed.rows if "end_to_end_p50" in row.best}
    assert leading == {"rabbitmq-quorum"}


def test_the_terminal_tells_targets_apart_where_there_are_several() -> None:
    out = printed([*apart("kafka", "local"), *apart("rabbitmq-quorum", "endpoint")])
    assert "target local; software" in out
    assert "target endpoint; software" in out
    assert "target" not in printed(list(run())).split("required", 1)[0]


def test_csv_is_tidy_with_a_row_per_cell_and_metric() -> None:
    text = report.text(awkward_run(), SCENARIOS, "csv", candidates())
    assert text.splitlines()[0] == f"{TIDY},params,reason,noise_free,total,leads,requirement,notes"
    rows = rows_of(text)
    keys = [(r["candidate"], r["client"], r["metric"]) for r in rows]
    assert len(keys) == len(set(keys))
    (p50,) = [r for r in rows if (r["candidate"], r["metric"]) == ("kinesis", "end_to_end_p50")]
    assert (p50["n"], p50["void"], p50["unit"], p50["better"]) == ("2", "4", "ms", "lower")
    assert float(p50["ci_low"]) < float(p50["median"]) < float(p50["ci_high"])
    assert p50["environment"] == MACHINE["fingerprint"]


def test_csv_keeps_a_cell_that_could_not_run_and_a_withheld_metric() -> None:
    rows = rows_of(report.text(awkward_run(), SCENARIOS, "csv"))
    (away,) = [r for r in rows if r["client"] == "kafka-python"]
    assert (away["n"], away["median"], away["reason"]) == ("0", "", "no | engine")
    (withheld,) = [r for r in rows if (r["candidate"], r["metric"]) == ("kafka", "end_to_end_p999")]
    assert (withheld["n"], withheld["median"], withheld["reason"]) == ("0", "", "100 samples")


def test_csv_says_what_leads_what_is_required_and_what_the_footnotes_say() -> None:
    rows = rows_of(report.text(awkward_run(), SCENARIOS, "csv", candidates()))
    p50 = {r["candidate"]: r for r in rows if r["metric"] == "end_to_end_p50"}
    assert {name for name, row in p50.items() if row["leads"] == "1"} == {"kafka"}
    assert p50["kafka"]["requirement"] == "met"
    assert p50["null"]["requirement"] == ""
    kinesis = p50["kinesis"]
    assert kinesis["requirement"] == "not shown"
    assert "its timings say nothing of AWS" in kinesis["notes"]
    assert "achieved 150 of 200 msg/s (4×)" in kinesis["notes"]
    (away,) = [r for r in rows if r["client"] == "kafka-python"]
    assert "no | engine" not in away["notes"]  # that is its reason


def test_csv_has_the_total_of_what_was_counted() -> None:
    trials = [record("kafka", n, ledger=ledger(lost=7 if n == 3 else 0)) for n in range(6)]
    found = {r["metric"]: r for r in rows_of(report.text(trials, SCENARIOS, "csv"))}
    assert (found["lost"]["total"], found["lost"]["median"]) == ("7", "0")
    assert found["end_to_end_p50"]["total"] == ""


def test_csv_agrees_with_the_records() -> None:
    trials = list(run())
    rows = rows_of(report.text(trials, SCENARIOS, "csv"))
    mine = sorted(
        trial.metrics["throughput_bytes"].value or 0
        for trial in trials
        if trial.candidate == "kafka"
    )
    (row,) = [r for r in rows if (r["candidate"], r["metric"]) == ("kafka", "throughput_bytes")]
    assert float(row["median"]) == pytest.approx((mine[2] + mine[3]) / 2, rel=1e-5)


def test_markdown_has_a_row_a_cell_all_as_wide_as_the_header() -> None:
    lines = report.text(awkward_run(), SCENARIOS, "md", candidates()).splitlines()
    table = lines[next(n for n, line in enumerate(lines) if line.startswith("| candidate")) :]
    table = table[: table.index("")]
    widths = {line.replace("\\|", "").count("|") for line in table}
    assert len(table) == 12
    assert len(widths) == 1


def cells_of(text: str, candidate: str) -> dict[str, str]:
    """A row of the first table of a Markdown text by header: the candidate's with client java."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    mine = (line for line in lines if line[0].rstrip("¹²³⁴⁵⁶⁷⁸⁹⁰˒") == candidate)
    (row,) = (line for line in mine if line[1] == "java")
    return dict(zip(lines[0], row, strict=True))


def test_markdown_has_the_interval_beside_each_median_and_n_where_it_is_not_the_rows() -> None:
    values = (4.0, 5.0, 6.0)
    trials = [
        record("kafka", n, {"end_to_end_p50": value, "headroom": 9.0, "publish_p50": None})
        for n, value in enumerate(values)
    ]
    trials[0] = record("kafka", 0, {"end_to_end_p50": 4.0, "headroom": 9.0, "publish_p50": 2.0})
    found, row = interval(values), cells_of(report.text(trials, SCENARIOS, "md"), "kafka")
    assert row["n (void)"] == "3 (0)"
    assert row["end-to-end p50 ms"] == f"5.00 [{found.low:.2f}, {found.high:.2f}]"
    assert row["headroom ×"] == "9.00 n=1"  # of one search, repeated
    assert row["publish p50 ms"] == "2.00 n=1"


def test_no_dash_is_without_its_reason() -> None:
    few = [record("kafka", n, {"end_to_end_p50": 5.0, "end_to_end_p99": None}) for n in range(6)]
    text = report.text(few, SCENARIOS, "md")
    row = cells_of(text, "kafka")
    assert row["end-to-end p99 ms"] == "—²"
    assert "\n² 100 samples  \n" in text
    assert row["throughput msg/s"] == "—¹"  # no trial says anything of it
    assert "\n¹ not measured in this cell  \n" in text
    assert "100 samples" in printed(few)
    whole = report.text(awkward_run(), SCENARIOS, "md", candidates())
    metrics = [name for name in cells_of(whole, "kinesis") if name.endswith((" ms", "/s"))]
    for name in SPEED:
        assert "—" not in {cells_of(whole, name)[metric] for metric in metrics}


def test_markdown_says_what_a_reader_must_know() -> None:
    text = report.text(awkward_run(), SCENARIOS, "md", candidates())
    assert "its timings say nothing of AWS" in text
    assert "achieved 150 of 200 msg/s (4×)" in text
    assert "no | engine" in text
    assert "**2.9" in text  # kafka's p50 leads
    assert "kafka better" in text
    assert "| 2 (4)" in text
    assert "promises order for nothing, per key is required" in text
    assert "A candidate against itself" in text
    assert "broker kafka 1.0" in text


@pytest.mark.parametrize("width", [60, 100, 200])
def test_the_terminal_table_is_whole_within_100_columns(width: int) -> None:
    out = io.StringIO()
    trials = [
        *awkward_run(),
        *(r.model_copy(update={"client": "kafka-python"}) for r in run() if r.candidate == "kafka"),
    ]
    report.terminal(trials, SCENARIOS, Console(file=out, width=width), candidates())
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert "…" not in out.getvalue()
    figures = [line for line in lines if line.startswith(tuple(SPEED))]
    assert len(figures) == 10
    assert max(map(len, figures)) <= 100
    assert "table.md and table.csv" in lines[-1]


@pytest.mark.parametrize("path", sorted(ROOT.glob("results/*/runs/*.jsonl")), ids=lambda p: p.stem)
@pytest.mark.parametrize("long", [False, True])
def test_the_terminals_table_of_our_own_runs_has_100_columns(path: Path, long: bool) -> None:
    spike = find_spike(path.parts[-3], ROOT)
    trials = read_records(path)
    if long:  # the longest names in three scripts, one of them twice as wide, and markup
        trials = [trial.model_copy(update=_longer(trial)) for trial in trials]
    out = io.StringIO()
    scenarios = spike.read_scenarios()
    report.terminal(trials, scenarios, Console(file=out), spike.candidates, spike.layout)
    assert max(map(cell_len, out.getvalue().splitlines())) <= 100
    assert "…" not in out.getvalue()
    assert re.search(r"(table|faults)\.md", out.getvalue().splitlines()[-1])
    turned = io.StringIO()
    report.turned(
        *([trials], scenarios, "terminal", spike.candidates, spike.layout),
        console=Console(file=turned),
    )
    assert max(map(cell_len, turned.getvalue().splitlines())) <= 100


def _longer(trial: Record) -> dict[str, str]:
    name = f"{trial.candidate}-with-a-name-that-goes-on-долго-[bold]消息队列[/]"
    return {"candidate": name, "client": f"{trial.client}-0123456789", "cell": name + trial.cell}


def printed(trials: list[Record], width: int = 80) -> str:
    out = io.StringIO()
    report.terminal(trials, SCENARIOS, Console(file=out, width=width), candidates())
    return out.getvalue()


def test_a_reason_that_quotes_a_log_does_not_steer_the_terminal() -> None:
    log = "the broker said:\n\x1b[2J\x1b]0;mine\x07 out of memory"
    text = printed([record("kafka", 0, status="void", reason=log)])
    assert "the broker said: [2J ]0;mine out of memory" in text
    assert text.isprintable() or set(text) & set(map(chr, range(32))) == {"\n"}


def test_a_file_gets_the_same_table_whatever_the_terminals_width() -> None:
    wordy = record("kafka", 6, status="void", reason="a reason that goes on and on, " * 6)
    trials = [*awkward_run(), wordy]
    assert printed(trials, 60) == printed(trials, 250)


@pytest.mark.parametrize(
    ("broker", "client", "shown"),
    [(1425.4, 2575.0, "1425+2575"), (14_250.0, 9999.7, "14k+10k"), (46.0, 9.2, "46+9")],
)
def test_cpu_of_both_sides_stays_on_one_line(broker: float, client: float, shown: str) -> None:
    used = {"broker_cpu_per_million": broker, "client_cpu_per_million": client}
    assert f" {shown} " in printed([record("kafka", n, used) for n in range(6)])


@pytest.mark.parametrize(
    ("slow", "shown"), [(0.2, "15.0 worse"), (0.02, "150 worse"), (3000.0, "<.01 better")]
)
def test_an_extreme_ratio_stays_on_one_line(slow: float, shown: str) -> None:
    values = {"kafka": 3.0, "rabbitmq-quorum": slow}
    trials = [
        record(name, n, {"end_to_end_p50": value * (1 + n / 1000)})
        for n in range(6)
        for name, value in values.items()
    ]
    assert shown in printed(trials)


def test_refused_messages_are_a_footnote() -> None:
    trials = [record("kafka", n, ledger=ledger(failed=600)) for n in range(2)]
    said = "1,200 messages refused: neither confirmed nor counted as lost"
    assert "0/0/0²" in printed(trials)  # after that of figures that these trials lack
    assert f"² {said}" in printed(trials)
    assert f"² {said}" in report.text(trials, SCENARIOS, "md")
    assert "refused" not in printed(list(run())) + report.text(run(), SCENARIOS, "md")


def test_an_order_that_nobody_asked_for_is_a_footnote() -> None:
    trials = [record("kafka", n, ledger=ledger(reordered=50)) for n in range(2)]
    unasked = {"change-data": scenario(promise=Promise(), requires=Requires(lost=0))}
    said = "no order was asked for"
    assert said in report.text(trials, unasked, "md")
    assert said not in report.text(trials, SCENARIOS, "md")


def test_peak_memory_is_said_to_be_the_servers() -> None:
    text = report.text(run(), SCENARIOS, "md")
    assert "| server peak memory MB, whole life |" in text
    assert "candidates on one server show the same figure" in text


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"headroom": 2.6, "headroom_failed": 3.1}, "not shown 2.6–3.1×"),
        ({"headroom": 21.0, "headroom_failed": 26.0}, "met 21–26×"),
        ({"headroom": 4.0}, "met ≥4.0×"),
        ({"capacity": 900.0}, "met 4.5×"),
    ],
)
def test_headroom_is_shown_with_what_is_known_of_it(values: dict[str, float], shown: str) -> None:
    scenarios = {"change-data": scenario(requires={"headroom": 3.0, "rate_per_s": 200.0})}
    given = {"throughput": 200.0, **values}
    text = report.text([record("kafka", n, given) for n in range(6)], scenarios, "md")
    assert f"| {shown}" in text


def test_colour_only_on_a_terminal() -> None:
    out = io.StringIO()
    report.terminal(run(), SCENARIOS, Console(file=out, force_terminal=True), candidates())
    assert "\x1b[" in out.getvalue()


def test_warnings_name_uneven_machines_and_losses_that_do_not_count() -> None:
    other = {**MACHINE, "fingerprint": "eeee"}
    trials = [
        *(record("kafka", n) for n in range(6)),
        *(record("kafka", n, {"end_to_end_p50": 9.0 + n / 100}, arm="A/A") for n in range(6)),
        record("rabbitmq-quorum", 0, environment=other),
        record("rabbitmq-quorum", 1, status="void", reason="late", ledger=ledger(lost=7)),
        record("kafka", 6, status="failed", reason="consumer broke", ledger=ledger(lost=500)),
    ]
    machines, uneven, lost = tabulate(trials, SCENARIOS).warnings
    assert machines.startswith("2 different machines (0f0f0f0f0f0f, eeee)")
    assert "kafka differs from itself on end_to_end_p50" in uneven
    assert "rabbitmq-quorum (java) lost 7 confirmed messages in void trials" in lost


def test_a_scenario_that_is_gone_is_still_shown() -> None:
    text = report.text(run(), {}, "md")
    assert "## change-data" in text
    assert "| kafka | java |" in text


@pytest.mark.parametrize("kind", ["md", "csv"])
def test_no_records_make_an_empty_table(kind: str) -> None:
    assert report.text([], SCENARIOS, kind)


def test_write_makes_tables_and_plots_from_records_of_one_spike(tmp_path: Path) -> None:
    strangers = [record("kafka", 0, spike="storage", scenario="disk")]
    paths = report.write("messaging", [*awkward_run(), *strangers], SCENARIOS, tmp_path / "new")
    assert [path.name for path in paths] == [
        "table.md",
        "table.csv",
        "plot-change-data.svg",
        "plot-change-data-ratio.svg",
        "plot-change-data-percentiles.svg",
    ]
    assert "storage" not in paths[1].read_text()
    pictures = [line for line in paths[0].read_text().splitlines() if line.startswith("![")]
    assert pictures == [
        "![plot-change-data](plot-change-data.svg)",
        "![plot-change-data-ratio](plot-change-data-ratio.svg)",
        "![plot-change-data-percentiles](plot-change-data-percentiles.svg)",
    ]
    assert "rabbitmq-quorum (java)" in paths[2].read_text()


def test_a_plot_belongs_to_the_scenario_it_is_named_for() -> None:
    files = ["plot-a-c.svg", "plot-a-ratio.svg", "plot-a.svg", "plot-a.png", "plot-a-b-rate.svg"]
    assert by_section([*files, "plot-ab.svg", "x.svg"], ["a", "a-b"]) == {
        "a": ["plot-a.svg", "plot-a-ratio.svg", "plot-a-c.svg"],
        "a-b": ["plot-a-b-rate.svg"],
    }


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"the records are intact.*spikebench table messaging"):
        report.write("messaging", run(1), SCENARIOS, tmp_path / "file")


def drifted(per_block: float, only: str = "", blocks: int = 8) -> list[Record]:
    """A run that gets slower from block to block: all of it, or one candidate."""

    def slower(trial: Record) -> Record:
        change = (1 + per_block) ** trial.block if only in ("", trial.candidate) else 1.0
        metrics = {
            name: metric(name, had.value and had.value * change)
            for name, had in trial.metrics.items()
        }
        return trial.model_copy(update={"metrics": metrics})

    return [slower(trial) for trial in run(blocks=blocks, spread=0.002)]


def shown_on_a_terminal(trials: list[Record]) -> str:
    console = Console(record=True, width=100, file=io.StringIO())
    report.terminal(trials, SCENARIOS, console, candidates())
    return " ".join(console.export_text().split())


def test_a_machine_that_slows_down_is_told_once_a_scenario() -> None:
    text = report.text(drifted(0.03), SCENARIOS, "md", candidates())
    (line,) = [line for line in text.splitlines() if "drift:" in line]
    assert line.startswith("`end_to_end_p50` drift: +3.0 % a block [")
    assert line.endswith(": the machine slowed down; blocks are interleaved, so comparisons stand.")
    assert "drifts by itself" not in text
    assert "drift: +3.0 % a block [" in shown_on_a_terminal(drifted(0.03))


def test_without_a_trend_it_says_that_none_is_shown() -> None:
    text = report.text(run(), SCENARIOS, "md", candidates())
    (line,) = [line for line in text.splitlines() if "drift:" in line]
    assert line.endswith(": none is shown.")


def test_too_few_blocks_tell_no_drift() -> None:
    text = report.text(drifted(0.5, blocks=4), SCENARIOS, "md", candidates())
    assert "`end_to_end_p50` drift: —, 4 blocks are too few to tell." in text


def test_a_cell_that_drifts_by_itself_has_a_footnote_and_no_other_has() -> None:
    trials = drifted(0.05, only="kafka")
    (section,) = tabulate(trials, SCENARIOS, candidates()).sections
    assert [row.cell.candidate for row in section.rows if row.drift] == ["kafka"]
    for text in (report.text(trials, SCENARIOS, "md"), shown_on_a_terminal(trials)):
        assert text.count("drifts by itself: +5.0 % a block [4.") == 1
        assert "got worse beside the others" in text


def test_emulators_and_the_ceiling_say_nothing_of_the_machine() -> None:
    trials = [t for t in drifted(0.03) if t.fidelity == "emulator" or t.candidate == "null"]
    assert "drift:" not in report.text(trials, SCENARIOS, "md", candidates())


def test_what_is_without_noise_is_declared_so() -> None:
    rows = rows_of(report.text(run(), SCENARIOS, "csv"))
    declared = {row["metric"] for row in rows if row["noise_free"] == "1"}
    assert declared == {"lost", "duplicated", "reordered", "refused"}
