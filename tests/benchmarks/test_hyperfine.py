"""A start by hyperfine and one of ours: both end a function at its call, and say where they can't.

hyperfine itself is stood in for by a script that times a command as it does, so that nothing has to
be fetched; the real one is tried where it is here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks import cold_start_hyperfine as benchmark
from benchmarks.cold_start_hyperfine import NAMES, bare, starts_beside_hyperfine, until_next_s
from benchmarks.hyperfine import TREE, Hyperfine
from benchmarks.ratio import ratio_of, withheld
from benchmarks.rig import Rig
from benchmarks.table import read, write
from benchmarks.tool import ToolError
from spikebench.errors import ArtefactError
from spikebench.target.cache import Cache
from spikes.serverless.function import Function
from spikes.serverless.synthetic import Behaviour, synthetic

CPUS = sorted(os.sched_getaffinity(0))[:1]

STAND_IN = """\
#!{python}
import json, shlex, subprocess, sys, time
options, command = sys.argv[1:-1], shlex.split(sys.argv[-1])
assert "--shell=none" in options and "--runs=1" in options
(export,) = [o.partition("=")[2] for o in options if o.startswith("--export-json=")]
began = time.monotonic()
code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
took, code = time.monotonic() - began, code if code >= 0 else 128 - code
json.dump({{"results": [{{"times": [took], "exit_codes": [code]}}]}}, open(export, "w"))
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Hyperfine:
    path = tmp_path / "hyperfine"
    path.write_text(STAND_IN.format(python=sys.executable))
    path.chmod(0o755)
    return Hyperfine(path, CPUS)


@pytest.fixture(params=["stand-in", "real"])
def timer(request: pytest.FixtureRequest, stand_in: Hyperfine) -> Hyperfine:
    if request.param == "stand-in":
        return stand_in
    root = TREE.find(Cache.open())
    if root is None:
        pytest.skip("hyperfine is not in the cache; `python -m benchmarks` fetches it")
    return Hyperfine(root / "usr" / "bin" / "hyperfine", CPUS)


def running(*command: str) -> Function:
    return Function(command, Path("/"), {"PATH": "/usr/bin:/bin"}, package_bytes=0)


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_a_command_takes_at_least_what_it_sleeps(timer: Hyperfine) -> None:
    cores = os.sched_getaffinity(0)
    assert 0.05 <= timer.to_end_s(running("/bin/sleep", "0.05")) < 5
    assert os.sched_getaffinity(0) == cores
    assert children() == set()


def test_a_command_that_fails_is_no_time(timer: Hyperfine) -> None:
    with pytest.raises(ToolError, match=r"ended with \[1\], not 0"):
        timer.to_end_s(running("/bin/false"))


def test_what_hyperfine_says_is_told(stand_in: Hyperfine) -> None:
    with pytest.raises(ToolError, match=r"(?s)hyperfine failed: .*no-such"):
        stand_in.to_end_s(running("/no-such"))


Start = Callable[[Function], float]


@pytest.fixture(params=["stand-in", "real", "ours"])
def start(request: pytest.FixtureRequest, stand_in: Hyperfine) -> Start:
    """From a function's start until it has been ended at its call, in seconds."""
    if request.param == "ours":
        return lambda function: until_next_s(function, CPUS)[1]
    if request.param == "stand-in":
        return stand_in.to_next_s
    root = TREE.find(Cache.open())
    if root is None:
        pytest.skip("hyperfine is not in the cache; `python -m benchmarks` fetches it")
    return Hyperfine(root / "usr" / "bin" / "hyperfine", CPUS).to_next_s


def test_a_function_is_ended_at_its_call(start: Start, tmp_path: Path) -> None:
    # It would answer for ever; it is over once it has asked.
    took_s = start(synthetic(tmp_path, Behaviour(init_s=0.1)))
    assert 0.1 <= took_s < 10
    assert children() == set()


def test_our_call_comes_before_our_end(tmp_path: Path) -> None:
    to_next_s, to_end_s = until_next_s(synthetic(tmp_path, Behaviour(init_s=0.05)), CPUS)
    assert 0.05 <= to_next_s < to_end_s


def test_a_function_that_never_calls_is_no_time_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="ended before its call"):
        until_next_s(synthetic(tmp_path, Behaviour(init_exit=3)), CPUS)


def test_a_function_that_never_calls_is_no_time_of_hyperfines(
    stand_in: Hyperfine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.hyperfine.RUN_TIMEOUT_S", 0.5)
    with pytest.raises(ToolError, match="no call for an event within"):
        stand_in.to_next_s(synthetic(tmp_path, Behaviour(init_s=30)))
    assert children() == set()


def test_a_bare_start_is_the_runtime_with_the_functions_own_options() -> None:
    java = running("/jdk/bin/java", "-Xmx1g", "-cp", "/a.jar:/b.jar", "spikebench.Launcher", "h.H")
    assert bare(java).command == ("/jdk/bin/java", "-Xmx1g", "-cp", "/a.jar:/b.jar", "-version")
    python = running("/usr/bin/python3", "-B", "-s", "/client/bootstrap.py")
    assert bare(python).command == ("/usr/bin/python3", "-B", "-s", "-c", "pass")
    assert bare(replace(java, environ={"A": "1"})).environ == {"A": "1"}


@pytest.mark.slow
def test_what_it_measures_are_the_rows_it_names(
    stand_in: Hyperfine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "find_hyperfine", lambda *_: stand_in.executable)
    monkeypatch.setattr(benchmark, "STARTS", 1)
    with Rig(print) as rig:
        rows = {row.name: row for row in starts_beside_hyperfine(rig, 2)}
    assert set(NAMES) <= set(rows)
    assert all(row.ratio is not None and row.n == 2 for row in rows.values())
    judged = {name for name, row in rows.items() if row.target is not None}
    assert judged == {benchmark.LONG} | {f"{n}-added" for n in NAMES if n != benchmark.LONG}


def test_without_hyperfine_its_rows_say_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none(*_: object) -> Path:
        raise ArtefactError(f"hyperfine is not here. {TREE.instead}")

    monkeypatch.setattr(benchmark, "find_hyperfine", none)
    with Rig(print) as rig:
        rows = starts_beside_hyperfine(rig, 5)
    assert [row.name for row in rows] == list(NAMES)
    path = tmp_path / "ratios.csv"
    write(rows, path)
    assert read(path) == rows
    for row in rows:
        assert (row.ratio, row.n, row.verdict) == (None, 0, "")
        assert "`apt-get install hyperfine`" in row.note


def test_what_could_not_be_measured_keeps_an_earlier_value(tmp_path: Path) -> None:
    path = tmp_path / "ratios.csv"
    measured = ratio_of("a", [1.0, 1.5], "note")
    write([withheld("a", "none yet")], path)
    write([measured], path)
    write([withheld("a", "gone"), withheld("b", "gone")], path)
    found = {row.name: row for row in read(path)}
    assert found["a"].note == "note"
    assert found["b"].ratio is None
