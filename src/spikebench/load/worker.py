"""A worker process: holds generators, does what it is told on standard input, answers on standard
output, one JSON object a line.

It is a process of its own so that a client library's threads, JVM and memory are apart from the
test runner, run on the load's cores, and die with it: the end of standard input ends the worker.
Workers live on from trial to trial, so that what is measured is a warm client, as in a service.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pickle
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from spikebench.load.driver import Driver, Wiring
from spikebench.load.exchange import read_order, write_harvest
from spikebench.load.generator import Cargo, Generator, PythonGenerator, Roles
from spikebench.load.heap import return_free_pages, return_large_blocks
from spikebench.target.connection import PrivateConnection

REPORT_EVERY_S = 0.5
"""How often progress is reported while a segment runs."""

LOOK_EVERY_S = 0.03
"""How often a running segment is looked at: its end is reported at once."""

_PR_SET_PDEATHSIG = 1


class Worker:
    """Answers requests; at most one generator is open at a time per name."""

    def __init__(self, answers: IO[str]) -> None:
        self._answers = answers
        self._generators: dict[str, Generator] = {}
        self._connections: dict[str, PrivateConnection] = {}
        self._running: set[str] = set()
        self._reported = 0.0

    def serve(self, requests: int) -> None:
        """Answer the requests that arrive on file descriptor ``requests`` until it is closed."""
        buffered = b""
        while True:
            wait_s = LOOK_EVERY_S if self._running else None
            if not select.select([requests], [], [], wait_s)[0]:
                self._report()
                continue
            chunk = os.read(requests, 65_536)
            if not chunk:
                return
            *lines, buffered = (buffered + chunk).split(b"\n")
            for line in lines:
                self._answer(json.loads(line))

    def close(self) -> None:
        """Close every generator."""
        for name in list(self._generators):
            self._close(name)

    def _answer(self, request: dict[str, Any]) -> None:
        verb: Callable[..., Any] = getattr(self, "_" + request.pop("verb"))
        try:
            self._say({"ok": verb(**request)})
        except Exception as error:  # client libraries raise anything; the harness decides
            self._say({"error": self._redacted(f"{type(error).__name__}: {error}")})

    def _report(self) -> None:
        for name in list(self._running):
            generator = self._generators[name]
            ended = generator.ended()
            if ended or time.monotonic() - self._reported >= REPORT_EVERY_S:
                self._reported = time.monotonic()
                self._say({"progress": self._progress(name)})
            if ended:
                self._running.discard(name)

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _redacted(self, text: str) -> str:
        """A client library's words without the secrets that it was handed."""
        for connection in self._connections.values():
            text = connection.redact(text)
        return text

    def _start_java(self, home: str, class_path: list[str]) -> None:
        from spikebench.load.jvm import start_jvm

        start_jvm([Path(jar) for jar in class_path], Path(home))

    def _open(
        self,
        name: str,
        language: str,
        driver: str,
        wiring: dict[str, Any],
        cargo: str,
        sends: bool,
        receives: list[list[int]],
    ) -> str:
        roles = Roles(sends, tuple((subscriber, member) for subscriber, member in receives))
        wired = Wiring.from_json(wiring)
        self._connections[name] = PrivateConnection(wired.connection)
        generator = _generator(language, driver, wired, _load_cargo(Path(cargo)), roles)
        self._generators[name] = generator
        version = generator.open()
        _set_aside()
        return version

    def _begin(self, name: str, order: str, contents: dict[str, Any]) -> None:
        self._generators[name].begin(read_order(Path(order), contents))
        self._running.add(name)

    def _progress(self, name: str) -> dict[str, Any]:
        progress = vars(self._generators[name].progress())
        return {**progress, "error": self._redacted(progress["error"])}

    def _harvest(self, name: str, into: str) -> dict[str, Any]:
        return write_harvest(self._generators[name].harvest(), Path(into))

    def _close(self, name: str) -> None:
        self._running.discard(name)
        generator = self._generators.pop(name, None)
        if generator:
            generator.close()
            return_free_pages()


def _set_aside() -> None:
    """Let Python's collector not look through what is there by now, modules above all.

    JPype has it collect after each collection of Java's, ten a second in a flood of Kafka's: 10 ms
    of the load's core each. What an earlier generator left is collected first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _generator(language: str, driver: str, wiring: Wiring, cargo: Cargo, roles: Roles) -> Generator:
    if language == "java":
        from spikebench.load.jvm import JavaGenerator

        return JavaGenerator(driver, wiring, cargo, roles)
    return PythonGenerator(_python_driver(driver, wiring), cargo, roles)


def _python_driver(name: str, wiring: Wiring) -> Driver:
    module, _, attribute = name.partition(":")
    made: Driver = getattr(importlib.import_module(module), attribute)(wiring)
    return made


def _load_cargo(path: Path) -> Cargo:
    cargo: Cargo = pickle.loads(path.read_bytes())  # written by our own parent into our own folder
    return cargo


def main(parent: int) -> None:
    """Serve standard input; what libraries print goes to standard error.

    Ends at once, whatever it is at, when process ``parent``, which started it, does.
    """
    _end_with(parent)
    return_large_blocks()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    worker = Worker(answers)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        worker.serve(0)
    worker.close()
    os._exit(0)  # client libraries leave non-daemon threads behind


def _end_with(parent: int) -> None:
    """Have the kernel kill this process with its parent; elsewhere the end of input has to do."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
