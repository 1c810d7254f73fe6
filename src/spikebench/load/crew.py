"""The crew: worker processes as the harness sees them, kept from trial to trial."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from spikebench.errors import DriverError, SpikebenchError
from spikebench.load.exchange import read_harvest, write_order
from spikebench.load.generator import Cargo, Harvest, Order, Progress, Roles
from spikebench.measure import processes
from spikebench.measure.spool import Spool
from spikebench.target.scratch import MAKE_ROOM, is_full

ANSWER_WITHIN_S = 60.0
"""How long a worker may take to answer before it is taken to hang and is ended."""

ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""For a worker's environment, where nothing else stands there.

Clients start new threads in each trial. Left to itself glibc gives each an arena of its own, up to
eight a core, and keeps what was freed in it: a generator grew by 6 to 20 MB a block of trials.
"""


@dataclass(frozen=True)
class Runtime:
    """What a worker needs to be started: for Java the runtime's home and the class path."""

    language: str
    java_home: Path | None = None
    class_path: tuple[Path, ...] = ()


class Hand:
    """One worker process. Raises DriverError with the worker's own words where it refuses."""

    def __init__(self, runtime: Runtime, cores: Sequence[int], scratch: Path) -> None:
        self._scratch = scratch
        self._buffered = b""
        with _room_in(scratch):
            self._log = (scratch / f"worker-{time.monotonic_ns()}.log").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spikebench.load.worker", str(scratch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
            env={**ARENAS, **os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        os.sched_setaffinity(self._process.pid, cores)
        self.latest = Progress()
        if runtime.language == "java":
            paths = [str(path) for path in runtime.class_path]
            self.ask("start_java", home=str(runtime.java_home), class_path=paths)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the worker still runs."""
        return self._process.poll() is None

    def ask(self, verb: str, within_s: float = ANSWER_WITHIN_S, **arguments: Any) -> Any:
        """Send one request and return its answer."""
        self._send({"verb": verb, **arguments})
        until = time.monotonic() + within_s
        while True:
            answer = self._read(until - time.monotonic())
            if answer is None:
                self.end()
                raise DriverError(f"a worker did not answer '{verb}' within {within_s:.0f} s")
            if "error" in answer:
                raise DriverError(answer["error"])
            if "ok" in answer:
                return answer["ok"]

    def watch(self, timeout_s: float) -> Progress:
        """Wait at most ``timeout_s`` for a report of progress and return the latest one."""
        self._read(timeout_s)
        return self.latest

    def hand_over(self, what: Cargo, name: str) -> str:
        """Write ``what`` where the worker can read it and return the path."""
        path = self._scratch / f"{name}-{self.pid}.pickle"
        with _room_in(self._scratch):
            path.write_bytes(pickle.dumps(what))
        return str(path)

    def order(self, name: str, order: Order) -> None:
        """Have generator ``name`` begin to send ``order``."""
        path = self._scratch / f"order-{self.pid}"
        with _room_in(self._scratch):
            contents = write_order(order, path)
        self.ask("begin", name=name, order=str(path), contents=contents)

    def harvest(self, name: str) -> Harvest:
        """Return what generator ``name`` gathered since the last call."""
        path = self._scratch / f"harvest-{self.pid}"
        with _room_in(self._scratch):
            contents = self.ask("harvest", name=name, into=str(path))
            return read_harvest(path, contents)

    def kill(self) -> float | None:
        """Kill the worker in the middle of what it is at; return the CPU seconds of its whole life.

        None where it had ended before.
        """
        if not self.alive:
            return None
        self._process.kill()
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)  # it tells until it is waited for
        used = processes.cpu_s([self.pid])
        self._process.wait()
        return used

    def end(self) -> None:
        """End the worker: politely by closing its input, then by force."""
        if self._process.stdin and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # what it did not read any more
                self._process.stdin.write(b'{"verb": "leave"}\n')
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._log.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise self._ended() from error

    def _read(self, timeout_s: float) -> dict[str, Any] | None:
        """Return the next answer, or None after ``timeout_s``; progress is kept in ``latest``."""
        assert self._process.stdout is not None
        while b"\n" not in self._buffered:
            if not select.select([self._process.stdout], [], [], max(timeout_s, 0))[0]:
                return None
            chunk = os.read(self._process.stdout.fileno(), 65_536)
            if not chunk:
                raise self._ended()
            self._buffered += chunk
        line, self._buffered = self._buffered.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        if "progress" in answer:
            self.latest = Progress(**answer["progress"])
        return answer

    def _ended(self) -> DriverError:
        """What to raise of a worker that closed its pipes; it is seen to its end first.

        It closes them a moment before it ends, and must not pass for a live one in between.
        """
        words = self._last_words()
        self.end()
        return DriverError(f"a worker process ended: {words}")

    def _last_words(self) -> str:
        text = Path(self._log.name).read_text(errors="replace").strip()
        return " | ".join(text.splitlines()[-5:]) or "it said nothing"


@dataclass
class Crew:
    """All workers of a run, by runtime; ``hands`` starts those that are missing.

    ``cores`` are the processors that the load may use.
    """

    cores: Sequence[int]
    _hands: dict[Runtime, list[Hand]] = field(default_factory=dict)

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        """Made with the first worker, which removes it where we are killed and cannot."""
        with _room_in(None):
            return tempfile.TemporaryDirectory(prefix="spikebench-load-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hands(self, runtime: Runtime, count: int) -> list[Hand]:
        """Return ``count`` live workers of ``runtime``, those of earlier trials first."""
        known = self._hands.get(runtime, [])
        living = [hand for hand in known if hand.alive]
        for dead in set(known).difference(living):
            dead.end()
        while len(living) < count:
            living.append(Hand(runtime, self.cores, Path(self._folder.name)))
        self._hands[runtime] = living
        return living[:count]

    @property
    def folder(self) -> Path:
        """Where things are handed over, until the crew is closed."""
        return Path(self._folder.name)

    def spool(self) -> Spool:
        """A new file for what has been seen; raise SpikebenchError where there is no room."""
        with self.room():
            return Spool.new(self.folder)

    def room(self) -> contextlib.AbstractContextManager[None]:
        """Say what to do where a spool has no room."""
        return _room_in(self.folder)

    def close(self) -> None:
        """End all workers and remove what was handed over."""
        for hand in [hand for hands in self._hands.values() for hand in hands]:
            hand.end()
        self._hands.clear()
        if "_folder" in self.__dict__:
            self._folder.cleanup()


def split_roles(one_process: bool, subscribers: int, competing: int) -> list[Roles]:
    """Deal the roles of a trial to workers: all to one, or the sender and each consumer apart."""
    pairs = tuple((s, m) for s in range(subscribers) for m in range(competing))
    if one_process:
        return [Roles(True, pairs)]
    return [Roles(True), *(Roles(False, (pair,)) for pair in pairs)]


@contextlib.contextmanager
def _room_in(folder: Path | None) -> Iterator[None]:
    """Say what to do where nothing could be written to ``folder``, by us or by a worker.

    None is the system's temporary folder, of which there may be none that takes a file.
    """
    try:
        yield
    except OSError as error:
        where = folder or "a temporary folder"
        what = f"what workers are handed cannot be written to {where}: {error.strerror}"
        raise SpikebenchError(f"{what}. {MAKE_ROOM}") from error
    except DriverError as error:
        if folder and is_full(folder):
            raise DriverError(f"{error}. The disk of {folder} is full. {MAKE_ROOM}") from error
        raise
