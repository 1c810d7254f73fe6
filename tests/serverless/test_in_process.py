"""A JVM inside a Python process: the candidate's own, with the lever's options, and its cells."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from spikebench.method import Method
from spikebench.plan import Selection, plan
from spikebench.target.cache import Cache
from spikes.serverless.beside import COST, complete
from spikes.serverless.box import Box
from spikes.serverless.builders import BUILDERS, IN_PROCESS, builders_of
from spikes.serverless.cold_start import measure
from spikes.serverless.exchange import exchange
from spikes.serverless.function import Build, Function
from spikes.serverless.java.in_process import HANDLER, InProcess
from spikes.serverless.spike import SPIKE
from tests.serverless.cold_starts import record, scenario
from tests.serverless.one_invoke import invoke

JAVAS = [name for name in BUILDERS if name.startswith("java-")]
each_java = pytest.mark.parametrize("name", JAVAS)


@pytest.fixture(scope="module")
def cache() -> Cache:
    """The cache that is kept from run to run."""
    return Cache.open()


def obtained(name: str, build: Build, cache: Cache) -> Function:
    builder = IN_PROCESS[name]
    if reason := builder.withheld(build):
        pytest.skip(reason)
    return builder.build(build, cache, print)


def cells(profile: str, cache: Cache, **narrowed: list[str]) -> set[tuple[str, ...]]:
    planned = plan(
        SPIKE,
        SPIKE.read_scenarios(),
        SPIKE.profile(profile),
        Selection(**narrowed),  # type: ignore[arg-type]
        cache,
    )
    return {
        (cell.scenario.scenario, cell.candidate.name, cell.client.name, str(cell.params["lever"]))
        for cell in planned
        if not cell.arm
    }


@pytest.mark.slow
@each_java
def test_the_function_marks_its_start_and_answers(name: str, cache: Cache, tmp_path: Path) -> None:
    function = obtained(name, Build(HANDLER), cache)
    answered = invoke(function, {"name": "Grüße 🐇"}, tmp_path)
    assert answered.failure == ""
    assert answered.answer == {"message": "hello Grüße 🐇"}
    assert answered.marked


@pytest.mark.slow
@each_java
def test_the_jvm_is_the_candidates_own_with_the_options_of_the_lever(
    name: str, cache: Cache
) -> None:
    told: list[bytes] = []

    def ask(pid: int) -> int | None:
        told.extend(path.read_bytes() for path in Path("/tmp").glob(f"hsperfdata_*/{pid}"))
        return counted(pid) if counted else None

    made = obtained(name, Build(HANDLER, "c1", 512), cache)
    counted = made.classes_loaded
    asked = exchange(HANDLER)
    outcome = measure(
        replace(made, classes_loaded=ask), asked.event, asked.expected, Box(512, confined=False)
    )
    assert outcome.status == "valid", outcome.reason
    (counters,) = told
    version = re.search(rb"java\.property\.java\.version\0([\d.]+)\0", counters)
    assert version is not None
    assert version[1].decode().split(".")[0] == name.removeprefix("java-")
    assert version[1].decode() == made.versions["java"]
    assert b"java.rt.vmArgs\0-XX:MaxHeapSize=445645k -XX:TieredStopAtLevel=1\0" in counters
    assert b", sharing\0" in counters  # the archive of the JDK's classes is in use
    classes = outcome.metrics["classes_loaded"].value
    assert classes is not None
    assert 400 < classes < 5000


@pytest.mark.slow
def test_a_function_says_what_it_is(cache: Cache) -> None:
    function = obtained("java-21", Build(HANDLER), cache)
    assert list(function.versions) == ["java", "python", "awslambdaric", "jpype1"]
    assert any((Path(word) / "lib/server/libjvm.so").exists() for word in function.command)
    assert (function.folder / "org.jpype.jar").exists()
    assert IN_PROCESS["java-21"].presence(Build(HANDLER), cache).ready


@pytest.mark.slow
def test_an_option_the_jvm_does_not_know_is_a_failed_trial_with_its_words(cache: Cache) -> None:
    made = obtained("java-21", Build(HANDLER), cache)
    asked = exchange(HANDLER)
    broken = replace(made, command=(*made.command, "-XX:NoSuchOption"))
    outcome = measure(broken, asked.event, asked.expected, Box(1769, confined=False))
    assert outcome.status == "failed"
    assert outcome.metrics["runtime_up"].value is not None
    assert outcome.metrics["init"].value is None


def test_the_answer_is_the_one_that_every_hello_gives() -> None:
    assert exchange(HANDLER) == exchange("hello")


def test_only_javas_are_meant_and_jpype_drives_them(cache: Cache) -> None:
    found = {cell for cell in cells("smoke", cache) if cell[0] == HANDLER}
    assert found == {
        (HANDLER, name, "jpype", lever) for name in JAVAS for lever in ("baseline", "c1")
    }


def test_jpype_drives_nothing_else(cache: Cache) -> None:
    others = {cell for cell in cells("full", cache) if cell[0] != HANDLER}
    assert {"hello", "json", "spring"} == {cell[0] for cell in others}
    assert "jpype" not in {cell[2] for cell in others}
    asked = cells("full", cache, clients=["jpype"])
    assert {cell[0] for cell in asked} == {HANDLER}


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_it_is_left_to_longer_and_shorter_profiles(profile: str, cache: Cache) -> None:
    assert HANDLER not in {cell[0] for cell in cells(profile, cache)}


def test_what_makes_no_sense_is_withheld() -> None:
    builder = InProcess(21, environ={"SPIKEBENCH_JAVA_21": "/some/jdk"})
    assert builder.levers == ("baseline", "c1")
    assert "has no lever appcds" in builder.withheld(Build(HANDLER, "appcds"))
    assert "no json handler" in builder.withheld(Build("json"))
    assert "there is no in-process handler" in BUILDERS["java-21"].withheld(Build(HANDLER))


def test_a_runtime_that_cannot_be_had_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    reason = InProcess(21, environ={}).withheld(Build(HANDLER))
    assert reason.startswith(
        "no Java 21 runtime for riscv64 can be fetched; set SPIKEBENCH_JAVA_21"
    )


def test_a_chosen_runtime_that_is_none_is_said_so(tmp_path: Path, cache: Cache) -> None:
    builder = InProcess(21, environ={"SPIKEBENCH_JAVA_21": str(tmp_path)})
    if builder.withheld(Build(HANDLER)):
        pytest.skip("Python's client is made for Linux only")
    presence = builder.presence(Build(HANDLER), cache)
    assert presence.broken
    assert "SPIKEBENCH_JAVA_21" in presence.detail


def test_it_is_nobodys_price() -> None:
    invokes_ms = [5.0] + [1.0] * 40
    plain, inside = (scenario(scenario=handler, handler=handler) for handler in ("hello", HANDLER))
    for given, priced in ((plain, True), (inside, False)):
        trial = record(scenario=given.scenario, client="jpype", series={"invoke_ms": invokes_ms})
        (first, *_) = complete([trial], {given.scenario: given})
        assert (COST in first.metrics) is priced


def test_event_and_answer_are_json() -> None:
    folder = Path(__file__).parents[2] / "spikes/serverless/handlers" / HANDLER
    assert json.loads((folder / "event.json").read_text()) == {"name": "spike"}


def test_every_handler_has_builders() -> None:
    assert set(builders_of("hello")) == set(BUILDERS)
    assert set(builders_of("spring")) == set(builders_of(HANDLER)) == set(JAVAS)


def test_the_method_has_all_that_the_core_asks_for() -> None:
    method: Method = SPIKE.method
    assert not method.drives(scenario(), SPIKE.candidate("java-21").client("jpype"))
