"""Tables of cold starts: levers in a row's name, each against its own runtime, nobody's figures."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from spikebench import report
from spikebench.record import Metric, Record
from spikebench.report.layout import load
from spikebench.report.table import Row, tabulate
from spikebench.scenario.model import Scenario
from spikes.serverless import layout
from spikes.serverless.beside import complete
from spikes.serverless.layout import (
    ANALOGUE,
    AS_LAMBDA,
    BEYOND,
    REPORTED,
    SAME_FLAGS,
)
from spikes.serverless.scenario import Requires
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

NAME = "tests.serverless.cold_starts:LAYOUT"
SCENARIOS: dict[str, Scenario] = {"hello": scenario()}
SIZES = (512, 1769)
LEVERS = ("baseline", "snapstart")


def rows(records: list[Record], scenarios: dict[str, Scenario] | None = None) -> list[Row]:
    table = tabulate(records, scenarios or SCENARIOS, candidates(), LAYOUT)
    (section,) = table.sections
    return list(section.rows)


def named(found: list[Row]) -> dict[tuple[str, ...], Row]:
    """Rows by runtime, lever and whatever else was swept."""
    return {(row.cell.candidate, *(value for _, value in row.cell.params)): row for row in found}


def printed(records: list[Record], scenarios: dict[str, Scenario] | None = None) -> str:
    out = io.StringIO()
    report.terminal(records, scenarios or SCENARIOS, Console(file=out), candidates(), NAME)
    return out.getvalue()


def markdown(records: list[Record], scenarios: dict[str, Scenario] | None = None) -> str:
    return report.text(records, scenarios or SCENARIOS, "md", candidates(), NAME)


def test_the_layout_is_found_by_its_name() -> None:
    assert load("spikes.serverless.layout:LAYOUT") is layout.LAYOUT
    assert load(NAME) is LAYOUT


def test_a_lever_is_compared_with_its_own_runtime_and_a_runtime_with_the_declared_one() -> None:
    found = named(rows(list(run())))
    against = {
        key: (row.against.b.candidate, dict(row.against.b.params)["lever"])
        for key, row in found.items()
        if row.against is not None
    }
    assert against == {
        ("java-17", "c1"): ("java-17", "baseline"),
        ("java-17", "appcds"): ("java-17", "baseline"),
        ("java-21", "c1"): ("java-21", "baseline"),
        ("java-21", "appcds"): ("java-21", "baseline"),
        ("java-21", "snapshot"): ("java-21", "baseline"),
        ("java-17", "baseline"): ("java-21", "baseline"),
        ("python", "baseline"): ("java-21", "baseline"),
        ("rust", "baseline"): ("java-21", "baseline"),
    }
    verdicts = {key: row.against.comparison.verdict for key, row in found.items() if row.against}
    assert verdicts["java-21", "snapshot"] == "A"
    assert verdicts["java-17", "baseline"] == "B"


def test_a_lever_meets_the_baseline_of_its_own_memory_size() -> None:
    for key, row in named(rows(list(run(sizes=SIZES)))).items():
        if row.against is not None:
            other = dict(row.against.b.params)
            assert (other["memory_mb"], other["lever"]) == (key[2], "baseline")


def test_all_comparisons_share_one_adjustment() -> None:
    alone = [r for r in run() if r.candidate == "java-17" and r.params["lever"] != "appcds"]
    alone += [r for r in run() if r.candidate == "java-21" and r.params["lever"] == "baseline"]
    few = named(rows(alone))["java-17", "c1"].against
    many = named(rows(list(run())))["java-17", "c1"].against
    assert few is not None
    assert many is not None
    assert (few.comparison.p_different or 0) < (many.comparison.p_different or 0)


def test_a_levers_workload_may_differ_and_that_of_a_cells_own_trials_may_not() -> None:
    trials = list(run())
    found = named(rows(trials))["java-21", "appcds"].against
    assert found is not None
    assert found.comparison.verdict == "A"
    mixed = [
        trial.model_copy(update={"workload": "another"})
        if trial.params["lever"] == "appcds" and trial.block == 3
        else trial
        for trial in trials
    ]
    found = named(rows(mixed))["java-21", "appcds"].against
    assert found is not None
    assert found.comparison.verdict == "unresolved"
    assert found.comparison.reason.startswith("the workloads differ: ")


def test_bold_leads_over_all_levers_of_a_memory_size() -> None:
    found = rows([r for r in run(sizes=SIZES) if r.candidate.startswith("java")])
    leading = {key for key, row in named(found).items() if "cold_start" in row.best}
    assert leading == {("java-21", "snapshot", "512"), ("java-21", "snapshot", "1769")}


def test_rows_stand_by_size_then_runtime_then_lever_as_declared() -> None:
    order = list(named(rows(list(run(2, sizes=(1769, 512))))))
    assert order == [
        (name, lever, str(memory_mb)) for memory_mb in (512, 1769) for name, lever in STARTS
    ]


def test_the_screen_has_the_lever_in_the_name_and_the_size_in_the_title() -> None:
    lines = printed(list(run(sizes=SIZES))).splitlines()
    assert "memory_mb=512, page_cache=warm; software" in lines
    assert "memory_mb=1769, page_cache=warm; software" in lines
    (slow, quick) = (line for line in lines if line.startswith("java-21 appcds "))
    assert not any("lever=" in line for line in lines if not line.startswith("hello"))
    told = " ".join(lines[1:3])
    assert "; against lever=baseline, that against java-21, on cold_start" in told
    assert slow.split()[-2:] == ["not", "met¹"]
    assert quick.split()[-2:] == ["6", "met"]
    assert "required is at most 150 ms" in "\n".join(lines)


@pytest.mark.parametrize("scale", [0.05, 1.0, 60.0, 200.0])
def test_the_screen_is_whole_within_100_columns(scale: float) -> None:
    out = printed(list(run(scale=scale)))
    figures = [line for line in out.splitlines() if line.startswith(("java", "python", "rust"))]
    assert len(figures) == len(STARTS)
    assert max(map(len, figures)) <= 100
    assert "…" not in out


def test_a_start_of_half_a_minute_stays_on_one_line() -> None:
    out = printed([*run(scale=150.0), record("java-25", "lambda-flags", values={})])
    rest = out.split("software\n", 1)[1].split("\n\n", 1)[0].splitlines()
    assert sum(line.startswith(" ") for line in rest[2:]) == 0


def test_a_size_that_is_not_swept_is_named_all_the_same() -> None:
    assert "memory_mb=1769, page_cache=warm; software" in printed(list(run())).splitlines()
    text = markdown([*run(), published(memory_mb=512)])
    assert "| software | memory_mb=1769, page_cache=warm |" in text
    assert "| published | memory_mb=512 |" in text


def test_no_count_of_messages_and_no_limit_is_shown() -> None:
    for text in (markdown(list(run())), printed(list(run()))):
        assert "lost" not in text
        assert "limit" not in text
        assert "broker" not in text


def test_markdown_has_the_lever_in_a_column_and_names_it_in_verdicts() -> None:
    text = markdown(list(run(sizes=SIZES)))
    (header,) = (line for line in text.splitlines() if line.startswith("| candidate"))
    assert header.startswith("| candidate | lever | client | target | fidelity | params | cold")
    assert "| java-21 | appcds | java | local | software | memory_mb=512, page_cache=warm |" in text
    assert "| java-21 appcds (java) | java-21 baseline (java) | memory_mb=512 |" in text
    assert "java-21 appcds better" in text
    assert "| python (awslambdaric) | java-21 (java) | lever=baseline, memory_mb=512 |" in text


def test_a_snapshot_is_labelled_an_analogue() -> None:
    for text in (markdown(list(run())), printed(list(run()))):
        assert text.count(ANALOGUE) == 1
    lines = printed(list(run())).splitlines()
    (mark,) = (line.split()[0] for line in lines if line.endswith(ANALOGUE))
    (row,) = (line for line in lines if line.startswith("java-21 snapshot"))
    assert row.startswith(f"java-21 snapshot{mark} ")


def with_metric(name: str, metric: Metric) -> list[Record]:
    found = [record(block=n) for n in range(6)]
    return [r.model_copy(update={"metrics": {**r.metrics, name: metric}}) for r in found]


@pytest.mark.parametrize(
    ("value", "note", "told"),
    [
        (None, "confinement: none", "not held to its share of a processor: confinement: none"),
        (1.7, "confinement: cgroup, memory 3008 MB; more than the 1 there were", "more than the 1"),
        (1.0, "confinement: cgroup, memory 1769 MB", ""),
    ],
)
def test_a_share_of_a_processor_that_was_not_had_is_a_footnote(
    value: float | None, note: str, told: str
) -> None:
    trials = with_metric("cpu_share", Metric(value=value, unit="vCPU", note=note))
    free: dict[str, Scenario] = {"hello": scenario(requires=Requires())}
    for text in (markdown(trials, free), printed(trials, free)):
        notes = [line for line in text.splitlines() if line.startswith("¹ ")]
        assert [told in line for line in notes] == ([True] if told else [])


def test_an_init_phase_longer_than_lambdas_is_a_footnote() -> None:
    long = Metric(value=11_000.0, unit="ms", better="lower", note="11.0 s from start to next")
    assert BEYOND in markdown(with_metric("init", long))
    assert BEYOND not in markdown([*run(), published()])


@pytest.mark.parametrize(
    ("limit_ms", "outcome"), [(300.0, "met"), (100.0, "not met"), (170.0, "not shown")]
)
def test_a_cold_start_is_judged_by_its_interval(limit_ms: float, outcome: str) -> None:
    scenarios: dict[str, Scenario] = {"hello": scenario(requires=Requires(cold_start_ms=limit_ms))}
    trials = [record(block=n, values={"cold_start": 170.0 + n - 2.5}) for n in range(6)]
    (row,) = rows(trials, scenarios)
    assert row.judgement is not None
    assert row.judgement.outcome == outcome


def test_nothing_required_is_nothing_judged() -> None:
    free: dict[str, Scenario] = {"hello": scenario(requires=Requires())}
    assert all(row.judgement is None for row in rows(list(run()), free))


def test_void_starts_leave_a_requirement_open() -> None:
    warm = record(block=6, status="void", reason="it was warm")
    lax: dict[str, Scenario] = {"hello": scenario(requires=Requires(cold_start_ms=1000))}
    (row,) = rows([*(record(block=n) for n in range(6)), warm], lax)
    assert row.judgement is not None
    assert row.judgement.reasons == ("1 void of 7 trials: what the others held is no proof",)
    (row,) = rows([warm])
    assert row.judgement is not None
    assert row.judgement.reasons == ("no valid trial: it was warm",)


def test_published_figures_are_a_group_of_their_own_titled_with_their_source() -> None:
    out = printed([*run(), published(), published("python", ms=90.0)])
    head, title, group = out.partition("memory_mb=1024; published: ")
    words, _, lines = group.partition("java-21 baseline")
    assert " ".join(words.split()[:-1]).startswith(SOURCE[:90])
    assert "\npython baseline" in lines
    assert title
    assert "published" not in head


def test_published_figures_are_never_bold_judged_compared_or_warned_of() -> None:
    trials = [*run(), published(ms=1.0), published("python", ms=0.5)]
    table = tabulate(trials, SCENARIOS, candidates(), LAYOUT)
    (section,) = table.sections
    read = [row for row in section.rows if row.cell.fidelity == "published"]
    assert len(read) == 2
    for row in read:
        assert (row.best, row.judgement, row.against) == (frozenset(), None, None)
    with_them = {id(row): row.against.comparison for row in section.rows if row.against}
    assert len(with_them) == len(STARTS) - 1
    assert table.warnings == ()
    assert not any("published" in who for who in table.versions)


def test_published_figures_do_not_lead_among_themselves() -> None:
    several = [published(ms=ms) for ms in six_near(1.0)] + [
        published("python", ms=ms) for ms in six_near(0.2)
    ]
    assert all(not row.best and row.against is None for row in rows(several))


def six_near(ms: float) -> list[float]:
    return [ms * (1 + n / 100) for n in range(6)]


def test_csv_names_the_source_where_a_machine_would_stand() -> None:
    text = report.text([*run(1), published()], SCENARIOS, "csv", candidates(), NAME)
    lines = list(csv.DictReader(io.StringIO(text)))
    origins = {line["fidelity"]: line["environment"] for line in lines}
    assert origins == {
        "software": "0f0f0f0f0f0f",
        "published": f"published: {SOURCE}",
    }


def test_a_runtime_that_is_missing_keeps_its_row_with_the_reason() -> None:
    away = record("java-21", "native", values={}, status="unavailable", reason="no native-image")
    out = printed([*run(), away])
    (line,) = (line for line in out.splitlines() if line.startswith("java-21 native"))
    assert line.split()[2:6] == ["—"] * 4
    assert "no native-image" in out


def sandboxed(candidate: str, lever: str, **values: float | None) -> list[Record]:
    """Trials in an account, as Lambda reports them."""
    usual: dict[str, float | None] = {"runtime_up": None, "first_invoke": 30.0, "warm_p50": 1.0}
    return [
        record(
            candidate,
            lever,
            block,
            {**usual, **values},
            target="sandbox",
            fidelity="service",
            series={"invoke_ms": [30.0, *[1.0] * 40], "t": [float(at) for at in range(41)]},
        )
        for block in range(6)
    ]


def test_rows_of_an_account_say_whose_flags_they_had() -> None:
    given = [
        *sandboxed("java-21", "baseline", init=400.0, cold_start=430.0),
        *sandboxed("java-21", "c1", init=400.0, cold_start=430.0),
        *sandboxed("python", "baseline", init=100.0, cold_start=130.0),
    ]
    told = {
        (row.cell.candidate, dict(row.cell.params)["lever"]): LAYOUT.remarks(row)
        for row in rows(given)
    }
    assert told["python", "baseline"] == [REPORTED]
    assert told["java-21", "c1"] == [REPORTED, SAME_FLAGS]
    assert told["java-21", "baseline"][0] == REPORTED
    assert "C1 only: the local lever `lambda-flags`" in told["java-21", "baseline"][1]
    (local,) = rows([record("java-21", "lambda-flags", values={"cold_start": 1.0})])
    assert LAYOUT.remarks(local) == [AS_LAMBDA]


def test_a_restore_has_its_column_its_cost_and_its_place_in_a_plot(tmp_path: Path) -> None:
    given = [
        *sandboxed("java-21", "baseline", init=400.0, cold_start=430.0, round_trip=700.0),
        *sandboxed(
            "java-21", "snapstart", init=None, restore=180.0, billed_restore=50.0, cold_start=210.0
        ),
    ]
    text = markdown(given)
    assert "restore ms" in text
    assert "round trip of the cold start ms" in text
    found = named(rows(list(complete(given, SCENARIOS))))
    cost = {
        lever: found["java-21", lever].cell.metrics["cost_per_million"].value for lever in LEVERS
    }
    assert 0 < (cost["snapstart"] or 0) < (cost["baseline"] or 0)
    written = report.write("serverless", given, SCENARIOS, tmp_path, candidates(), NAME)
    assert any(path.suffix == ".svg" for path in written)
