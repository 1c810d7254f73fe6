"""OpenMessaging Benchmark: how it is found and called, and what is read of what it says."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks import open_messaging as benchmark
from benchmarks import open_messaging_benchmark as tool
from benchmarks.open_messaging import (
    consumed_meanwhile_per_s,
    on_rate,
    open_messaging_latency,
    open_messaging_throughput,
    said,
    said_of_flood,
    version,
)
from benchmarks.open_messaging_benchmark import (
    FLOOD_PER_S,
    VARIABLE,
    Said,
    build,
    checkout,
    driver,
    measure,
    read_result,
    summed_up,
    workload,
)
from benchmarks.proof import SECTIONS
from benchmarks.rig import Rig
from benchmarks.tool import ToolError
from spikebench.load.driver import Wiring
from spikebench.measure.observation import Delivery, Observation, Usage

RESULT = {
    "workload": "beside spikebench",
    "publishRate": [90.0, 95.0, 100.0, 102.0, 98.0, 100.0],
    "publishErrorRate": [0.0] * 6,
    "consumeRate": [80.0, 90.0, 90.0, 92.0, 88.0, 90.0],
    "publishLatency50pct": [9.0, 9.0, 1.0, 4.0, 1.0, 4.0],
    "publishLatency99pct": [90.0, 90.0, 10.0, 40.0, 10.0, 40.0],
}


def wiring() -> Wiring:
    connection = {"bootstrap": "127.0.0.1:9"}
    return Wiring(
        name="mine", connection=connection, linger_ms=1.0, batch_bytes=131_072, prefetch=500
    )


def test_windows_of_the_warm_up_are_left_out() -> None:
    got = read_result(RESULT, "")
    assert (got.published_per_s, got.consumed_per_s) == (100, 90)
    assert [got.p50_ms, got.p99_ms] == pytest.approx([2, 20])


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {**RESULT, "publishRate": RESULT["publishRate"][:5]},
        {name: values[:5] for name, values in RESULT.items()},
        {**RESULT, "publishRate": None},
    ],
)
def test_a_result_that_is_not_of_a_whole_minute_is_an_error(
    result: Mapping[str, Any] | None,
) -> None:
    with pytest.raises(ToolError, match=r"no result that (.|\n)*cannot connect"):
        read_result(result, "one\ncannot connect\n")


def test_records_it_could_not_send_are_an_error() -> None:
    with pytest.raises(ToolError, match="could not send all"):
        read_result({**RESULT, "publishErrorRate": [0, 0, 0, 0.1, 0, 0]}, "")


def test_both_have_the_same_settings() -> None:
    told = driver(wiring())
    producer = dict(line.split("=", 1) for line in told["producerConfig"].splitlines())
    assert producer == {"acks": "all", "linger.ms": "1", "batch.size": "131072"}
    assert "bootstrap.servers=127.0.0.1:9\n" in told["commonConfig"]
    assert "max.poll.records=500\n" in told["consumerConfig"]
    asked = workload(4_000.4)
    assert (asked["producerRate"], asked["messageSize"]) == (4_000, 1_024)
    assert (asked["topics"], asked["partitionsPerTopic"], asked["producersPerTopic"]) == (1, 1, 1)


def checked_out(folder: Path) -> Path:
    """What of a checkout is looked at."""
    for module in tool.MODULES:
        source = folder / module / "src" / "main" / "java" / f"{module.title()}.java"
        source.parent.mkdir(parents=True)
        source.touch()
    return folder


def test_without_the_variable_nothing_is_run_and_it_says_how(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    heard = list[str]()
    rig = cast(Rig, SimpleNamespace(say=heard.append))
    assert open_messaging_throughput(rig, 5) == open_messaging_latency(rig, 5) == []
    line, again = heard
    assert line == again
    assert "not run: SPIKEBENCH_OMB is not set; to run it, clone https://github.com/" in line
    assert tool.COMMIT in line


def test_a_checkout_is_found_by_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(checked_out(tmp_path)))
    assert checkout() == tmp_path
    assert version(tmp_path) == "commit unknown"


def test_a_folder_that_is_no_checkout_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(ToolError, match=rf"SPIKEBENCH_OMB={tmp_path}: has no driver-api; clone"):
        checkout()


@pytest.mark.parametrize("code", [0, 2])
def test_what_is_compiled_is_the_local_worker_and_the_kafka_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(tool, "class_path", lambda lock, *_: [tmp_path / f"{lock.stem}.jar"])
    folder = checked_out(tmp_path / "omb")
    (folder / "benchmark-framework" / "src" / "main" / "java" / tool.REMOTE).touch()
    rig = rig_with(
        f"echo $* > {tmp_path}/arguments; echo 'cannot resolve' >&2; exit {code}", tmp_path
    )
    if code:
        with pytest.raises(ToolError, match=rf"does not compile; is it {tool.COMMIT}\?\ncannot"):
            build(rig, folder, tmp_path / "client.jar", tmp_path / "classes")
        return
    jars = build(rig, folder, tmp_path / "client.jar", tmp_path / "classes")
    assert [jar.name for jar in jars] == [
        "classes",
        "resources",
        "client.jar",
        "open-messaging.jar",
    ]
    told = (tmp_path / "arguments").read_text()
    assert told.startswith(f"-javaagent:{tmp_path}/open-messaging.jar=ECJ -cp {tmp_path}/ecj.jar:")
    assert [Path(each).name for each in told.split() if each.endswith(".java")] == [
        "Driver-Api.java",
        "Driver-Kafka.java",
        "Benchmark-Framework.java",
    ]


def rig_with(java: str, tmp_path: Path) -> Rig:
    """A rig whose ``java`` is a shell script."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{java}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    cores = SimpleNamespace(load=[max(os.sched_getaffinity(0))])
    return cast(Rig, SimpleNamespace(java_home=tmp_path, cores=cores, cache=None, say=print))


@pytest.fixture
def cleared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where the topics it leaves were deleted."""
    places = list[str]()
    monkeypatch.setattr(tool, "_delete_topics", places.append)
    return places


def run(java: str, tmp_path: Path) -> Said:
    jars = (tmp_path / "classes", tmp_path / "client.jar")
    return measure(rig_with(java, tmp_path), jars, wiring(), FLOOD_PER_S)


def test_it_is_ended_when_it_has_said_all_although_it_would_stay(
    tmp_path: Path, cleared: list[str]
) -> None:
    arguments = tmp_path / "arguments"
    text = json.dumps(RESULT)
    java = (
        f"echo $* > {arguments}; cp *.yaml {tmp_path}; echo '{text}' > result.json; exec sleep 600"
    )
    assert run(java, tmp_path).published_per_s == 100
    assert cleared == ["127.0.0.1:9"]
    told = arguments.read_text()
    assert f"-Xmx1g -cp {tmp_path}/classes:{tmp_path}/client.jar {tool.MAIN} --drivers" in told
    assert json.loads((tmp_path / "workload.yaml").read_text())["producerRate"] == FLOOD_PER_S
    assert json.loads((tmp_path / "driver.yaml").read_text())["name"] == "Kafka"


def test_that_it_gave_up_is_an_error_with_its_last_words(
    tmp_path: Path, cleared: list[str]
) -> None:
    says = "Failed to run the workload 'x': no broker"
    java = f'echo "{says}" | tee benchmark-worker.log; exec sleep 600'
    with pytest.raises(ToolError, match=r"(.|\n)*no broker"):
        run(java, tmp_path)
    assert cleared


def test_a_round_counts_where_both_reached_the_rate() -> None:
    fast, slow = Said(99, 99, 1, 2), Said(98.9, 99, 1, 2)
    assert on_rate([(fast, slow), (fast, fast), (slow, fast)], 100) == [(fast, fast)]
    assert on_rate([(fast, slow), (slow, slow)], 100) == []


def seen(received_ns: list[int], confirmed_ns: list[int]) -> Observation:
    """Records sent 1 ms apart from second 1 on."""
    count = len(received_ns)
    sent = 1_000_000_000 + 1_000_000 * np.arange(count)
    delivery = Delivery(0, 0, np.arange(count, dtype=np.int32), sent + received_ns)
    return Observation(
        first_seq=0,
        intended_ns=sent,
        sent_ns=sent,
        confirmed_ns=sent + confirmed_ns,
        key=np.zeros(count, np.int32),
        size_bytes=np.zeros(count, np.int32),
        subscribers=1,
        deliveries=(delivery,),
        usage=Usage(None, None, 1.0),
    )


def test_ours_is_said_as_theirs_would_be() -> None:
    late = seen([2_000_000] * 500 + [700_000_000] * 500, [1_000_000] * 980 + [5_000_000] * 20)
    got = said(late)
    # 999 ms from the first send to the last, 5 more to its confirm
    assert got.published_per_s == pytest.approx(1000 / 1.004)
    # the first 500 came within it, the others 196 ms after it at the earliest
    assert got.consumed_per_s == consumed_meanwhile_per_s(late) == pytest.approx(500 / 1.004)
    assert (got.p50_ms, got.p99_ms) == (1.0, 5.0)


def test_of_a_flood_counts_what_happened_while_its_window_was_full() -> None:
    # 100 ms are in flight; a confirm takes 100 ms, and an arrival 200 ms.
    flood = seen([200_000_000] * 1000, [100_000_000] * 1000)
    got = said_of_flood(flood, window=100)
    assert got.published_per_s == pytest.approx(1000)  # 899 in the 899 ms from record 100 on
    assert got.consumed_per_s == pytest.approx(799 / 0.899)
    assert (got.p50_ms, got.p99_ms) == (100.0, 100.0)


def test_a_record_that_was_not_received_is_an_error() -> None:
    lost = seen([1_000] * 10, [1_000] * 10)
    delivery = Delivery(0, 0, np.arange(9, dtype=np.int32), np.ones(9, np.int64))
    with pytest.raises(RuntimeError, match="1 of 10 records were not received"):
        said(Observation(**{**vars(lost), "deliveries": (delivery,)}))


def test_windows_are_summed_up_alike() -> None:
    both = summed_up([Said(10, 20, 1, 10), Said(20, 40, 4, 40)])
    assert (both.published_per_s, both.consumed_per_s) == (15, 30)
    assert [both.p50_ms, both.p99_ms] == pytest.approx([2, 20])


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_per_s: float) -> list[float]:
    """In place of both tools, theirs with a limit; return the rates that theirs is asked for."""
    rates = list[float]()

    def theirs(*arguments: object) -> Said:
        rates.append(cast(float, arguments[-1]))
        return Said(min(rates[-1], most_per_s), 40_000, 2.0, 10.0)

    monkeypatch.setenv(VARIABLE, str(checked_out(tmp_path)))
    for name, instead in {
        "build": lambda *_: (),
        "kafka_client": lambda _: tmp_path,
        "wiring": lambda _: None,
        "measure": theirs,
        "_flood": lambda _: Said(100_000, 60_000, 1.0, 8.0),
        "_even": lambda _, rate: Said(rate, rate, 1.0, 8.0),
    }.items():
        monkeypatch.setattr(benchmark, name, instead)
    return rates


def test_rows_are_of_the_flood_and_of_each_rate_and_say_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = stand_in(tmp_path, monkeypatch, most_per_s=50_000)
    rig = cast(Rig, SimpleNamespace(say=print))
    found = open_messaging_throughput(rig, 2) + open_messaging_latency(rig, 2)
    rows = {row.name: row for row in found}
    assert rates == [FLOOD_PER_S] * 2 + [4_000] * 2 + [pytest.approx(30_000)] * 2
    assert {name: round(row.ratio or 0.0, 6) for name, row in rows.items()} == {
        "open-messaging-kafka-published": 2.0,
        "open-messaging-kafka-consumed": 1.5,
        "open-messaging-kafka-publish-p50-at-4000": 0.5,
        "open-messaging-kafka-publish-p99-at-4000": 0.8,
        "open-messaging-kafka-publish-p50-at-30": 0.5,
        "open-messaging-kafka-publish-p99-at-30": 0.8,
    }
    assert {line.name for section in SECTIONS for line in section.lines} >= set(rows)
    note = rows["open-messaging-kafka-publish-p99-at-30"].note
    assert (
        "publish latency p99 at 30,000 records/s, 30% of what a flood of ours had just published"
        in note
    )
    assert note.endswith("ours 8.000 ms, theirs 10.000 ms")
    assert "(commit unknown)" in note


def test_a_rate_that_no_round_reached_has_no_row_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, most_per_s=20_000)
    heard = list[str]()
    rows = open_messaging_latency(cast(Rig, SimpleNamespace(say=heard.append)), 2)
    assert [row.name.rsplit("-", 1)[1] for row in rows] == ["4000", "4000"]
    assert heard == ["no round had both at 30,000 records/s, and so no row: is other work on?"]
