"""A function's start until its first call for an event, by the harness and by hyperfine.

The same command on the same core is started by both and killed at its call, so that both time it
from its start to its end; the commands of ``BARE`` end by themselves.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median

from benchmarks.cold_start import MEMORY_MB, RUN_TIMEOUT_S, boxed_run_s
from benchmarks.hyperfine import Hyperfine, find_hyperfine
from benchmarks.ratio import Ratio, Target, alternate, ratio_of, withheld
from benchmarks.rig import Rig
from benchmarks.tool import ToolError
from spikebench.errors import ArtefactError
from spikes.serverless.box import MEMORY_VARIABLE, Box, Boxed
from spikes.serverless.builders import BUILDERS
from spikes.serverless.function import Build, Function
from spikes.serverless.happening import Happening
from spikes.serverless.runtime_api import Endpoint
from spikes.serverless.trial import undisturbed

STARTS = 5
"""A round's value is the median of so many starts: a single one is at the mercy of others."""

CANDIDATES = ("java-17", "python")
TARGET = Target("within", 0.05)
"""For a start of more than 100 ms; a shorter one may have ``MAY_ADD_MS``, which is more of it."""

MAY_ADD_MS = 5.0
TRUE = Function(("/bin/true",), Path("/"), {"PATH": "/usr/bin:/bin"}, package_bytes=0)

NEXT = (
    "start of {candidate}'s hello function to its end, killed at its first call for an event, as a "
    "trial starts it (starter, mark, endpoint; unconfined) over hyperfine, to which it is a "
    "command; ours {ours:.1f}, hyperfine {its:.1f}, difference {difference:+.2f} ms; a trial's own "
    "process start to next is {next_ms:.1f}, the bare start {bare:.1f} by hyperfine: the rest is "
    "the function's; medians of {starts} starts by turns"
)
BARE = (
    "start to end of `{command}` as a trial starts it (unconfined) over hyperfine, which begins "
    "before it makes the process; ours {ours:.2f}, hyperfine {its:.2f}, difference "
    "{difference:+.2f} ms; medians of {starts} starts by turns"
)
ADDED = f"ours over hyperfine's time and {MAY_ADD_MS:g} ms: "

NAME = "cold-start-hyperfine"
NAMES = (f"{NAME}-true", *(f"{NAME}-{c}{what}" for c in CANDIDATES for what in ("", "-bare")))
LONG = f"{NAME}-java-17"

Run = Callable[[], float]


def starts_beside_hyperfine(rig: Rig, rounds: int) -> list[Ratio]:
    """Our start to next, and bare starts, over hyperfine's; rows without figures where it lacks."""
    try:
        executable = find_hyperfine(rig.cache, rig.say)
    except ArtefactError as error:
        return [withheld(name, str(error)) for name in NAMES]
    timer = Hyperfine(executable, tuple(rig.cores.server))
    functions = {
        name: BUILDERS[name].build(Build("hello"), rig.cache, rig.say) for name in CANDIDATES
    }
    rows = _true(timer, rounds)
    for name, function in functions.items():
        rows += _function(name, replace(function, environ=_environ(function)), timer, rounds)
    return rows


def bare(function: Function) -> Function:
    """The runtime of a function alone, with the function's own options: it starts and ends."""
    words = function.command
    if "-cp" in words:
        command = (*words[: words.index("-cp") + 2], "-version")
    else:
        script = next(at for at, word in enumerate(words) if word.endswith(".py"))
        command = (*words[:script], "-c", "pass")
    return replace(function, command=command)


def until_next_s(function: Function, cpus: Sequence[int]) -> tuple[float, float]:
    """Seconds from a function's start to its first call for an event, and to its end.

    It is started as by a trial, and killed when the endpoint has told of the call. Raises ToolError
    where it ends before, or does not call.
    """
    seen: dict[str, Happening] = {}
    kill_at = "next"

    def deliver(happening: Happening) -> None:
        seen.setdefault(happening.kind, happening)

    with undisturbed(cpus), selectors.DefaultSelector() as selector:
        box = Box(MEMORY_MB, cpus=tuple(cpus), confined=False)
        with (
            Endpoint(selector, deliver) as api,
            Boxed(function, box, api.address, selector, deliver) as boxed,
        ):
            boxed.start()
            until = time.monotonic() + RUN_TIMEOUT_S
            while not seen.keys() & {"ended", "unstarted"}:
                if time.monotonic() > until:
                    raise ToolError(f"{function.command[0]} did not call in {RUN_TIMEOUT_S:g} s")
                for key, _ in selector.select(1.0):
                    key.data()
                if kill_at in seen and boxed.pid is not None:
                    os.kill(boxed.pid, signal.SIGKILL)
                    kill_at = ""
    if "next" not in seen:
        last = boxed.output.strip().splitlines()[-1:]
        raise ToolError(f"{function.command[0]} ended before its call: {' '.join(last)}")
    started, called, ended = (seen[kind].at_ns for kind in ("started", "next", "ended"))
    return (called - started) / 1e9, (ended - started) / 1e9


def _true(timer: Hyperfine, rounds: int) -> list[Ratio]:
    pairs = _rounds_ms(rounds, *_bare_runs(TRUE, timer))
    return _bare_rows(f"{NAME}-true", TRUE, pairs)


def _function(name: str, function: Function, timer: Hyperfine, rounds: int) -> list[Ratio]:
    alone, calls_ms = bare(function), list[float]()

    def ours() -> float:
        to_next_s, to_end_s = until_next_s(function, timer.cpus)
        calls_ms.append(to_next_s * 1e3)
        return to_end_s

    tools = (ours, lambda: timer.to_next_s(function), *_bare_runs(alone, timer))
    for tool in tools:  # the first starts find their files on the disk
        tool()
    calls_ms.clear()
    rounds_ms = _rounds_ms(rounds, *tools)
    means = [fmean(column) for column in zip(*rounds_ms, strict=True)]
    note = NEXT.format(
        candidate=name,
        ours=means[0],
        its=means[1],
        difference=means[0] - means[1],
        next_ms=median(calls_ms),
        bare=means[3],
        starts=STARTS,
    )
    return [
        *_rows(f"{NAME}-{name}", note, [each[:2] for each in rounds_ms]),
        *_bare_rows(f"{NAME}-{name}-bare", alone, [each[2:] for each in rounds_ms]),
    ]


def _bare_runs(function: Function, timer: Hyperfine) -> tuple[Run, Run]:
    return lambda: boxed_run_s(function, timer.cpus), lambda: timer.to_end_s(function)


def _rounds_ms(rounds: int, *tools: Run) -> list[tuple[float, ...]]:
    """The medians in ms of each round's starts, in which the tools take turns start by start."""
    found = list[tuple[float, ...]]()
    for _ in range(rounds):
        starts = list(alternate(STARTS, *tools))
        found.append(tuple(median(column) * 1e3 for column in zip(*starts, strict=True)))
    return found


def _bare_rows(name: str, function: Function, pairs: Sequence[tuple[float, ...]]) -> list[Ratio]:
    ours, its = (fmean(pair[index] for pair in pairs) for index in (0, 1))
    note = BARE.format(
        command=_told(function), ours=ours, its=its, difference=ours - its, starts=STARTS
    )
    return _rows(name, note, pairs)


def _rows(name: str, note: str, pairs: Sequence[tuple[float, ...]]) -> list[Ratio]:
    """The ratio, with its target where the start is a long one; else what may be added to it."""
    ratios = [ours / its for ours, its in pairs]
    if name == LONG:
        return [ratio_of(name, ratios, note, TARGET)]
    added = [ours / (its + MAY_ADD_MS) for ours, its in pairs]
    return [
        ratio_of(name, ratios, note),
        ratio_of(f"{name}-added", added, ADDED + note, Target("below", 1)),
    ]


def _told(function: Function) -> str:
    """A command without the places of its class path, which fill a page."""
    program, *rest = function.command
    words = [word for word in rest if "/" not in word]
    return " ".join((Path(program).name, *words))


def _environ(function: Function) -> dict[str, str]:
    """What a box would add, so that hyperfine starts it with the same: but for the mark."""
    return {**function.environ, MEMORY_VARIABLE: str(MEMORY_MB)}
