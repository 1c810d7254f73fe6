"""A Java driver behind the Python seam, so that one suite holds drivers of both languages.

For conformance only: every message crosses from Python to Java and back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jpype

from spikebench.candidate import Client
from spikebench.errors import DriverError
from spikebench.load import jvm
from spikebench.load.driver import Confirms, Deliver, Wiring
from tests.synthetic.java_machine import start_machine

STEP_S = 0.02


class JavaDriver:
    """A ``spikebench.Driver`` as a ``spikebench.load.driver.Driver``."""

    def __init__(self, client: Client, wiring: Wiring) -> None:
        start_machine()
        with _java_errors():
            self._java = jpype.JClass(client.driver)()
            self._java.open(jvm._wiring(wiring, wiring.confirm_window))

    def sender(self, confirms: Confirms) -> JavaSender:
        return JavaSender(self._java, confirms)

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> JavaReceiver:
        return JavaReceiver(self._java, subscriber, member, deliver)

    def version(self) -> str:
        return str(self._java.version())

    def close(self) -> None:
        with _java_errors():
            self._java.close()


class JavaSender:
    """Sends; ``poll`` does what the Java loop does when nothing is due, which is to flush."""

    def __init__(self, driver: Any, confirms: Confirms) -> None:
        def failed(seq: int, reason: object) -> None:
            confirms.failed(int(seq), str(reason))

        verbs = {"confirmed": lambda seq: confirms.confirmed(int(seq)), "failed": failed}
        with _java_errors():
            self._java = driver.sender(jpype.JProxy("spikebench.Confirms", dict=verbs))

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        with _java_errors():
            self._java.send(seq, key, body)

    def poll(self, timeout_s: float) -> None:
        self.flush()
        time.sleep(min(timeout_s, STEP_S))

    def flush(self) -> None:
        with _java_errors():
            self._java.flush()

    def close(self) -> None:
        with _java_errors():
            self._java.close()


class JavaReceiver:
    """Runs a Java receiver in a thread; ``receive`` waits for what that thread has delivered."""

    def __init__(self, driver: Any, subscriber: int, member: int, deliver: Deliver) -> None:
        self._deliver = deliver
        self._delivered = self._told = 0
        self._error: BaseException | None = None
        inbox = jpype.JProxy("spikebench.Inbox", dict={"deliver": self._take})
        with _java_errors():
            self._java = driver.receiver(subscriber, member, inbox)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def receive(self, timeout_s: float) -> int:
        until = time.monotonic() + timeout_s
        while self._delivered == self._told and time.monotonic() < until:
            if self._error is not None:
                raise self._error
            time.sleep(STEP_S)
        delivered = self._delivered
        count, self._told = delivered - self._told, delivered
        return count

    def close(self) -> None:
        self._java.stop()
        self._thread.join(timeout=10)
        with _java_errors():
            self._java.close()

    def _take(self, bodies: Sequence[Sequence[int]]) -> None:
        try:
            self._deliver([bytes(body) for body in bodies])
        except BaseException as error:
            self._error = error
            raise
        self._delivered += len(bodies)

    def _run(self) -> None:
        try:
            with _java_errors():
                self._java.run()
        except Exception as error:
            self._error = self._error or error


@contextmanager
def _java_errors() -> Iterator[None]:
    try:
        yield
    except jpype.JException as error:
        raise DriverError(str(error)) from error
