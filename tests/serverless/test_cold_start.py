"""Trials of a runtime of which it is known how long each phase lasts, and what goes wrong."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from spikebench.measure.outcome import Outcome
from spikes.serverless import cold_start, trial
from spikes.serverless.box import Box
from spikes.serverless.cold_start import measure
from spikes.serverless.function import Function
from spikes.serverless.group import Group, NoGroupError
from spikes.serverless.synthetic import Behaviour, synthetic
from spikes.serverless.trial import Timeouts

EVENT = b'{"rows": [1, 2.5, "\\u00e9"]}'
EXPECTED = json.loads(EVENT)
BOX = Box(512, confined=False)
"""Without a group, for most of what is pinned here does not hang on one, and any machine has it."""


def groups_are_made_here() -> bool:
    try:
        Group.create(f"spikebench-{os.getpid()}-probe", 512).remove()
    except NoGroupError:
        return False
    return True


needs_groups = pytest.mark.skipif(not groups_are_made_here(), reason="no control groups here")


def left_over() -> dict[str, object]:
    """All that a trial might leave: processes, threads, descriptors, pipes, groups."""
    mount = Path("/sys/fs/cgroup")
    return {
        "processes": sorted(each.pid for each in psutil.Process().children(recursive=True)),
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "pipes": sorted(Path(tempfile.gettempdir()).glob(f"spikebench-mark-{os.getpid()}-*")),
        "groups": sorted(mount.glob(f"**/spikebench-{os.getpid()}-*")),
        "cores": os.sched_getaffinity(0),
        "priority": os.sched_getscheduler(0),
        "collects": gc.isenabled(),
    }


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = left_over()
    yield
    assert left_over() == before


def tried(
    tmp_path: Path,
    behaviour: Behaviour,
    *,
    box: Box = BOX,
    invokes: int = 1,
    timeouts: Timeouts | None = None,
    change: Callable[[Function], Function] = lambda function: function,
) -> Outcome:
    function = change(synthetic(tmp_path, behaviour))
    return measure(function, EVENT, EXPECTED, box, invokes=invokes, timeouts=timeouts)


def value(outcome: Outcome, name: str) -> float:
    found = outcome.metrics[name].value
    assert found is not None, (name, outcome.metrics[name].note, outcome.reason)
    return found


PHASES = ("runtime_up", "init", "turn_around", "first_invoke")


def test_each_phase_lasts_as_long_as_it_sleeps_and_the_sum_is_the_cold_start(
    tmp_path: Path,
) -> None:
    slept = Behaviour(before_mark_s=0.12, init_s=0.08, first_s=0.05)
    outcome = tried(tmp_path, slept)
    assert outcome.status == "valid", outcome.reason
    # A stamp may be late, by our waking up, but never early: what ends with one lasts long enough.
    assert value(outcome, "runtime_up") >= 120
    assert value(outcome, "runtime_up") + value(outcome, "init") >= 200
    assert value(outcome, "first_invoke") >= 50
    assert value(outcome, "turn_around") > 0
    parts = sum(value(outcome, name) for name in PHASES)
    assert round(value(outcome, "cold_start"), 3) == pytest.approx(parts, abs=0.001)
    assert outcome.resources.startup_s is not None
    until_next_s = (value(outcome, "runtime_up") + value(outcome, "init")) / 1e3
    assert outcome.resources.startup_s == pytest.approx(until_next_s, abs=1e-6)


def test_a_sleep_is_in_its_own_phase_and_in_no_other(tmp_path: Path) -> None:
    """Each phase is slept in once, for longer than a loaded machine holds the others up."""
    slept_s = 2.0
    behaviours = {
        "runtime_up": Behaviour(before_mark_s=slept_s),
        "init": Behaviour(init_s=slept_s),
        "first_invoke": Behaviour(first_s=slept_s),
    }
    for phase, behaviour in behaviours.items():
        outcome = tried(tmp_path, behaviour)
        spans = {name: value(outcome, name) for name in PHASES}
        assert max(spans, key=lambda name: spans[name]) == phase


def test_invokes_are_listed_each_with_its_time(tmp_path: Path) -> None:
    outcome = tried(tmp_path, Behaviour(first_s=0.05, invoke_s=0.01), invokes=45)
    assert outcome.status == "valid", outcome.reason
    durations, times = outcome.series["invoke_ms"], outcome.series["t"]
    assert len(durations) == len(times) == 45
    assert durations[0] == value(outcome, "first_invoke")
    assert min(durations) >= 10
    assert times == sorted(times)
    assert value(outcome, "warm_p50") >= 10
    assert 1 <= value(outcome, "invokes_until_warm") <= 45
    late = outcome.metrics["warm_p99"]
    assert late.value is None
    assert "300 are needed" in late.note


def test_a_p99_has_its_300_invokes(tmp_path: Path) -> None:
    outcome = tried(tmp_path, Behaviour(), invokes=460)
    assert outcome.status == "valid", outcome.reason
    warm = outcome.metrics["warm_p99"]
    assert (warm.value is not None) == ((warm.n or 0) >= 300)
    if warm.value is not None:
        assert warm.value >= value(outcome, "warm_p50")


def test_without_warm_invokes_nothing_is_said_of_warmth(tmp_path: Path) -> None:
    outcome = tried(tmp_path, Behaviour())
    for name in ("warm_p50", "warm_p99", "invokes_until_warm"):
        assert outcome.metrics[name].value is None
        assert "40 are needed" in outcome.metrics[name].note


def test_without_a_mark_two_phases_are_withheld_and_the_cold_start_stands(tmp_path: Path) -> None:
    outcome = tried(tmp_path, Behaviour(init_s=0.05, no_mark=True))
    assert outcome.status == "valid", outcome.reason
    for name in ("runtime_up", "init"):
        assert outcome.metrics[name].value is None
        assert "mark never came" in outcome.metrics[name].note
    assert value(outcome, "cold_start") >= 50


def test_resources_are_accounted_for(tmp_path: Path) -> None:
    outcome = tried(tmp_path, Behaviour(eat_mb=50))
    assert 50 < value(outcome, "peak_memory") < 500
    assert 0 < value(outcome, "cpu_cold") <= value(outcome, "cpu")
    assert value(outcome, "package_size") > 0
    assert outcome.metrics["classes_loaded"].note == "a runtime without classes"
    assert outcome.metrics["cpu_share"].value is None
    assert outcome.metrics["cpu_share"].note == "confinement: none: not asked for"
    assert "page cache warm" in outcome.metrics["disk_read"].note


def test_classes_are_counted_in_the_living_process(tmp_path: Path) -> None:
    def count(pid: int) -> int:
        return len(psutil.Process(pid).cmdline())

    outcome = tried(tmp_path, Behaviour(), change=lambda made: replace(made, classes_loaded=count))
    assert value(outcome, "classes_loaded") == 5


def test_beyond_lambdas_ten_seconds_the_row_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold_start, "LAMBDA_INIT_S", 0.05)
    outcome = tried(tmp_path, Behaviour(init_s=0.1))
    assert outcome.status == "valid"
    assert "Lambda starts it again" in outcome.metrics["init"].note


def test_a_function_that_talks_much_is_not_held_up(tmp_path: Path) -> None:
    assert tried(tmp_path, Behaviour(chatter_lines=3000)).status == "valid"


def test_what_a_function_leaves_running_is_ended(tmp_path: Path) -> None:
    assert tried(tmp_path, Behaviour(orphan=True)).status == "valid"


@pytest.mark.parametrize(("waited_ms", "status"), [(0.0, "valid"), (1e6, "void")])
def test_a_start_for_which_we_had_no_processor_is_void_and_may_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited_ms: float, status: str
) -> None:
    """The kernel's account of how long we waited is pretended: 0 before the start, then this."""
    told = [int(waited_ms * 1e6), 0]
    monkeypatch.setattr(trial, "waited_for_core_ns", told.pop)
    monkeypatch.setattr(trial, "LATE_NS", 2_000_000)
    outcome = tried(tmp_path, Behaviour())
    assert (outcome.status, value(outcome, "lateness")) == (status, waited_ms)
    assert (outcome.limit == "client") == (status == "void")
    assert ("we waited" in outcome.reason) == (status == "void")


def test_where_the_kernel_keeps_no_account_lateness_is_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "waited_for_core_ns", lambda: None)
    outcome = tried(tmp_path, Behaviour())
    assert outcome.status == "valid"
    assert outcome.metrics["lateness"].value is None


SHORT = Timeouts(init_s=1.0, invoke_s=1.0)

FAILURES = [
    (Behaviour(init_exit=7), "before its first call for an event: exit code 7; its last words: ca"),
    (Behaviour(init_exit=0), "before its first call for an event: exit code 0"),
    (Behaviour(init_signal=signal.SIGSEGV), "first call for an event: killed by signal 11"),
    (Behaviour(init_error="no class Handler"), "error at init: Synthetic: no class Handler"),
    (Behaviour(init_s=60), "no call for an event within 1 s of its start"),
    (Behaviour(before_mark_s=60), "no call for an event within 1 s of its start"),
    (Behaviour(hang_at=1), "invoke 1: no response within 1 s"),
    (Behaviour(hang_at=3), "invoke 3: no response within 1 s"),
    (Behaviour(error_at=1), "invoke 1: error: Synthetic: no such row"),
    (Behaviour(error_at=2), "invoke 2: error: Synthetic: no such row"),
    (Behaviour(exit_at=1), "it ended within invoke 1: exit code 3; its last words: giving up"),
    (Behaviour(invokes=2), "it ended after invoke 2: exit code 0; its last words: enough"),
    (Behaviour(answer="pong"), "invoke 1: the response is no JSON: Expecting value"),
    (Behaviour(answer="[NaN]"), "invoke 1: the response is no JSON: NaN"),
    (Behaviour(answer='{"rows": [1, 2, "é"]}'), "a wrong answer: $.rows[1] should be 2.5, not 2"),
    (Behaviour(wrong_at=3), "invoke 3: a wrong answer: $ has no 'rows'"),
]


@pytest.mark.parametrize(("behaviour", "reason"), FAILURES, ids=[each[1] for each in FAILURES])
def test_a_failure_is_a_row_with_its_reason(
    tmp_path: Path, behaviour: Behaviour, reason: str
) -> None:
    # The deadline is for those that hang; a busy machine may take a second to start the others.
    hangs = "within 1 s" in reason
    outcome = tried(tmp_path, behaviour, invokes=4, timeouts=SHORT if hangs else None)
    assert outcome.status == "failed"
    assert reason in outcome.reason
    assert outcome.metrics["warm_p50"].value is None
    assert value(outcome, "package_size") > 0


def test_a_failed_trial_keeps_the_phases_it_got_to(tmp_path: Path) -> None:
    outcome = tried(tmp_path, Behaviour(before_mark_s=0.02, init_s=0.02, error_at=1))
    assert value(outcome, "runtime_up") >= 20
    assert value(outcome, "init") >= 20
    assert outcome.metrics["cold_start"].value is None
    assert outcome.metrics["cold_start"].note == "not reached"


@pytest.mark.parametrize(
    ("command", "folder", "reason"),
    [
        (("/no/jdk/bin/java", "-version"), None, "No such file or directory: '/no/jdk/bin/java'"),
        (("no-such-runtime",), None, "No such file or directory"),
        (("/usr",), None, "Permission denied: '/usr'"),
        (("/bin/sh",), "/no/such/folder", "No such file or directory: '/no/such/folder'"),
    ],
)
def test_what_cannot_be_started_is_a_row_with_its_reason(
    tmp_path: Path, command: tuple[str, ...], folder: str | None, reason: str
) -> None:
    where = Path(folder) if folder else tmp_path
    outcome = tried(
        tmp_path,
        Behaviour(),
        change=lambda made: replace(made, command=command, folder=where),
    )
    assert outcome.status == "failed"
    assert outcome.reason.startswith("it could not be started: ")
    assert reason in outcome.reason


def serve_elsewhere(listener: socket.socket) -> None:
    """Be a runtime that was there before: answer two events for whoever sends an address."""
    peer, _ = listener.accept()
    with peer:
        client = HTTPConnection(peer.recv(100).decode(), timeout=10)
        for _ in range(2):
            client.request("GET", "/2018-06-01/runtime/invocation/next")
            try:
                response = client.getresponse()
            except OSError:
                break
            event = response.read()
            request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
            path = f"/2018-06-01/runtime/invocation/{request_id}/response"
            client.request("POST", path, event)
            client.getresponse().read()
        client.close()


def test_a_start_that_was_warm_is_void(tmp_path: Path) -> None:
    """The command only wakes a process that is there already, as a daemon's client does."""
    script = (
        "import os, socket, sys, time; s = socket.create_connection(('127.0.0.1', "
        "int(sys.argv[1]))); s.sendall(os.environ['AWS_LAMBDA_RUNTIME_API'].encode()); "
        "time.sleep(60)"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        daemon = threading.Thread(target=serve_elsewhere, args=(listener,))
        daemon.start()
        made = synthetic(tmp_path)
        command = (*made.command[:3], "-c", script, str(listener.getsockname()[1]))
        outcome = tried(tmp_path, Behaviour(), change=lambda f: replace(f, command=command))
        daemon.join(20)
    assert outcome.status == "void"
    assert outcome.reason == "the events went to a process that this trial did not start"
    assert value(outcome, "cold_start") > 0


def test_two_calls_before_the_first_event_are_void(tmp_path: Path) -> None:
    script = (
        "import os, socket, time; host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':'); "
        "two = [socket.create_connection((host, int(port))) for _ in range(2)]; "
        "[s.sendall(b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n') for s in two];"
        "time.sleep(60)"
    )
    made = synthetic(tmp_path)
    command = (*made.command[:3], "-c", script)
    outcome = tried(tmp_path, Behaviour(), change=lambda f: replace(f, command=command))
    assert outcome.status == "void"
    assert "second call" in outcome.reason


def test_a_runtime_that_asks_for_something_else_is_told_in_the_reason(tmp_path: Path) -> None:
    script = (
        "import http.client, os, time; c = http.client.HTTPConnection("
        "os.environ['AWS_LAMBDA_RUNTIME_API']); c.request('GET', '/2020-08-15/logs'); "
        "c.getresponse().read(); time.sleep(60)"
    )
    made = synthetic(tmp_path)
    command = (*made.command[:3], "-c", script)
    outcome = tried(
        tmp_path, Behaviour(), timeouts=SHORT, change=lambda f: replace(f, command=command)
    )
    assert outcome.status == "failed"
    assert "no call for an event within 1 s" in outcome.reason
    # a busy machine may not get as far as the request within that second
    assert outcome.reason.endswith(("of its start", "not: GET /2020-08-15/logs"))


def test_less_than_one_invoke_is_no_trial(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="invokes is 0"):
        tried(tmp_path, Behaviour(), invokes=0)


@needs_groups
def test_a_share_of_cpu_is_in_the_row(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    outcome = tried(tmp_path, Behaviour(), box=Box(512, cpus=tuple(cores[:1])))
    assert outcome.status == "valid", outcome.reason
    share = outcome.metrics["cpu_share"]
    assert share.value == pytest.approx(512 / 1769)
    assert share.note == "confinement: cgroup, quota each 20 ms, memory 512 MB"
    assert value(outcome, "throttled") >= 0
    assert value(outcome, "peak_memory_group") > 0
    assert value(outcome, "cpu_cold") > 0


@needs_groups
def test_a_share_that_the_cores_cannot_give_is_said_so(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    outcome = tried(tmp_path, Behaviour(), box=Box(3008, cpus=tuple(cores[:1])))
    assert "the share of 1.70 vCPU is more than the 1 there were" in (
        outcome.metrics["cpu_share"].note
    )


@needs_groups
def test_out_of_memory_is_a_row_that_says_so(tmp_path: Path) -> None:
    outcome = tried(tmp_path, Behaviour(eat_mb=400), box=Box(128))
    assert outcome.status == "failed"
    assert "out of memory at 128 MB (killed by signal 9)" in outcome.reason
    peak = outcome.metrics["peak_memory_group"].value
    assert peak is not None
    assert peak <= 128


def test_a_box_that_cannot_be_made_is_labelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, memory_mb: int) -> Group:
        raise NoGroupError(f"no group {name[:10]} of {memory_mb} MB: Read-only file system")

    monkeypatch.setattr(Group, "create", refuse)
    outcome = tried(tmp_path, Behaviour(), box=Box(512))
    assert outcome.status == "valid", outcome.reason
    share = outcome.metrics["cpu_share"]
    assert share.value is None
    assert share.note.startswith("confinement: none: no group spikebench of 512 MB")
    assert value(outcome, "cpu") > 0
