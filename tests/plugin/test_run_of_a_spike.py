"""Whole runs of a spike in a folder, each in a process of its own, as a person starts them."""

import json
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from spikebench.record import Record, read_records
from tests.synthetic.spike_folder import (
    SCENARIO,
    command,
    environ,
    run_files,
    run_spike,
    write_spike,
)


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with the spike, entered by everyone as a cache must be; pytest closes its own."""
    with tempfile.TemporaryDirectory(prefix="spikebench-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_spike(folder)
        yield folder


@dataclass(frozen=True)
class Done:
    """A run that has ended: its folder, its exit code, what it printed and what it recorded."""

    root: Path
    code: int
    printed: str
    records: list[Record]


@pytest.fixture(scope="module")
def done() -> Iterator[Done]:
    """Two blocks of every candidate that does not fail."""
    with tempfile.TemporaryDirectory(prefix="spikebench-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_spike(folder)
        chosen = "--candidate=plain,lossy,late,absent"
        figures = "--benchmark-json=figures.json"
        ended = run_spike(folder, chosen, figures, "--trials=2", "--seed=5")
        (path,) = run_files(folder)
        yield Done(folder, ended.returncode, ended.stdout, last_tries(read_records(path)))


def last_tries(records: list[Record]) -> list[Record]:
    """Without those that a busy machine made void by a late generator: each was measured anew."""
    return list({(record.cell, record.arm, record.block): record for record in records}.values())


def of(done: Done, candidate: str, arm: str = "") -> list[Record]:
    return [r for r in done.records if (r.candidate, r.arm) == (candidate, arm)]


def test_void_and_unavailable_trials_do_not_fail_a_session(done: Done) -> None:
    assert done.code == 0, done.printed
    last = done.printed.splitlines()[-1]
    assert "3 not counted" in last
    assert "6 measured" in last
    assert "failed" not in last


def test_every_trial_is_recorded_and_a_cell_that_cannot_be_had_once(done: Done) -> None:
    trials = Counter((r.candidate, r.arm, r.block) for r in done.records)
    assert trials == Counter(
        [
            *((name, "", block) for name in ("plain", "lossy", "late") for block in range(2)),
            *(("plain", "A/A", block) for block in range(2)),
            ("absent", "", 0),
        ]
    )
    assert {r.status for r in of(done, "late")} == {"void"}
    assert {r.status for r in of(done, "absent")} == {"unavailable"}
    assert {r.status for r in of(done, "plain") + of(done, "lossy")} == {"valid"}


def test_blocks_are_whole_and_one_after_another(done: Done) -> None:
    assert [r.block for r in done.records] == sorted(r.block for r in done.records)


def test_what_was_injected_is_in_the_records_and_in_the_table(done: Done) -> None:
    assert [r.ledger.lost for r in of(done, "lossy") if r.ledger] == [8, 8]
    assert [r.ledger.lost for r in of(done, "plain") if r.ledger] == [0, 0]
    table = (done.root / "results" / "tiny" / "table.md").read_text()
    assert all(name in table for name in ("plain", "lossy", "late", "absent"))
    assert "sent " in table
    assert "of the rate asked for" in table


def test_it_says_where_everything_was_written(done: Done) -> None:
    for name in ("table.md", "table.csv", "runs"):
        assert f"wrote results/tiny/{name}" in done.printed
        assert (done.root / "results" / "tiny" / name).exists()


def test_a_line_a_trial_says_what_was_measured_and_what_is_left(done: Done) -> None:
    lines = [line for line in done.printed.splitlines() if line.startswith("[")]
    assert len(lines) == 9
    assert lines[0].startswith("[1/9] block 1 ")
    assert lines[-1].startswith("[9/9] block 2 ")
    assert all("elapsed" in line and "left" in line for line in lines)
    assert sum("8 lost" in line for line in lines) == 2


def test_pytest_benchmark_has_the_headline_in_seconds_of_valid_trials_alone(done: Done) -> None:
    figures = json.loads((done.root / "figures.json").read_text())
    found = {
        (b["extra_info"]["cell"], b["extra_info"]["trial"]): b["stats"]["data"]
        for b in figures["benchmarks"]
    }
    headlines = {
        (r.cell, r.trial): [pytest.approx((r.metrics["end_to_end_p50"].value or 0) / 1e3)]
        for r in done.records
        if r.status == "valid"
    }
    assert len(headlines) == 6
    assert found == headlines
    assert {b["extra_info"]["run_id"] for b in figures["benchmarks"]} == {done.records[0].run_id}


def test_pytest_benchmark_compares_what_was_stored(done: Done) -> None:
    figures = str(done.root / "figures.json")
    command = [sys.executable, "-m", "pytest_benchmark", "compare", figures, "--columns=median"]
    ended = subprocess.run(command, cwd=done.root, capture_output=True, text=True, check=True)
    assert "benchmark 'steady': 6 tests" in ended.stdout


def test_no_file_names_the_host(done: Done) -> None:
    name = socket.gethostname()
    for path in [done.root / "figures.json", *run_files(done.root)]:
        assert f'"{name}"' not in path.read_text()


def test_the_runs_seed_is_in_its_id_and_every_trial_has_its_own(done: Done) -> None:
    assert done.records[0].run_id.endswith("-00000005")
    assert len({r.seed for r in done.records}) == len(done.records)


def test_a_failed_trial_fails_the_session_and_is_recorded(root: Path) -> None:
    ended = run_spike(root, "--candidate=broken,plain", "--trials=1")
    assert ended.returncode == 1
    assert "ConnectionResetError: connection lost while sending" in ended.stdout
    (path,) = run_files(root)
    records = read_records(path)
    assert Counter(r.status for r in records if not r.spoilt) == {"failed": 1, "valid": 2}
    assert "broken" in (root / "results" / "tiny" / "table.md").read_text()


def collected(root: Path, *arguments: str) -> list[str]:
    ended = run_spike(root, "--collect-only", "--trials=2", *arguments)
    assert ended.returncode == 0, ended.stdout
    return [line.split("[")[1] for line in ended.stdout.splitlines() if "::test_steady[" in line]


def test_collecting_lists_cells_with_estimates_and_starts_nothing(root: Path) -> None:
    ended = run_spike(root, "--collect-only", "--trials=3")
    assert ended.returncode == 0
    assert "16 trials of 6 cells, 3 blocks; about 0 min" in ended.stdout
    assert "steady-plain-memory-local: 3 trials of 0.9 s on local; no money" in ended.stdout
    assert "steady-absent-memory-local: endpoint: absent has no recipe for it" in ended.stdout
    assert not (root / "results").exists()


def test_the_order_of_blocks_follows_from_the_seed(done: Done) -> None:
    listed = collected(done.root, "--candidate=plain,lossy,late,absent", "--seed=5")
    assert listed == [f"{r.cell}-block{r.block}]" for r in done.records]


def test_keywords_select_as_ever(root: Path) -> None:
    chosen = collected(root, "-k", "lossy and block1")
    assert chosen == ["steady-lossy-memory-local-block1]"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--scenario=stedy"], 2, "--scenario stedy: no such scenario; there are steady"),
        (["--candidate=plane"], 2, "unknown candidate 'plane' in spike tiny; it has plain, lossy"),
        (["--client=pika"], 2, "--client pika: no such client; there are memory"),
        (["--resume"], 6, "holds no runs; measure first"),
        (["--resume=nope"], 6, "run 'nope' does not exist"),
    ],
)
def test_a_wrong_command_line_is_one_clear_error(
    root: Path, arguments: list[str], code: int, said: str
) -> None:
    ended = run_spike(root, *arguments)
    assert ended.returncode == code
    assert said in " ".join(ended.stdout.split())
    assert "Traceback" not in ended.stdout


def test_a_malformed_scenario_is_named_by_file_line_and_key(root: Path) -> None:
    path = root / "scenarios" / "tiny" / "steady.yaml"
    path.write_text(SCENARIO.replace("rate_per_s: 200", "rate_per_s: fast"))
    ended = run_spike(root)
    assert ended.returncode == 3
    assert "scenarios/tiny/steady.yaml:7: arrivals.rate_per_s: " in " ".join(ended.stdout.split())
    assert "Traceback" not in ended.stdout


def test_an_experiment_without_its_marks_is_told_what_it_lacks(root: Path) -> None:
    path = root / "spikes" / "tiny" / "test_tiny.py"
    path.write_text("def test_steady(trial):\n    trial.measure()\n")
    ended = run_spike(root)
    assert ended.returncode == 2
    assert 'takes a trial but has no mark spike("...")' in ended.stdout


def test_a_resumed_run_goes_on_where_it_was_cut_off(root: Path) -> None:
    arguments = ("--candidate=plain,lossy", "--trials=2")
    assert run_spike(root, *arguments, "--seed=9").returncode == 0
    (path,) = run_files(root)
    whole = read_records(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][: len(lines[3]) // 2])

    ended = run_spike(root, *arguments, "--resume")

    assert ended.returncode == 0, ended.stdout
    assert run_files(root) == [path]
    assert "3 of them already measured" in ended.stdout
    assert path.read_bytes().splitlines(keepends=True)[:3] == lines[:3]
    resumed = read_records(path)
    assert [(r.run_id, r.cell, r.block, r.seed) for r in resumed] == [
        (r.run_id, r.cell, r.block, r.seed) for r in whole
    ]
    assert {r.status for r in resumed} == {"valid"}


def test_a_finished_run_that_is_resumed_measures_nothing_more_and_has_its_table(root: Path) -> None:
    arguments = ("--candidate=plain", "--trials=1")
    run_spike(root, *arguments)
    (path,) = run_files(root)
    before = path.read_bytes()
    table = root / "results" / "tiny" / "table.md"
    table.unlink()  # as if it had been killed between its last trial and its table
    assert run_spike(root, *arguments, f"--resume={path.stem}", "--collect-only").returncode == 0
    assert not table.exists()
    assert run_spike(root, *arguments, f"--resume={path.stem}").returncode == 0
    assert path.read_bytes() == before
    assert "plain" in table.read_text()


def test_a_run_is_not_gone_on_with_under_another_workload_or_on_another_machine(
    root: Path,
) -> None:
    run_spike(root, "--candidate=plain", "--trials=1")
    (path,) = run_files(root)
    scenario, before = root / "scenarios" / "tiny" / "steady.yaml", path.read_text()
    scenario.write_text(SCENARIO.replace("rate_per_s: 200", "rate_per_s: 100"))
    changed = run_spike(root, "--candidate=plain", "--trials=2", "--resume")
    assert changed.returncode == 6
    assert "with another workload" in " ".join(changed.stdout.split())

    scenario.write_text(SCENARIO)
    fingerprint = read_records(path)[0].environment["fingerprint"]
    path.write_text(before.replace(fingerprint, "0123456789ab"))
    elsewhere = run_spike(root, "--candidate=plain", "--trials=2", "--resume")
    assert elsewhere.returncode == 6
    assert "was measured on another machine" in " ".join(elsewhere.stdout.split())
    assert path.read_text() == before.replace(fingerprint, "0123456789ab")


def test_a_record_file_that_was_tampered_with_is_named_by_line_and_kept(root: Path) -> None:
    run_spike(root, "--candidate=plain", "--trials=1")
    (path,) = run_files(root)
    path.write_text(path.read_text().replace('"status":"valid"', '"status":"splendid"', 1))
    tampered = path.read_bytes()
    ended = run_spike(root, "--candidate=plain", "--trials=2", "--resume")
    assert ended.returncode == 6
    assert f"{path.relative_to(root)}:1: status: " in " ".join(ended.stdout.split())
    assert "Traceback" not in ended.stdout
    assert "INTERNALERROR" not in ended.stdout
    assert path.read_bytes() == tampered


def _lines(root: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in run_files(root))


def _until(condition: Callable[[], bool], timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_ended_keeps_what_it_measured_and_leaves_nothing_running(
    root: Path, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        command("--candidate=plain,lossy", "--trials=200"),
        cwd=root,
        env=environ(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as run:
        assert _until(lambda: _lines(root) >= 2)
        workers = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(number)
        printed = run.communicate(timeout=60)[0].decode()
    assert run.returncode == code, printed
    assert workers
    assert _until(lambda: not any(worker.is_running() for worker in workers))
    (path,) = run_files(root)
    assert len(read_records(path)) >= 2
    assert (root / "results" / "tiny" / "table.md").exists()
    assert f"wrote {path.relative_to(root)}" in printed


LARGEST_FILE_BYTES = 12_000


def _limit_files() -> None:
    """Refuse writing past a file's first 12 kB, as a full disk does; Python ignores SIGXFSZ."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))


def test_a_full_disk_ends_the_run_with_earlier_trials_intact(root: Path) -> None:
    ended = subprocess.run(
        command("--candidate=plain,lossy", "--trials=30"),
        cwd=root,
        env=environ(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=_limit_files,
    )
    printed = " ".join(ended.stdout.split())
    assert ended.returncode == 6, ended.stdout
    assert "this trial could not be written" in printed
    assert "make room" in printed
    (path,) = run_files(root)
    records = read_records(path)
    assert 2 <= len(records) < 90
    assert path.read_bytes().endswith(b"\n")
    assert {r.status for r in records} == {"valid"}
