"""The docker target of cold starts. Slow tests need an engine and images: see docs/docker.md."""

from __future__ import annotations

import json
import os
import platform
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import docker as docker_library
import pytest

from spikebench.errors import ArtefactError, TargetError
from spikebench.measure.outcome import Outcome
from spikebench.target.cache import Cache
from spikebench.target.container.engine import engine
from spikebench.target.container.image import Image
from spikebench.target.container.owner import TOKEN, guard_of
from spikebench.target.fleet import choose
from spikes.serverless.cold_start import measure
from spikes.serverless.docker.container import ContainerBox, ContainerGroup, Host
from spikes.serverless.docker.images import IMAGES, PYTHON, InContainer, _image
from spikes.serverless.docker.package import LEVERS, Packer, withheld_in_image
from spikes.serverless.exchange import exchange
from spikes.serverless.function import Build, Function
from spikes.serverless.group import Group
from spikes.serverless.happening import Happening
from spikes.serverless.java.perf_data import classes_loaded_inside
from spikes.serverless.spike import SPIKE
from spikes.serverless.synthetic import SCRIPT, Behaviour
from spikes.serverless.trial import Timeouts

EVENT = b'{"rows": [1, 2.5, "\\u00e9"]}'
CORES = tuple(sorted(os.sched_getaffinity(0))[:1])
ID = "4f8c12125048e18512e5eb1b70bf8d9a"
BURN = "while :; do :; done"


# -- without an engine ---------------------------------------------------------------------------


def test_an_image_is_pinned_for_the_machine_it_is_for() -> None:
    for machine in ("x86_64", "aarch64"):
        for tag in ("java:11", "java:17", "java:21", "java:25", "nodejs:24", "provided:al2023"):
            image = _image(tag, "X", machine)
            name, _, digest = image.pinned.partition("@sha256:")
            assert image.release.startswith(f"{name}:")
            assert len(bytes.fromhex(digest)) == 32
    assert _image("java:17", "X", "x86_64").pinned != _image("java:17", "X", "aarch64").pinned


def test_where_no_digest_is_known_the_tag_is_all_there_is() -> None:
    assert _image("java:17", "X", "riscv64").pinned == "public.ecr.aws/lambda/java:17"
    assert IMAGES["python"].pinned == f"public.ecr.aws/lambda/python:{PYTHON}"


def test_every_candidate_has_an_image_and_a_variable_to_take_another() -> None:
    assert set(IMAGES) == {candidate.name for candidate in SPIKE.candidates}
    assert IMAGES["java-21"].reference({"SPIKEBENCH_LAMBDA_JAVA_21_IMAGE": "mine"}) == "mine"


def test_docker_is_taken_only_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine")
    python = next(each for each in SPIKE.candidates if each.name == "python")
    assert choose(python, "auto", Cache(tmp_path)).target == "local"
    asked = choose(python, "docker", Cache(tmp_path))
    assert asked.target == "docker"
    assert "no Docker engine answers" in asked.reason


@pytest.mark.parametrize(
    ("lever", "reason"),
    [
        ("appcds", "the runtime that made it"),
        ("aot-cache+c1", "the runtime that made it"),
        ("lambda-flags", "see baseline"),
        ("lambda-runtime", "see baseline"),
        ("snapshot", "--target local"),
        ("c1", ""),
        ("baseline", ""),
    ],
)
def test_a_lever_that_an_image_does_not_take_says_why(lever: str, reason: str) -> None:
    told = withheld_in_image(Build("hello", lever), "warm")
    assert bool(told) == bool(reason)
    assert reason in told
    assert (lever in LEVERS) == (not reason)


def test_an_image_cannot_be_dropped_from_the_page_cache() -> None:
    assert "cannot be dropped" in withheld_in_image(Build("hello"), "dropped")


def test_an_engine_in_a_virtual_machine_will_not_do() -> None:
    recipe = InContainer(IMAGES["go"])
    assert recipe.unfit({"KernelVersion": platform.release()}) == ""
    assert "virtual machine" in recipe.unfit({"KernelVersion": "6.1.0-elsewhere"})


def box(memory_mb: int = 884, host: Host | None = None, image: str = "image") -> ContainerBox:
    nobody = Host(cast(docker_library.DockerClient, None), "token", Path("/nowhere"))
    return ContainerBox(memory_mb, CORES, host=host or nobody, image=image)


def test_a_container_gets_the_share_and_the_limit_of_its_size() -> None:
    limits = box().limits()
    assert limits["cpu_quota"] / limits["cpu_period"] == pytest.approx(884 / 1769, abs=1e-4)
    assert limits["mem_limit"] == limits["memswap_limit"] == 884 * 2**20
    assert limits["cpuset_cpus"] == str(CORES[0])


def test_an_engine_that_can_set_no_limit_is_not_asked_to() -> None:
    host = Host(cast(docker_library.DockerClient, None), "token", Path("/"), "the engine cannot")
    assert set(box(host=host).limits()) == {"cpuset_cpus"}
    assert box(host=host).confinement == "none: the engine cannot"


def place(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(root: Path) -> Group | None:
    return Group.of_container(ID, 7, mount=root / "sys", proc=root / "proc")


def test_a_container_s_group_is_found_in_version_two(tmp_path: Path) -> None:
    place(
        tmp_path,
        {
            "proc/7/cgroup": f"0::/system.slice/docker-{ID}.scope\n",
            "sys/cgroup.controllers": "cpu memory\n",
        },
    )
    group = found(tmp_path)
    assert group is not None
    assert group.version == 2
    assert group.distinct == (tmp_path / f"sys/system.slice/docker-{ID}.scope",)


def test_a_container_s_groups_are_found_in_version_one(tmp_path: Path) -> None:
    path = f"docker/{ID}"
    place(
        tmp_path,
        {
            "proc/7/cgroup": f"4:memory:/{path}\n2:cpu,cpuacct:/{path}\n1:name=systemd:/\n0::/\n",
            f"sys/memory/{path}/cgroup.procs": "7\n",
            f"sys/cpu,cpuacct/{path}/cgroup.procs": "7\n",
        },
    )
    group = found(tmp_path)
    assert group is not None
    assert group.version == 1
    assert group.pids() == [7]
    assert group.folders["cpu"] == tmp_path / f"sys/cpu,cpuacct/{path}"


@pytest.mark.parametrize("memberships", ["0::/\n", "0::/system.slice/docker-other.scope\n"])
def test_a_group_that_is_not_the_container_s_is_not_taken(tmp_path: Path, memberships: str) -> None:
    place(tmp_path, {"proc/7/cgroup": memberships, "sys/cgroup.controllers": "cpu memory\n"})
    assert found(tmp_path) is None


def test_a_process_that_is_gone_has_no_group(tmp_path: Path) -> None:
    assert found(tmp_path) is None


def test_what_was_spent_before_the_start_is_not_the_function_s(tmp_path: Path) -> None:
    def spent(usage_us: int, periods: int, waited_us: int) -> None:
        facts = {"usage_usec": usage_us, "nr_throttled": periods, "throttled_usec": waited_us}
        text = "".join(f"{name} {value}\n" for name, value in facts.items())
        place(tmp_path, {"cpu.stat": text})

    spent(15_000, 1, 4_000)
    group = ContainerGroup.since_now(
        Group(2, dict.fromkeys(("cpu", "cpuacct", "memory"), tmp_path))
    )
    spent(40_000, 3, 10_000)
    assert group.cpu_s() == pytest.approx(0.025)
    assert group.throttling().periods == 2
    assert group.throttling().waited_s == pytest.approx(0.006)


def test_classes_are_counted_from_inside_a_container(tmp_path: Path) -> None:
    entry = struct.pack("<iiiBBBBi", 68, 20, 0, ord("J"), 0, 4, 3, 60)
    named = [b"java.cls.loadedClasses", b"java.cls.sharedLoadedClasses"]
    entries = b"".join(
        entry + name.ljust(40, b"\0") + struct.pack("<q", count)
        for name, count in zip(named, (70, 450), strict=True)
    )
    head = b"\xca\xfe\xc0\xc0" + struct.pack("<BBBBiiqii", 1, 2, 0, 1, 0, 0, 0, 32, 2)
    folder = tmp_path / "7/root/tmp/hsperfdata_root"
    folder.mkdir(parents=True)
    assert classes_loaded_inside(7, tmp_path) is None
    (folder / "1").write_bytes(head + entries)
    assert classes_loaded_inside(7, tmp_path) == 520


# -- with an engine ------------------------------------------------------------------------------


def unavailable(reason: str) -> None:
    if os.environ.get("SPIKEBENCH_REQUIRE_DOCKER"):
        pytest.fail(f"SPIKEBENCH_REQUIRE_DOCKER is set, and {reason}")
    pytest.skip(reason)


@pytest.fixture
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    token, scratch = uuid.uuid4().hex, tmp_path_factory.mktemp("pipes")
    try:
        with engine(30) as client:
            guard = guard_of(token)
            try:
                yield Host(client, token, scratch)
                assert not carrying(client, token)
                assert not list(scratch.iterdir())
            finally:
                guard.end()
    except TargetError as error:
        unavailable(str(error))


def carrying(client: Any, token: str) -> list[Any]:
    return list(client.containers.list(all=True, filters={"label": f"{TOKEN}={token}"}))


def image_of(candidate: str) -> str:
    """The image of a candidate, which must be there already: tests pull nothing."""
    recipe = InContainer(IMAGES[candidate])
    present = recipe.presence(Cache.open())
    if not present.ready:
        unavailable(present.detail)
    return recipe.named


Try = Callable[..., Outcome]


def from_memory(start: Callable[[], Outcome]) -> Outcome:
    """Start once more, twice at most, where files came from the disk: an image's first start does.

    A lab has an image's files read by an earlier start. They may leave the page cache again, on a
    machine that has other things to keep.
    """
    outcome = start()
    for _ in range(2):
        if "came from the disk" not in outcome.reason:
            break
        outcome = start()
    return outcome


@pytest.fixture
def tried(host: Host, tmp_path: Path) -> Try:
    """Measure the synthetic runtime in the image that has a Python."""

    def trying(
        behaviour: Behaviour,
        memory_mb: int = 512,
        invokes: int = 1,
        command: tuple[str, ...] = (),
        image: str = "",
    ) -> Outcome:
        shutil.copy(SCRIPT, tmp_path)
        told = json.dumps(asdict(behaviour))
        script = f"/var/task/{SCRIPT.name}"
        function = Function(
            command=command or ("/var/lang/bin/python3", "-I", "-S", script, told),
            folder=tmp_path,
            environ={},
            package_bytes=SCRIPT.stat().st_size,
        )
        where = box(memory_mb, host, image or image_of("python"))
        timeouts = Timeouts(init_s=60.0, invoke_s=20.0)
        return from_memory(
            lambda: measure(
                function, EVENT, json.loads(EVENT), where, invokes=invokes, timeouts=timeouts
            )
        )

    return trying


def value(outcome: Outcome, name: str) -> float:
    number = outcome.metrics[name].value
    assert number is not None, (name, outcome.metrics[name].note, outcome.reason)
    return number


@pytest.mark.slow
def test_each_phase_lasts_as_long_as_it_sleeps(tried: Try) -> None:
    outcome = tried(Behaviour(before_mark_s=0.2, init_s=0.15, first_s=0.1), invokes=3)
    assert outcome.status == "valid", outcome.reason
    assert value(outcome, "runtime_up") >= 200
    assert value(outcome, "runtime_up") + value(outcome, "init") >= 350
    assert value(outcome, "first_invoke") >= 100
    phases = ("runtime_up", "init", "turn_around", "first_invoke")
    parts = sum(value(outcome, name) for name in phases)
    assert value(outcome, "cold_start") == pytest.approx(parts, abs=0.001)
    assert value(outcome, "container_start") > 0
    assert len(outcome.series["invoke_ms"]) == 3


@pytest.mark.slow
def test_what_the_engine_spent_is_on_nobody_s_account(host: Host, tmp_path: Path) -> None:
    """The account begins at zero with the container long up, and has what the function spends."""
    where = box(512, host, image_of("go"))
    function = Function(("/bin/sh", "-c", BURN), tmp_path, {}, 0)
    with (
        selectors.DefaultSelector() as selector,
        where.boxed(function, "127.0.0.1:9", selector, lambda _: None) as boxed,
    ):
        if boxed.group is None:
            unavailable("the kernel does not show control groups of containers here")
        assert boxed.group is not None
        assert boxed.pid in boxed.group.pids()
        raw = Group(boxed.group.version, boxed.group.folders)
        engines_s, before_s = raw.cpu_s(), boxed.group.cpu_s()
        assert engines_s > 0.003
        assert before_s < 0.001
        boxed.start()
        time.sleep(1.0)
        spent_s = boxed.group.cpu_s()
        assert spent_s > 0.01
        assert spent_s == pytest.approx(raw.cpu_s() - engines_s, abs=0.3)
        assert boxed.group.throttling().periods > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(init_exit=3), "before its first call for an event: exit code 3; its last words"),
        (Behaviour(init_error="no such table"), "error at init: Synthetic: no such table"),
        (Behaviour(exit_at=2), "it ended within invoke 2: exit code 3; its last words: giving up"),
        (Behaviour(wrong_at=1), "invoke 1: a wrong answer"),
        (Behaviour(eat_mb=300), "out of memory at 128 MB"),
    ],
)
def test_what_goes_wrong_is_told_and_leaves_nothing(
    tried: Try, behaviour: Behaviour, reason: str
) -> None:
    outcome = tried(behaviour, 128, invokes=2)
    assert outcome.status == "failed"
    assert reason in outcome.reason


@pytest.mark.slow
def test_an_image_that_is_no_base_image_fails_with_what_its_shell_says(tried: Try) -> None:
    outcome = tried(Behaviour(), command=("/var/runtime/bootstrap",), image=image_of("go"))
    assert outcome.status == "failed"
    assert "/var/runtime/bootstrap: not found" in outcome.reason


@pytest.mark.slow
def test_an_engine_that_refuses_a_container_is_told_of(host: Host, tmp_path: Path) -> None:
    function = Function(("x",), tmp_path, {}, 0)
    with pytest.raises(TargetError, match="did not start a container of spikebench/nothing"):
        measure(function, EVENT, {}, box(host=host, image="spikebench/nothing:here"))


@pytest.mark.slow
def test_an_image_that_cannot_be_pulled_says_which_variable_names_another() -> None:
    recipe = InContainer(Image("a", "127.0.0.1:9/nothing:here", "SPIKEBENCH_LAMBDA_X_IMAGE"))
    present = recipe.presence(Cache.open())
    if "no Docker engine" in present.detail:
        unavailable(present.detail)
    assert not present.ready
    assert not present.obtainable
    assert "SPIKEBENCH_LAMBDA_X_IMAGE" in present.mend
    with pytest.raises(ArtefactError, match="SPIKEBENCH_LAMBDA_X_IMAGE"):
        recipe.install(Cache.open(), print)


@pytest.mark.slow
@pytest.mark.parametrize("handler", ["hello", "json"])
@pytest.mark.parametrize(
    ("candidate", "lever"),
    [("java-17", "baseline"), ("java-17", "c1"), ("python", "baseline")],
)
def test_a_function_answers_in_its_base_image(
    host: Host, candidate: str, lever: str, handler: str
) -> None:
    image = image_of(candidate)
    packer = Packer(host, image, Cache.open(), print)
    function = packer.function(candidate, Build(handler, lever, 1024))
    asks = exchange(handler)
    where = box(1024, host, image)
    outcome = from_memory(lambda: measure(function, asks.event, asks.expected, where, invokes=3))
    assert outcome.status == "valid", outcome.reason
    assert outcome.metrics["runtime_up"].value is None
    assert "mark never came" in outcome.metrics["runtime_up"].note
    if candidate == "java-17":
        assert value(outcome, "classes_loaded") > 300
        assert function.versions["java"].startswith("17.")
    else:
        assert function.versions["python"].startswith(PYTHON)
    assert function.versions["stand-in"]


@pytest.mark.slow
def test_a_lever_s_option_reaches_the_runtime(host: Host) -> None:
    """Java's first words name the options that it has picked up from its environment."""
    image = image_of("java-17")
    function = Packer(host, image, Cache.open(), print).function("java-17", Build("hello", "c1"))
    where = box(1769, host, image)
    happened = list[Happening]()
    with (
        selectors.DefaultSelector() as selector,
        where.boxed(function, "127.0.0.1:9", selector, happened.append) as boxed,
    ):
        boxed.start()
        give_up = time.monotonic() + 60  # nobody listens there: it ends by itself
        while happened[-1].kind != "ended" and time.monotonic() < give_up:
            for key, _ in selector.select(1.0):
                key.data()
    assert f"Picked up JAVA_TOOL_OPTIONS: {LEVERS['c1']['JAVA_TOOL_OPTIONS']}" in boxed.output


KILLED = """
import os, signal, sys, selectors
from pathlib import Path
from spikebench.target.container.engine import engine
from spikebench.target.container.owner import guard_of
from spikes.serverless.docker.container import ContainerBox, Host
from spikes.serverless.function import Function
token, image, folder, scratch = sys.argv[1:]
with engine(30) as client:
    guard_of(token, [scratch])
    box = ContainerBox(512, host=Host(client, token, Path(scratch)), image=image)
    function = Function(("/bin/sleep", "600"), Path(folder), {}, 0)
    with box.boxed(function, "127.0.0.1:9", selectors.DefaultSelector(), print) as boxed:
        boxed.start()
        print("up", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_container_goes_when_its_harness_is_killed(host: Host, tmp_path: Path) -> None:
    image, token = image_of("go"), uuid.uuid4().hex
    task, scratch = tmp_path / "task", tmp_path / "pipes"
    task.mkdir()
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), token, image, str(task), str(scratch)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "up" in done.stdout
    give_up = time.monotonic() + 60
    with closing(host.client.api):
        while (scratch.exists() or carrying(host.client, token)) and time.monotonic() < give_up:
            time.sleep(0.2)
        assert not carrying(host.client, token)
        assert not scratch.exists()
