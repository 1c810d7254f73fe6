"""Cold starts as we time them beside the Runtime Interface Emulator and beside a bare start."""

from __future__ import annotations

import json
import os
import selectors
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median

from benchmarks.ratio import Ratio, Target, alternate, ratio_of
from benchmarks.rig import Rig
from benchmarks.tool import ToolError
from spikes.serverless.box import Box, Boxed
from spikes.serverless.cold_start import measure
from spikes.serverless.function import Function
from spikes.serverless.happening import Happening
from spikes.serverless.rie import Emulator, rie, script_for
from spikes.serverless.synthetic import Behaviour, synthetic
from spikes.serverless.trial import undisturbed

EVENT = {"rows": [1, 2, 3]}
STARTS = 5
"""A round's value is the median of so many starts: a single one is at the mercy of others."""

RUN_TIMEOUT_S = 30.0
MEMORY_MB = 3008

INIT = (
    "process start to first call for an event of a Python runtime that sleeps {sleep:g} ms in "
    "init, by our endpoint, over durationMs of the emulator's INIT REPORT; ours {ours:.1f}, its "
    "{its:.1f} ms; both start it by the same shell script on the server's cores, unconfined"
)
START = (
    "start to end of `{command}` as the harness starts it (in a box, unconfined), over posix_spawn "
    "to waitpid as a timer of commands does it; ours {ours:.2f}, bare {bare:.2f}, difference "
    "{difference:+.2f} ms; median of {starts} starts each"
)


def init_beside_rie(rig: Rig, rounds: int) -> list[Ratio]:
    """Our init phase over that of AWS's own emulator, for the same command, by turns."""
    executable = rie(rig.cache, rig.say)
    behaviour = Behaviour(init_s=0.1)
    with tempfile.TemporaryDirectory(prefix="spikebench-init-") as folder:
        function = synthetic(Path(folder), behaviour)
        script = script_for(function, Path(folder))
        scripted = replace(function, command=(str(script),))
        cpus = tuple(rig.cores.server)
        pairs = list(
            alternate(
                rounds,
                lambda: our_init_ms(scripted, cpus),
                lambda: emulated_init_ms(executable, function, cpus),
            )
        )
    ours, its = ([pair[index] for pair in pairs] for index in (0, 1))
    note = INIT.format(sleep=behaviour.init_s * 1e3, ours=fmean(ours), its=fmean(its))
    ratios = [a / b for a, b in pairs]
    return [ratio_of("cold-start-init-rie", ratios, note, Target("within", 0.05))]


def our_init_ms(function: Function, cpus: Sequence[int] = ()) -> float:
    """Milliseconds from process start to the first call for an event, by a trial of ours."""
    box = Box(MEMORY_MB, cpus=tuple(cpus), confined=False)
    outcome = measure(function, json.dumps(EVENT).encode(), EVENT, box)
    if outcome.status != "valid" or outcome.resources.startup_s is None:
        raise ToolError(f"a trial of the synthetic runtime is {outcome.status}: {outcome.reason}")
    return outcome.resources.startup_s * 1e3


def emulated_init_ms(executable: Path, function: Function, cpus: Sequence[int] = ()) -> float:
    """The same by AWS's emulator, as it tells it."""
    with Emulator(executable, function, cpus) as emulator:
        if (got := emulator.invoke(EVENT)) != EVENT:
            raise ToolError(f"the synthetic runtime answered {got} under the emulator")
        return emulator.init_ms()


def start_beside_bare(rig: Rig, rounds: int) -> list[Ratio]:
    """A command started by the harness over its bare start: what the harness itself adds."""
    java = (str(rig.java_home / "bin" / "java"), "-version")
    cpus = tuple(rig.cores.server)
    return [
        _beside_bare("cold-start-overhead-true", ("/bin/true",), cpus, rounds, None),
        _beside_bare("cold-start-overhead-java", java, cpus, rounds, Target("within", 0.05)),
    ]


def _beside_bare(
    name: str, command: tuple[str, ...], cpus: Sequence[int], rounds: int, target: Target | None
) -> Ratio:
    function = Function(command, Path("/"), {"PATH": "/usr/bin:/bin"}, package_bytes=0)
    pairs = list(
        alternate(
            rounds,
            lambda: _median_ms(lambda: boxed_run_s(function, cpus)),
            lambda: _median_ms(lambda: bare_run_s(function, cpus)),
        )
    )
    ours, bare = (fmean(pair[index] for pair in pairs) for index in (0, 1))
    told = " ".join((Path(command[0]).name, *command[1:]))
    note = START.format(command=told, ours=ours, bare=bare, difference=ours - bare, starts=STARTS)
    return ratio_of(name, [a / b for a, b in pairs], note, target)


def _median_ms(run: Callable[[], float]) -> float:
    return median(run() for _ in range(STARTS)) * 1e3


def boxed_run_s(function: Function, cpus: Sequence[int]) -> float:
    """Seconds from start to end of a command that ends by itself, as a trial starts it."""
    happened: list[Happening] = []
    with undisturbed(cpus), selectors.DefaultSelector() as selector:
        box = Box(MEMORY_MB, cpus=tuple(cpus), confined=False)
        with Boxed(function, box, "127.0.0.1:0", selector, happened.append) as boxed:
            boxed.start()
            until = time.monotonic() + RUN_TIMEOUT_S
            while not {"ended", "unstarted"} & {each.kind for each in happened}:
                if time.monotonic() > until:
                    raise ToolError(f"{function.command[0]} did not end in {RUN_TIMEOUT_S:g} s")
                for key, _ in selector.select(1.0):
                    key.data()
    at_ns = {each.kind: each.at_ns for each in happened}
    if "started" not in at_ns:
        raise ToolError(f"{function.command[0]} did not start: {happened[-1].text}")
    return (at_ns["ended"] - at_ns["started"]) / 1e9


def bare_run_s(function: Function, cpus: Sequence[int]) -> float:
    """Seconds from posix_spawn to the end of a command, as hyperfine times it."""
    before = os.sched_getaffinity(0)
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    os.sched_setaffinity(0, cpus)  # a child inherits the cores of the thread that starts it
    try:
        program, environ = function.command[0], dict(function.environ)
        began_ns = time.monotonic_ns()
        pid = os.posix_spawn(program, function.command, environ, file_actions=null)
        os.sched_setaffinity(0, before)
        _, status = os.waitpid(pid, 0)
        ended_ns = time.monotonic_ns()
    finally:
        os.sched_setaffinity(0, before)
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        raise ToolError(f"{program} ended with code {code}")
    return (ended_ns - began_ns) / 1e9
