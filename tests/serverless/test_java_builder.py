import json
import os
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from spikebench.errors import TargetError
from spikebench.target.cache import Cache
from spikebench.target.java import runtime_home
from spikebench.target.seal import find_damage
from spikes.serverless.function import Build, Function
from spikes.serverless.java import archive, builder, package
from spikes.serverless.java.archive import check_used, class_sources, is_archived
from spikes.serverless.java.builder import JavaBuilder
from spikes.serverless.java.package import HANDLERS
from spikes.serverless.java.rehearsal import rehearse


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache with the machine's jars and runtimes, but no functions."""
    shared = Cache.open()
    own = tmp_path / "cache"
    own.mkdir()
    for name in ("java", "maven"):
        (own / name).symlink_to(shared.folder(name))
    return Cache(own)


def _answer(function: Function, handler: str) -> object:
    event = (HANDLERS / handler / "event.json").read_bytes()
    return json.loads(rehearse(function.command, function.folder, function.environ, event))


def _expected(handler: str) -> object:
    return json.loads((HANDLERS / handler / "response.json").read_text())


@pytest.mark.parametrize(
    ("major", "build", "reason"),
    [
        (11, Build("spring"), "Spring Boot 3 needs Java 17 or later"),
        (21, Build("json", "aot-cache"), "needs Java 24 or later"),
        (21, Build("json", "aot-cache+c1"), "needs Java 24 or later"),
        (25, Build("json", "snapstart"), "SnapStart is a feature of the service: --target sandbox"),
        (25, Build("json", "warp"), "Java has no lever warp"),
        (25, Build("cobol"), "there is no cobol handler in Java"),
    ],
)
def test_what_makes_no_sense_says_why(major: int, build: Build, reason: str) -> None:
    assert JavaBuilder(major).withheld(build) == reason


def test_a_native_image_is_promised_nowhere() -> None:
    reason = JavaBuilder(21).withheld(Build("hello", "native"))
    assert reason == "no native image is built by this version of the harness"


def test_what_makes_sense_is_not_withheld() -> None:
    java = JavaBuilder(25)
    levers = [name for name in java.levers if name not in ("snapshot", "snapstart", "native")]
    assert levers[0] == "baseline"
    assert [java.withheld(Build("spring", lever)) for lever in levers] == [""] * len(levers)


def test_without_a_native_part_everything_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "native_part", lambda: "")
    assert "no native part" in JavaBuilder(21).withheld(Build("hello"))


def test_an_empty_cache_can_be_filled(tmp_path: Path) -> None:
    presence = JavaBuilder(21).presence(Build("hello"), Cache(tmp_path))
    assert (presence.ready, presence.obtainable) == (False, True)


def test_a_wrongly_chosen_runtime_is_broken(tmp_path: Path) -> None:
    chosen = {"SPIKEBENCH_JAVA_21": str(tmp_path)}
    presence = JavaBuilder(21, chosen).presence(Build("hello"), Cache(tmp_path))
    assert presence.broken
    assert "SPIKEBENCH_JAVA_21" in presence.detail


def test_sources_of_classes_are_read_from_the_log() -> None:
    log = (
        "[0.016s][info][class,load] java.lang.Object source: shared objects file\n"
        "[0.216s][info][class,load] hello.Handler source: shared objects file (top)\n"
        "[0.217s][info][class,load] hello.Other source: file:/x/handler.jar\n"
    )
    sources = class_sources(log)
    assert is_archived(sources["hello.Handler"])
    assert is_archived(sources["java.lang.Object"])
    assert sources["hello.Other"] == "file:/x/handler.jar"
    assert not is_archived(sources["hello.Other"])


@pytest.mark.slow
@pytest.mark.parametrize("handler", ["hello", "json", "spring"])
def test_each_handler_answers_as_written(handler: str) -> None:
    function = JavaBuilder(17).build(Build(handler), Cache.open(), print)
    assert _answer(function, handler) == _expected(handler)


@pytest.mark.slow
def test_the_class_loader_of_the_managed_runtime_takes_the_task_folder(tmp_path: Path) -> None:
    function = JavaBuilder(17).build(Build("spring", "lambda-runtime"), Cache.open(), print)
    assert "handler.jar" not in " ".join(function.command)
    log, (java, *rest) = tmp_path / "log", function.command
    event = (HANDLERS / "spring" / "event.json").read_bytes()
    command = [java, f"-Xlog:class+load:file={log}", *rest]
    answer = rehearse(command, function.folder, function.environ, event)
    assert json.loads(answer) == _expected("spring")
    source = class_sources(log.read_text())["enrolments.Handler"]
    assert source.endswith("/task/lib/handler.jar")


@pytest.mark.slow
@pytest.mark.parametrize("major", [11, 21, 25])
def test_each_version_runs_the_same_package(major: int) -> None:
    function = JavaBuilder(major).build(Build("json", "lambda-flags"), Cache.open(), print)
    assert _answer(function, "json") == _expected("json")
    assert function.versions["java"].split(".")[0] == str(major)


@pytest.mark.slow
def test_a_wrong_row_of_any_type_is_refused() -> None:
    good = {"id": 1, "name": " A ", "email": "a@b", "amount": "12.5"}
    wrong: list[dict[str, object]] = [
        {"id": "1"},
        {"id": True},
        {"id": 1.0},
        {"id": None},
        {"name": 7},
        {"name": "x" * 101},
        {"email": "a@b@c"},
        {"email": "@b"},
        {"amount": 12.5},
        {"amount": "12."},
    ]
    kind = {"database": "d", "table": "t", "type": "insert"}
    rows: list[dict[str, object]] = [
        {**kind, "data": {**good, **change}} for change in ({}, *wrong)
    ]
    rows += [{**kind, "data": {}}, {**kind, "type": None, "data": good}]
    function = JavaBuilder(17).build(Build("json"), Cache.open(), print)
    event = json.dumps({"rows": rows}).encode()
    answer = json.loads(rehearse(function.command, function.folder, function.environ, event))
    reasons = ["id"] * 4 + ["name"] * 2 + ["email"] * 2 + ["amount"] * 2 + ["id", "type"]
    assert [refusal["reason"] for refusal in answer["refused"]] == reasons
    assert answer["accepted"] == [
        {"key": "d.t/1", "operation": "insert", "name": "A", "amount_cents": 1250, "changed": []}
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("major", "lever"), [(11, "appcds"), (17, "appcds"), (17, "appcds+c1"), (25, "aot-cache")]
)
@pytest.mark.parametrize("memory_mb", [256, 3008])
def test_archives_are_used_whatever_the_memory(
    major: int, lever: str, memory_mb: int, tmp_path: Path
) -> None:
    function = JavaBuilder(major).build(Build("json", lever, memory_mb), Cache.open(), print)
    log = tmp_path / "log"
    java, *rest = function.command
    command = [java, f"-Xlog:class+load:file={log}", "-XX:ActiveProcessorCount=1", *rest]
    event = (HANDLERS / "json" / "event.json").read_bytes()
    rehearse(command, function.folder, function.environ, event)
    sources = class_sources(log.read_text())
    archived = [name for name, source in sources.items() if is_archived(source)]
    for name in ("rows.Handler", "rows.Rules", "com.fasterxml.jackson.databind.ObjectMapper"):
        assert name in archived, sources.get(name)
    assert len(archived) > 0.9 * len(sources)


@pytest.mark.slow
def test_an_archive_of_other_jars_is_refused(cache: Cache) -> None:
    JavaBuilder(17).build(Build("hello", "appcds"), cache, print)
    folder = next(cache.folder("serverless").glob("java-hello-17-appcds-*"))
    home = runtime_home(17, cache, print)
    below = package.make_platform(cache, print)
    made = package.make_package(package.SOURCES["hello"], cache, print)
    trainee = builder._trainee(17, home, Build("hello", "appcds"), made, below)
    changed = replace(trainee, class_path=trainee.class_path[::-1])
    with pytest.raises(TargetError):
        check_used("appcds", changed, folder)


@pytest.mark.slow
def test_a_lever_that_does_nothing_is_refused(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "archive_options", lambda *_: ())
    with pytest.raises(TargetError, match=r"the archive for appcds is not used: hello\.Handler"):
        JavaBuilder(17).build(Build("hello", "appcds"), cache, print)
    assert not list(cache.folder("serverless").glob("java-hello-17-appcds-*"))


@pytest.mark.slow
def test_a_function_is_built_once_and_again_where_it_is_damaged(cache: Cache) -> None:
    java, build, said = JavaBuilder(17), Build("hello", "appcds"), list[str]()
    assert not java.presence(build, cache).ready
    first = java.build(build, cache, said.append)
    assert java.presence(build, cache).ready
    spoken = len(said)
    assert java.build(build, cache, said.append) == first
    assert len(said) == spoken
    (first.folder / "handler.jar").write_bytes(b"broken")
    assert not java.presence(build, cache).ready
    assert java.build(build, cache, said.append) == first
    assert find_damage(first.folder) is None
    assert said[spoken:] == ["compiling 1 Java sources in handlers/hello/java"]
    next(cache.folder("serverless").glob("java-hello-17-appcds-*/archive")).write_bytes(b"broken")
    assert not java.presence(build, cache).ready
    assert java.build(build, cache, said.append) == first
    assert java.presence(build, cache).ready
    assert _answer(first, "hello") == _expected("hello")


@pytest.mark.slow
def test_the_package_holds_handler_and_libraries_only(cache: Cache) -> None:
    hello = JavaBuilder(17).build(Build("hello"), cache, print)
    libraries = package.make_package(package.SOURCES["json"], cache, print).libraries
    jackson = JavaBuilder(17).build(Build("json"), cache, print)
    assert hello.package_bytes < 5_000
    jars = sum(jar.stat().st_size for jar in libraries)
    assert 0.8 * jars < jackson.package_bytes < jars + 30_000
    assert not [jar for jar in libraries if "lambda" in jar.name]


@pytest.mark.slow
def test_the_mark_is_written_and_classes_are_counted(tmp_path: Path) -> None:
    function = JavaBuilder(17).build(Build("hello"), Cache.open(), print)
    assert function.classes_loaded is not None
    mark, silent = tmp_path / "mark", socket.create_server(("127.0.0.1", 0))
    os.mkfifo(mark)
    environ = {
        **function.environ,
        "SPIKEBENCH_MARK": str(mark),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{silent.getsockname()[1]}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }
    process = subprocess.Popen(
        function.command,
        cwd=function.folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with mark.open("rb") as pipe:
            assert pipe.read() == b"u"
        count, deadline = None, time.monotonic() + 10
        while count is None and time.monotonic() < deadline and process.poll() is None:
            count = function.classes_loaded(process.pid)
        assert count is not None
        assert 300 < count < 5_000
    finally:
        process.kill()
        process.wait()
        silent.close()
        for left in Path("/tmp").glob(f"hsperfdata_*/{process.pid}"):
            left.unlink()


def test_nothing_is_here_without_jars(tmp_path: Path) -> None:
    assert package.find_platform(Cache(tmp_path)) is None
    assert package.find_package(package.SOURCES["hello"], Cache(tmp_path)) is None
