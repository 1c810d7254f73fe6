"""Whole runs of the spike in an emulated account, each started as a person starts it.

The emulator writes no REPORT line, so that each trial is void: what is shown is that a run ends
with its records and table, and that its account is empty then, however it ends.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spikebench.errors import ArtefactError, TargetError
from spikebench.measure.outcome import Metric, Outcome
from spikebench.method import RunEndedError
from spikebench.plan import Selection, plan
from spikebench.record import Record, RecordFile, read_records
from spikebench.run import Run
from spikebench.target.cache import Cache
from spikebench.target.sandbox.clients import open_client
from spikes.serverless.profiles import PROFILES
from spikes.serverless.sandbox import lab
from spikes.serverless.sandbox.package import Packaged
from spikes.serverless.sandbox.session import imitation
from spikes.serverless.sandbox.upload import Upload
from spikes.serverless.spike import SPIKE
from tests.synthetic.ministack import EMPTY, emulated, environ_of, left

ROOT = Path(__file__).parents[2]
RUN_ID = "20260101-000000-0000002a"
NO_REPORT = "the log holds no REPORT line"
OURS = ("SPIKEBENCH_SANDBOX", "SPIKEBENCH_OWNER", "AWS_", "PYTEST")


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        with emulated() as settings:
            yield settings


def command(results: Path, *arguments: str) -> list[str]:
    """A run of Python's hello: two cells, for it is its own A/A arm."""
    quiet = ("-q", "-p", "no:cacheprovider", "--benchmark-quiet")
    narrow = ("--target=sandbox", "--candidate=python", "--scenario=hello")
    where = f"--results={results}"
    return [sys.executable, "-m", "pytest", "spikes/serverless", *quiet, *narrow, where, *arguments]


def environ(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nowhere/config"}
    return {**kept, **nobody, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **given}


def ended(
    results: Path, given: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(results, *arguments),
        cwd=ROOT,
        env=environ(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def run_files(results: Path) -> list[Path]:
    return sorted((results / "serverless" / "runs").glob("*.jsonl"))


def records(results: Path) -> list[Record]:
    (path,) = run_files(results)
    return read_records(path)


@pytest.mark.slow
def test_a_run_ends_with_records_and_table_and_an_empty_account(
    settings: dict[str, str], tmp_path: Path
) -> None:
    run = ended(tmp_path, environ_of(settings), "--trials=2", "--seed=7")
    assert run.returncode == 0, run.stdout
    assert left(settings) == EMPTY
    found = records(tmp_path)
    assert Counter((r.arm, r.block) for r in found) == {
        (arm, block): 1 for arm in ("", "A/A") for block in (0, 1)
    }
    for record in found:
        assert (record.target, record.fidelity, record.status) == ("sandbox", "service", "void")
        assert NO_REPORT in record.reason
        assert "answered in AWS's place" in record.reason
        assert record.environment["region"] == "eu-west-2"
        assert record.environment["account"] == "…0000"
        assert record.versions["lambda"].startswith("python3.")
    assert NO_REPORT in (tmp_path / "serverless" / "table.md").read_text()
    assert "4 trials of 2 cells" in run.stdout
    assert "creating 1 functions" in run.stdout
    assert run.stdout.index("estimate: at most about $") < run.stdout.index("creating stack")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("moment", ["while it is put up", "between trials"])
def test_a_run_that_is_ended_leaves_nothing_in_the_account(
    settings: dict[str, str], tmp_path: Path, number: signal.Signals, code: int, moment: str
) -> None:
    def begun() -> bool:
        if moment == "between trials":
            return any(path.read_bytes().count(b"\n") >= 2 for path in run_files(tmp_path))
        return bool(left(settings)["stacks"])

    with subprocess.Popen(
        command(tmp_path, "--trials=200"),
        cwd=ROOT,
        env=environ({**environ_of(settings), "SPIKEBENCH_SANDBOX_BUDGET_USD": "100"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as run:
        assert _until(begun)
        run.send_signal(number)
        printed = run.communicate(timeout=120)[0].decode()
    assert run.returncode == code, printed
    assert left(settings) == EMPTY
    if moment == "between trials":
        assert len(records(tmp_path)) >= 2
        assert (tmp_path / "serverless" / "table.md").exists()


def _until(condition: Callable[[], bool], timeout_s: float = 120) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.slow
def test_a_run_stops_at_its_budget_keeps_what_it_has_and_goes_on_with_more(
    settings: dict[str, str], tmp_path: Path
) -> None:
    # an invoke without a report counts as the longest: 1 GB for 70 s, $0.0012, which the estimate
    # of four trials ($0.0011) leaves room for once
    given = {**environ_of(settings), "SPIKEBENCH_SANDBOX_BUDGET_USD": "0.0020"}
    run = ended(tmp_path, given, "--trials=2", "--seed=7")
    said = " ".join(run.stdout.split())
    assert run.returncode == 4, run.stdout
    assert "the budget of $0.0020 is used up" in said
    assert "The run goes on with --resume" in said
    assert [r.status for r in records(tmp_path)] == ["void"]
    assert (tmp_path / "serverless" / "table.md").exists()
    assert left(settings) == EMPTY

    resumed = ended(tmp_path, environ_of(settings), "--trials=2", "--resume")
    assert resumed.returncode == 0, resumed.stdout
    assert len(records(tmp_path)) == 4
    assert left(settings) == EMPTY


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"SPIKEBENCH_SANDBOX_ACCOUNTS": ""}, "SPIKEBENCH_SANDBOX_ACCOUNTS is not set"),
        ({"SPIKEBENCH_SANDBOX_ACCOUNTS": "1" * 12}, "does not allow to be spent in"),
        ({"SPIKEBENCH_SANDBOX_ACCOUNTS": "12"}, "must hold accounts by their 12 digits"),
        ({"SPIKEBENCH_SANDBOX_BUDGET_USD": ""}, "no budget is set"),
        ({"SPIKEBENCH_SANDBOX_BUDGET_USD": "0.0001"}, "the estimate alone is beyond it"),
        ({"AWS_REGION": ""}, "no region is set"),
        ({"AWS_REGION": "ap-southeast-2"}, "or give --accept-unpriced"),
        ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "does not say whose the credentials are"),
    ],
)
def test_what_may_not_be_spent_in_ends_the_run_with_4_before_it_began(
    settings: dict[str, str], tmp_path: Path, change: dict[str, str], why: str
) -> None:
    run = ended(tmp_path, {**environ_of(settings), **change}, "--trials=1")
    assert run.returncode == 4, run.stdout
    assert why in " ".join(run.stdout.split())
    assert "Traceback" not in run.stdout
    assert "creating" not in run.stdout
    assert run_files(tmp_path) == []


@pytest.mark.slow
def test_what_has_no_price_is_used_where_that_is_accepted(
    settings: dict[str, str], tmp_path: Path
) -> None:
    given = {**environ_of(settings), "AWS_REGION": "ap-southeast-2"}
    run = ended(tmp_path, given, "--trials=1", "--accept-unpriced")
    assert run.returncode == 0, run.stdout
    assert "lambda.request: not priced" in run.stdout
    assert {r.environment["region"] for r in records(tmp_path)} == {"ap-southeast-2"}
    assert left(settings) == EMPTY


def test_a_run_is_estimated_without_an_account(tmp_path: Path) -> None:
    run = ended(tmp_path, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "--collect-only")
    assert run.returncode == 0, run.stdout
    assert "14 trials of 2 cells, 7 blocks" in run.stdout
    a_cell, *_ = re.findall(r" s on sandbox; at most about \$([0-9.]+) \(eu-west-2\)", run.stdout)
    (in_all,) = re.findall(r" s; at most about \$([0-9.]+) \(eu-west-2\)", run.stdout)
    assert float(in_all) == pytest.approx(2 * float(a_cell), abs=0.0002)
    assert not any(tmp_path.iterdir())


@pytest.fixture
def account(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This process is allowed to spend in the emulated account."""
    for name, value in environ_of(settings).items():
        monkeypatch.setenv(name, value)
    return settings


def _run(folder: Path, said: list[str], candidates: tuple[str, ...] = ("python", "node")) -> Run:
    selection = Selection(candidates=candidates, scenarios=("hello",), target="sandbox")
    scenarios, profile = SPIKE.read_scenarios(), PROFILES["smoke"]
    cells = plan(SPIKE, scenarios, profile, selection, Cache.open())
    file = RecordFile(folder / f"{RUN_ID}.jsonl")
    return Run(RUN_ID, 42, SPIKE, Cache.open(), file, said.append, cells=cells)


@pytest.mark.slow
def test_a_package_that_can_not_be_had_is_its_own_cells_trouble(
    account: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Packaged.make

    def broken(self: Packaged, *rest: Any) -> Any:
        if self.candidate == "node":
            raise ArtefactError("no such wheel")
        return make(self, *rest)

    monkeypatch.setattr(Packaged, "make", broken)
    said: list[str] = []
    with _run(tmp_path, said) as run:
        assert left(account) == EMPTY
        of = {cell.candidate.name: run.measure(cell, 0) for cell in run.cells}
        assert len(left(account)["functions"]) == 1
        assert sum(line.startswith("creating stack") for line in said) == 1
    assert (of["node"].status, of["node"].reason) == ("failed", "no such wheel")
    assert NO_REPORT in of["python"].reason
    assert left(account) == EMPTY


@pytest.mark.slow
@pytest.mark.usefixtures("account")
def test_without_any_package_nothing_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ArtefactError("no such wheel")

    monkeypatch.setattr(Packaged, "make", broken)
    said: list[str] = []
    with _run(tmp_path, said, ("python",)) as run:
        assert [run.measure(cell, 0).reason for cell in run.cells] == ["no such wheel"] * 2
    assert not any("creating" in line for line in said)


@pytest.mark.slow
@pytest.mark.usefixtures("account")
def test_what_aws_would_not_put_up_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    tries: list[int] = []

    def refuses(*_: Any) -> Any:
        tries.append(1)
        raise TargetError("AWS would not create stack")

    monkeypatch.setattr(lab, "deployed", refuses)
    with _run(tmp_path, said, ("python",)) as run:
        for cell in run.cells:
            with pytest.raises(RunEndedError, match="AWS would not create stack"):
                run.measure(cell, 0)
    assert tries == [1]
    assert read_records(tmp_path / f"{RUN_ID}.jsonl") == []


@pytest.mark.slow
def test_a_cell_that_the_run_was_not_set_up_for_is_refused(
    account: dict[str, str], tmp_path: Path
) -> None:
    said: list[str] = []
    with _run(tmp_path, said) as run:
        node = next(cell for cell in run.cells if cell.candidate.name == "node")
        run.cells = [cell for cell in run.cells if cell.candidate.name == "python"]
        run.measure(run.cells[0], 0)
        assert "was not set up for this cell" in run.measure(node, 0).reason
    assert left(account) == EMPTY


def test_it_is_known_who_answers_in_awss_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert imitation(open_client("lambda", "eu-west-2")) == ""
    assert imitation(open_client("lambda", "cn-north-1")) == ""
    for address in ("http://127.0.0.1:4566", "https://amazonaws.com.example.org"):
        stranger: Any = SimpleNamespace(meta=SimpleNamespace(endpoint_url=address))
        assert imitation(stranger) == address


@pytest.mark.parametrize(
    ("candidate", "runtime", "versions"),
    [
        ("java-21", "java21", {"java": "21"}),
        ("python", "python3.13", {"python": "3.13"}),
        ("node", "nodejs24.x", {"node": "24"}),
        ("go", "provided.al2023", {}),
    ],
)
def test_a_version_is_that_of_lambdas_own_runtime(
    tmp_path: Path, candidate: str, runtime: str, versions: dict[str, str]
) -> None:
    (tmp_path / "f.zip").write_bytes(b"")
    upload = Upload(tmp_path / "f.zip", runtime, "h")
    told = lab._versions(candidate, upload)
    assert told.pop("lambda") == f"{runtime} x86_64"
    assert told.pop("package") == upload.digest
    assert told == versions


def test_what_an_imitation_reports_is_void() -> None:
    metrics = {"cold_start": Metric(value=1.0, unit="ms")}
    valid = Outcome(status="valid", metrics=metrics)
    assert lab._told(valid, "") == valid
    told = lab._told(valid, "http://127.0.0.1:4566")
    assert told.status == "void"
    assert told.reason.startswith("http://127.0.0.1:4566 answered in AWS's place")
    assert lab._told(Outcome(status="failed", reason="it broke"), "x").status == "failed"
