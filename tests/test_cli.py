"""The command line: what it prints, its exit codes, and that no error of ours is a traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from spikebench.candidate import Candidate, Capabilities, Client
from spikebench.cli import main
from spikebench.cli.doctor import examine
from spikebench.cli.spike import chosen_spike
from spikebench.errors import TargetError, UsageError
from spikebench.record import Record, RecordFile, run_path
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.read import read_scenarios
from spikebench.spike import Spike
from spikebench.target.cache import Cache
from spikebench.target.software import Presence, Running, Software, TargetName
from tests.report.synthetic import MACHINE, SPEED, metric, run

ROOT = Path(__file__).parents[1]

Spikebench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def spikebench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Spikebench:
    monkeypatch.chdir(ROOT)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return invoke


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two synthetic runs of different machines, the second the latest."""
    record_run(tmp_path, "20260101-a", run(started_at="2026-01-01", run_id="20260101-a"))
    other = {**MACHINE, "cores": 4, "fingerprint": "eeee"}
    later = run(started_at="2026-01-02", run_id="20260102-b", environment=other)
    record_run(tmp_path, "20260102-b", later)
    return tmp_path


def record_run(results: Path, run_id: str, records: Iterable[Record]) -> Path:
    path = run_path("messaging", run_id, results)
    with RecordFile(path) as file:
        for record in records:
            file.append(record)
    return path


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("table",),
        ("compare",),
        ("cost",),
        ("prices", "refresh"),
        ("decide",),
        ("site",),
        ("list",),
        ("sweep",),
        ("doctor",),
    ],
)
def test_help_teaches_with_an_example(spikebench: Spikebench, command: tuple[str, ...]) -> None:
    status, out, _ = spikebench(*command, "--help")
    assert status == 0
    assert f"spikebench {' '.join(command)}".strip() in out.split("Usage:")[1].split("\n", 2)[2]


def test_site_is_written_from_results(spikebench: Spikebench, results: Path) -> None:
    out = results / "site"
    status, told, _ = spikebench("site", "--results", str(results), "--out", str(out))
    assert (status, told) == (0, f"wrote {out / 'index.html'}\n")
    assert "20260102-b" in (out / "index.html").read_text()


def test_site_leaves_a_folder_of_something_else(spikebench: Spikebench, results: Path) -> None:
    status, _, err = spikebench("site", "--results", str(results), "--out", str(results))
    assert status == 2
    assert "name another folder with --out" in err


def test_list_names_all_there_is(spikebench: Spikebench) -> None:
    status, out, _ = spikebench("list")
    assert status == 0
    for name in (
        *SPEED,
        *read_scenarios(ROOT / "scenarios" / "messaging", MessageScenario),
        "quick",
        "full",
    ):
        assert name in out


def test_list_says_what_is_decided_and_when_that_is_past(
    spikebench: Spikebench, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = import_module("spikebench.cli.listing")
    for today, past in ((date(2026, 12, 1), False), (date(2099, 1, 1), True)):
        monkeypatch.setattr(command, "today", lambda today=today: today)
        out = spikebench("list", "messaging")[1]
        (line,) = [one for one in out.splitlines() if "message-broker" in one]
        assert line.endswith(" (past)") is past


def test_table_shows_the_latest_run(spikebench: Spikebench, results: Path) -> None:
    status, out, _ = spikebench("table", "messaging", "--results", str(results))
    assert status == 0
    assert "rabbitmq-quorum java" in out
    assert "required" in out
    assert "\x1b" not in out


def test_table_in_markdown_and_csv(spikebench: Spikebench, results: Path) -> None:
    where = ("--results", str(results))
    assert "Run 20260102-b." in spikebench("table", *where, "--format", "md")[1]
    assert (
        "Run 20260101-a." in spikebench("table", *where, "--format", "md", "--run", "20260101")[1]
    )
    assert spikebench("table", *where, "--format", "csv")[1].startswith("spike,scenario,candidate")


def test_table_writes_again_what_a_run_wrote(spikebench: Spikebench, results: Path) -> None:
    status, out, _ = spikebench("table", "--results", str(results), "--write")
    assert status == 0
    written = [Path(line.removeprefix("wrote ")) for line in out.splitlines()]
    assert {path.name for path in written} >= {"table.md", "table.csv", "plot-change-data.svg"}
    assert all(path.is_file() for path in written)


@pytest.fixture
def broken(results: Path) -> Path:
    """The same, and a later run of faults."""
    later = run(started_at="2026-01-03", run_id="20260103-c")
    record_run(results, "20260103-c", map(with_fault, later))
    return results


def with_fault(record: Record) -> Record:
    update = {"scenario": "faults-confirmed", "params": {"kind": "kill-broker"}}
    return record.model_copy(update=update)


def test_table_is_of_the_latest_run_that_is_not_of_faults(
    spikebench: Spikebench, broken: Path
) -> None:
    where = ("--results", str(broken), "--format", "md")
    assert "Run 20260102-b." in spikebench("table", *where)[1]
    for asked in (["--faults"], ["--run", "20260103-c"]):
        status, out, _ = spikebench("table", *where, *asked)
        assert status == 0
        assert out.startswith("# Faults\n\nRun 20260103-c.")


def test_table_is_of_faults_where_there_is_nothing_else(
    spikebench: Spikebench, broken: Path
) -> None:
    for name in ("20260101-a", "20260102-b"):
        run_path("messaging", name, broken).unlink()
    run_path("messaging", "20260104-empty", broken).touch()
    out = spikebench("table", "--results", str(broken), "--format", "md")[1]
    assert out.startswith("# Faults\n\nRun 20260103-c.")


def test_faults_are_those_of_all_runs_put_together(spikebench: Spikebench, broken: Path) -> None:
    more = run(started_at="2026-01-04", run_id="20260104-d")
    record_run(broken, "20260104-d", map(with_fault, more))
    out = spikebench("table", "--faults", "--results", str(broken), "--format", "md")[1]
    assert out.startswith("# Faults\n\nRun 20260103-c, 20260104-d.")
    where = ("--results", str(broken), "--faults", "--metric", "end_to_end_p50", "--format", "csv")
    assert "20260103-c 20260104-d" in spikebench("table", *where)[1]


def test_compare_is_within_the_latest_run_that_is_not_of_faults(
    spikebench: Spikebench, broken: Path
) -> None:
    asked = ("compare", "kafka", "rabbitmq-quorum", "--results", str(broken))
    assert "change-data, software: end_to_end_p50" in spikebench(*asked)[1]
    named = ("--scenario", "faults-confirmed", "--metric", "end_to_end_p50")
    status, out, _ = spikebench(*asked, *named)
    assert status == 0
    assert "faults-confirmed" in out
    assert "change-data" not in out


def test_compare_of_candidates_for_faults_alone_is_within_a_run_of_faults(
    spikebench: Spikebench, broken: Path
) -> None:
    names = {"kafka": "kafka-3", "rabbitmq-quorum": "rabbitmq-quorum-3"}
    made = [
        with_fault(record).model_copy(update={"candidate": names[record.candidate]})
        for record in run(started_at="2026-01-02", run_id="20260102-f")
        if record.candidate in names
    ]
    record_run(
        broken, "20260105-f", (r.model_copy(update={"started_at": "2026-01-05"}) for r in made)
    )
    record_run(broken, "20260106-g", run(started_at="2026-01-06", run_id="20260106-g"))
    asked = ("compare", "kafka-3", "rabbitmq-quorum-3", "--metric", "end_to_end_p50")
    status, out, _ = spikebench(*asked, "--results", str(broken))
    assert status == 0
    assert "faults-confirmed" in out


def test_compare_two_candidates(spikebench: Spikebench, results: Path) -> None:
    status, out, _ = spikebench("compare", "kafka", "rabbitmq-quorum", "--results", str(results))
    assert status == 0
    assert "change-data, software: end_to_end_p50" in out
    assert "kafka (java) better" in out


def test_compare_by_another_metric_and_delta(spikebench: Spikebench, results: Path) -> None:
    asked = ("--metric", "client_cpu_per_million", "--delta", "0.3", "--results", str(results))
    out = spikebench("compare", "kafka", "rabbitmq-quorum", *asked)[1]
    assert "client_cpu_per_million" in out
    assert "equivalent within ±30%" in out


def test_compare_counts_without_a_test_and_says_so(spikebench: Spikebench, results: Path) -> None:
    asked = ("--metric", "lost", "--results", str(results))
    out = spikebench("compare", "kafka", "rabbitmq-quorum", *asked)[1]
    assert "equivalent within ±20%: counted 0 against 0, which needs no test" in out


def test_compare_tells_the_drift_of_the_run(spikebench: Spikebench, results: Path) -> None:
    out = spikebench("compare", "kafka", "rabbitmq-quorum", "--results", str(results))[1]
    (line,) = [line for line in out.splitlines() if "drift:" in line]
    assert line.startswith("change-data: end_to_end_p50 drift: ")
    assert line.endswith(": none is shown")


def test_compare_tells_the_drift_of_each_of_two_runs(
    spikebench: Spikebench, tmp_path: Path
) -> None:
    """Within a run blocks are interleaved; two runs are not, and that is said."""

    def slower(trial: Record) -> Record:
        slow = trial.metrics["end_to_end_p50"]
        value = (slow.value or 0.0) * 1.1**trial.block
        changed = {**trial.metrics, "end_to_end_p50": metric("end_to_end_p50", value)}
        return trial.model_copy(update={"metrics": changed})

    record_run(tmp_path, "20260101-a", run(run_id="20260101-a"))
    record_run(tmp_path, "20260102-b", map(slower, run(run_id="20260102-b")))
    asked = ("20260101-a", "20260102-b", "--results", str(tmp_path))
    lines = [line for line in spikebench("compare", *asked)[1].splitlines() if "drift:" in line]
    assert [line.partition(": end")[0] for line in lines] == [
        "change-data, run 20260101-a",
        "change-data, run 20260102-b",
    ]
    assert lines[0].endswith("none is shown")
    assert lines[1].endswith("two runs are not interleaved: a difference between them may be drift")


def test_a_gate_closes_on_what_is_worse_and_on_nothing_else(
    spikebench: Spikebench, results: Path
) -> None:
    where = ("--gate", "--results", str(results))
    status, out, err = spikebench("compare", "kafka", "rabbitmq-quorum", *where)
    assert status == 8
    assert "kafka (java) better" in out
    assert "rabbitmq-quorum is worse in 1 of 1 comparisons: change-data" in err
    status, out, _ = spikebench("compare", "rabbitmq-quorum", "kafka", *where)
    assert status == 0
    assert "kafka is shown worse nowhere; 0 of 1 comparisons are open" in out


def test_a_gate_does_not_judge_what_it_cannot(spikebench: Spikebench, results: Path) -> None:
    """Two runs of different machines: every verdict is downgraded, and the gate says so."""
    status, out, _ = spikebench(
        "compare", "20260101-a", "20260102-b", "--gate", "--results", str(results)
    )
    assert status == 0
    counted = out.rpartition("nowhere; ")[2].split()
    assert counted[0] == counted[2]


def two_runs(results: Path, change: float, machine: Mapping[str, object] = MACHINE) -> None:
    """The same run twice, but that the second's latencies are changed."""

    def changed(trial: Record) -> Record:
        value = (trial.metrics["end_to_end_p50"].value or 0.0) * change
        metrics = {**trial.metrics, "end_to_end_p50": metric("end_to_end_p50", value)}
        return trial.model_copy(update={"metrics": metrics})

    record_run(results, "20260101-a", run(run_id="20260101-a"))
    record_run(results, "20260102-b", map(changed, run(run_id="20260102-b", environment=machine)))


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        (1.5, 8, "20260102-b is worse in 5 of 9 comparisons: change-data, rabbitmq-classic (java)"),
        (1.0, 0, "20260102-b is shown worse nowhere; 4 of 9 comparisons are open"),
        (0.5, 0, "20260102-b is shown worse nowhere; 4 of 9 comparisons are open"),
    ],
)
def test_a_gate_between_two_runs_closes_where_the_second_is_worse(
    spikebench: Spikebench, tmp_path: Path, change: float, status: int, said: str
) -> None:
    two_runs(tmp_path, change)
    asked = ("20260101-a", "20260102-b", "--gate", "--results", str(tmp_path))
    code, out, err = spikebench("compare", *asked)
    assert code == status
    assert said in out + err


def test_a_machine_that_differs_keeps_a_gate_from_closing(
    spikebench: Spikebench, tmp_path: Path
) -> None:
    other = {**MACHINE, "cores": 4, "fingerprint": "eeee"}
    two_runs(tmp_path, 1.5, other)
    asked = ("20260101-a", "20260102-b", "--gate", "--results", str(tmp_path))
    code, out, _ = spikebench("compare", *asked)
    assert code == 0
    assert out.count("unresolved: the machines differ: cores 2 and 4") == 5
    assert "9 of 9 comparisons are open" in out


def test_a_workload_that_differs_is_named(spikebench: Spikebench, tmp_path: Path) -> None:
    record_run(tmp_path, "20260101-a", run(run_id="20260101-a", workload="aaaa"))
    record_run(tmp_path, "20260102-b", run(run_id="20260102-b", workload="bbbb"))
    asked = ("20260101-a", "20260102-b", "--results", str(tmp_path))
    out = spikebench("compare", *asked)[1]
    assert out.count("unresolved: the workloads differ: aaaa and bbbb") == 5


def test_all_candidates_against_a_named_baseline(spikebench: Spikebench, results: Path) -> None:
    asked = ("--baseline", "rabbitmq-classic", "--results", str(results))
    status, out, _ = spikebench("compare", *asked)
    assert status == 0
    heads = [line for line in out.splitlines() if "÷" in line]
    assert set(heads) == {
        "change-data, emulator: end_to_end_p50 ÷ rabbitmq-classic (java)",
        "change-data, software: end_to_end_p50 ÷ rabbitmq-classic (java)",
    }
    assert "kafka (java) better" in out
    assert out.count("rabbitmq-classic (java) better") == 2
    assert out.count("no verdict across fidelities") == 4


def test_some_candidates_against_a_baseline_share_one_adjustment(
    spikebench: Spikebench, results: Path
) -> None:
    asked = ("kafka", "rabbitmq-stream", "--baseline", "rabbitmq-quorum", "--gate")
    status, out, _ = spikebench("compare", *asked, "--results", str(results))
    assert status == 0
    assert out.count(" better") == 2
    assert "kafka or rabbitmq-stream is shown worse nowhere; 0 of 2" in out


def test_a_gate_closes_where_any_is_worse_than_the_baseline(
    spikebench: Spikebench, results: Path
) -> None:
    asked = ("rabbitmq-quorum", "rabbitmq-stream", "--baseline", "kafka", "--gate")
    status, _, err = spikebench("compare", *asked, "--results", str(results))
    assert status == 8
    assert "is worse in 2 of 2 comparisons" in err


def test_runs_against_a_named_run(spikebench: Spikebench, tmp_path: Path) -> None:
    two_runs(tmp_path, 1.5)
    record_run(tmp_path, "20260103-c", run(run_id="20260103-c"))
    asked = ("20260102-b", "20260103-c", "--baseline", "20260101-a", "--results", str(tmp_path))
    status, out, _ = spikebench("compare", *asked)
    assert status == 0
    assert "change-data, kafka (java), software: end_to_end_p50 ÷ 20260101-a" in out
    assert out.count("20260101-a better") == 5
    assert out.count("equivalent within ±20%") == 5


def test_compare_refuses_across_fidelities(spikebench: Spikebench, results: Path) -> None:
    status, out, _ = spikebench("compare", "kafka", "sqs-fifo", "--results", str(results))
    assert status == 0
    assert "not shown: no verdict across fidelities: software and emulator" in out


def test_compare_two_runs_names_what_differs(spikebench: Spikebench, results: Path) -> None:
    status, out, _ = spikebench("compare", "20260101-a", "20260102-b", "--results", str(results))
    assert status == 0
    assert "change-data, kafka (java), software" in out
    assert out.count("unresolved: the machines differ: cores 2 and 4") == 5
    assert " better" not in out


def test_compare_two_runs_on_different_targets_names_them(
    spikebench: Spikebench, tmp_path: Path
) -> None:
    for run_id, target in (("20260101-a", "local"), ("20260102-b", "docker")):
        record_run(tmp_path, run_id, run(run_id=run_id, target=target))
    asked = ("20260101-a", "20260102-b", "--results", str(tmp_path))
    status, out, _ = spikebench("compare", *asked)
    assert status == 0
    assert out.count("unresolved: the targets differ: local and docker") == 5


def test_compare_two_runs_prefers_the_same_target(spikebench: Spikebench, tmp_path: Path) -> None:
    record_run(tmp_path, "20260101-a", run(run_id="20260101-a"))
    both = [*run(run_id="20260102-b", target="docker"), *run(run_id="20260102-b")]
    record_run(tmp_path, "20260102-b", both)
    asked = ("20260101-a", "20260102-b", "--results", str(tmp_path))
    _, out, _ = spikebench("compare", *asked)
    assert out.count("ratio") == 9
    assert "targets" not in out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("table", "nope"), 2, "no spike called 'nope'"),
        (("table", "--run", "nope"), 6, "run 'nope' does not exist; there are: 20260101-a"),
        (("table", "--run", "2026"), 6, "ambiguous"),
        (("table", "--format", "pdf"), 2, "pdf"),
        (("compare", "kafka", "nope"), 2, "name two candidates"),
        (
            ("compare", "kafka"),
            2,
            "name two candidates or two runs, or any number and a --baseline",
        ),
        (("compare",), 2, "name two candidates or two runs, or any number and a --baseline"),
        (("compare", "kafka", "null", "kinesis"), 2, "any number and a --baseline"),
        (("compare", "kafka", "rabbitmq-quorum", "--delta", "2"), 2, "--delta"),
        (("compare", "kafka", "rabbitmq-quorum", "--scenario", "backlog"), 2, "no cell in common"),
        (("compare", "20260101-a", "nope"), 6, "'nope' does not exist"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_each_mistake_is_one_message_and_its_exit_code(
    spikebench: Spikebench, results: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    takes_results = arguments[0] in ("table", "compare")
    where = ("--results", str(results)) if takes_results else ()
    code, out, err = spikebench(*arguments, *where)
    assert (code, out) == (status, "")
    assert said in err
    assert "Traceback" not in err


def test_a_malformed_record_file_is_named_by_line_and_key(
    spikebench: Spikebench, results: Path
) -> None:
    path = run_path("messaging", "20260102-b", results)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace('"valid"', '"fine"'), *lines[2:]]) + "\n")
    code, _, err = spikebench("table", "--results", str(results))
    assert code == 6
    assert err.startswith(f"spikebench: {path}:2: status: ")


def test_a_torn_run_is_shown_with_a_warning(spikebench: Spikebench, results: Path) -> None:
    path = run_path("messaging", "20260102-b", results)
    path.write_bytes(path.read_bytes()[:-30])
    code, out, err = spikebench("table", "--results", str(results))
    assert code == 0
    assert "kafka java" in out
    assert err == f"warning: {path}:60: half-written, left out\n"


def test_without_a_spike_it_says_where_it_looked(
    spikebench: Spikebench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = spikebench("table")
    assert code == 2
    assert str(tmp_path) in err


def test_a_closed_pipe_is_no_traceback(results: Path) -> None:
    command = [sys.executable, "-m", "spikebench", "table", "--format", "csv"]
    shell = " ".join([*command, "--results", str(results)]) + " | head -1"
    ended = subprocess.run(shell, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("spike,scenario")
    assert "Traceback" not in ended.stderr


class Found:
    """A recipe that finds what it was given, or cannot look."""

    def __init__(self, presence: Presence | TargetError) -> None:
        self._presence = presence

    def presence(self, *_: object, **__: object) -> Presence:
        if isinstance(self._presence, TargetError):
            raise self._presence
        return self._presence

    def install(self, *_: object, **__: object) -> None:
        raise AssertionError("a doctor does not operate")

    def start(self, *_: object, **__: object) -> Running:
        raise AssertionError("a doctor does not operate")


def spike(**recipes: Presence | TargetError) -> Spike:
    targets: dict[str, TargetName] = {"docker": "docker", "local": "local", "endpoint": "endpoint"}
    software = Software("broker", {targets[name]: Found(p) for name, p in recipes.items()})
    client = Client("java", "java", "x.Y", "x")
    queued = Candidate("queued", Capabilities("queue"), (client,), software=software)
    memory = Candidate("null", Capabilities("queue"), (client,))
    return Spike("trial", "Which?", (queued, memory), ROOT / "scenarios" / "messaging")


@pytest.mark.parametrize(
    ("recipes", "status", "said"),
    [
        ({"local": Presence(True, True, "Broker 1.0")}, 0, "local     ready     Broker 1.0"),
        ({"local": Presence(False, True, "33 MB to fetch")}, 0, "local     fetchable 33 MB"),
        (
            {"docker": Presence(False, False, "no engine answers", "start it")},
            4,
            "to mend it: start it",
        ),
        ({"docker": TargetError("the socket is not a socket")}, 4, "the socket is not a socket"),
    ],
)
def test_doctor_says_what_is_there_and_what_mends_it(
    spikebench: Spikebench,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    recipes: dict[str, Presence | TargetError],
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr(Cache, "open", lambda: Cache(tmp_path))
    monkeypatch.setattr("spikebench.discovery.find_spikes", lambda: [spike(**recipes)])
    code, out, err = spikebench("doctor")
    assert code == status
    assert said in out
    assert "null: in memory, always ready" in out
    assert ("no target for queued" in err) == (status == 4)


def test_one_recipe_that_cannot_look_hides_no_other(tmp_path: Path) -> None:
    both = spike(docker=TargetError("broken"), local=Presence(True, True, "1.0"))
    found = {f.target: f.state for f in examine(both, Cache(tmp_path))}
    assert found == {"docker": "missing", "local": "ready"}


def spikes_with_runs(tmp_path: Path, *names: str) -> Path:
    for name in names:
        path = run_path(name, f"20260101-000000-{name[:4]}", tmp_path)
        path.parent.mkdir(parents=True)
        path.write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("mentioned", "with_runs", "meant"),
    [
        (["kafka"], ["messaging", "serverless"], "messaging"),
        (["java-21", "python"], ["messaging", "serverless"], "serverless"),
        (["20260101-000000-serv"], ["messaging", "serverless"], "serverless"),
        ([""], ["serverless"], "serverless"),
    ],
)
def test_a_spike_is_told_by_what_is_mentioned_or_by_having_runs(
    tmp_path: Path, mentioned: list[str], with_runs: list[str], meant: str
) -> None:
    results = spikes_with_runs(tmp_path, *with_runs)
    assert chosen_spike(None, results, mentioned).name == meant


@pytest.mark.parametrize("mentioned", [[], ["kafka", "java-21"], ["nothing-known"]])
def test_where_no_spike_is_told_all_are_named(tmp_path: Path, mentioned: list[str]) -> None:
    results = spikes_with_runs(tmp_path, "messaging", "serverless")
    with pytest.raises(UsageError, match="there are: messaging, serverless"):
        chosen_spike(None, results, mentioned)


def test_cost_opens_a_candidates_bill(spikebench: Spikebench) -> None:
    status, out, _ = spikebench("cost", "messaging", "--candidate", "kinesis")
    assert status == 0
    assert out.startswith("kinesis\n")
    assert "a million messages" in out
    assert "2 shards: 1,460 hour × 0.015 = 21.9000 USD" in out
    assert "a price of us-east-1" in out


def test_cost_without_a_run_says_how_to_measure(spikebench: Spikebench, tmp_path: Path) -> None:
    status, _, err = spikebench("cost", "serverless", "--results", str(tmp_path))
    assert status == 2
    assert "serverless has no cost: measure first with: python3 -m tox -e serverless" in err


def test_an_unknown_candidate_has_no_cost(spikebench: Spikebench) -> None:
    status, _, err = spikebench("cost", "messaging", "--candidate", "carrier-pigeon")
    assert status == 2
    assert "unknown candidate 'carrier-pigeon'" in err


def test_runs_stand_side_by_side_with_a_warning(spikebench: Spikebench, results: Path) -> None:
    where = ("--results", str(results))
    status, out, _ = spikebench(
        "table", "messaging", "--run", "20260101", "--run", "20260102", "--format", "md", *where
    )
    assert status == 0
    assert "| end_to_end_p50 ms, 20260101-a | end_to_end_p50 ms, 20260102-b |" in out
    assert "> warning: the runs are of different machines" in out


def test_a_page_and_json_are_of_the_latest_run(spikebench: Spikebench, results: Path) -> None:
    status, out, _ = spikebench("table", "messaging", "--format", "html", "--results", str(results))
    assert status == 0
    assert out.startswith("<!DOCTYPE html>")
    assert "Run 20260102-b." in out
    status, out, _ = spikebench(
        "table", "messaging", "--format", "json", "--metric", "lost", "--results", str(results)
    )
    assert status == 0
    assert '"run_id": "20260102-b"' in out


def test_rows_for_machines_are_not_grouped(spikebench: Spikebench, results: Path) -> None:
    status, _, err = spikebench(
        "table", "messaging", "--format", "json", "--by", "candidate", "--results", str(results)
    )
    assert status == 2
    assert "--format json has a row a cell and metric; leave out --by" in err


def test_writing_is_of_a_whole_table(spikebench: Spikebench, results: Path) -> None:
    status, _, err = spikebench(
        "table", "messaging", "--write", "--by", "candidate", "--results", str(results)
    )
    assert status == 2
    assert "--write is of a run's whole table" in err


def test_prices_that_cannot_be_reached_are_exit_code_5(
    spikebench: Spikebench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    def unreachable(*_: object, **__: object) -> requests.Response:
        raise requests.ConnectionError("no such host")

    monkeypatch.setattr(requests, "get", unreachable)
    book = ROOT / "scenarios" / "prices" / "eu-west-2.yaml"
    before = book.read_bytes()
    status, _, err = spikebench("prices", "refresh")
    assert status == 5
    assert "pricing.us-east-1.amazonaws.com/offers/v1.0/aws/" in err
    assert book.read_bytes() == before
