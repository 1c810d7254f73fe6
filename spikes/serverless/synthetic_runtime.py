"""A runtime whose every phase lasts as long as it is told, or goes wrong as it is told; a script.

Its argument is JSON with any of the keys of ``spikes.serverless.synthetic.Behaviour``. It answers
every event with the event itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from http.client import HTTPConnection, HTTPResponse
from typing import Any

_RUNTIME = "/2018-06-01/runtime"


class Runtime:
    """Speaks the Runtime API over one connection that is kept alive."""

    def __init__(self, behaviour: dict[str, Any]) -> None:
        self._behaviour = behaviour
        self._client = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def run(self) -> None:
        """Go through the phases, and serve until it is ended."""
        time.sleep(self._told("before_mark_s", 0))
        if not self._told("no_mark", False):
            _mark()
        self._initialise()
        for number in range(1, self._told("invokes", 10**9) + 1):
            self._serve(number)
        print("enough")
        sys.exit(0)

    def _told(self, key: str, otherwise: Any) -> Any:
        value = self._behaviour.get(key)
        return otherwise if value is None else value

    def _initialise(self) -> None:
        time.sleep(self._told("init_s", 0))
        for _ in range(self._told("chatter_lines", 0)):
            print("x" * 1000)
        if self._told("orphan", False):
            _leave_orphan()
        self._eaten = b"x" * (self._told("eat_mb", 0) * 2**20)
        if (message := self._told("init_error", "")) != "":
            self._report("/init/error", message)
            sys.exit(1)
        if (code := self._told("init_exit", None)) is not None:
            print("cannot go on", file=sys.stderr)
            sys.exit(code)
        if (number := self._told("init_signal", None)) is not None:
            os.kill(os.getpid(), number)

    def _serve(self, number: int) -> None:
        response = self._ask("GET", "/invocation/next")
        request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
        event = response.read()
        time.sleep(self._told("first_s" if number == 1 else "invoke_s", 0))
        self._go_wrong(number, request_id)
        right = self._told("answer", None)
        answer = event if right is None else right.encode()
        if number == self._told("wrong_at", 0):
            answer = b'{"wrong": true}'
        self._ask("POST", f"/invocation/{request_id}/response", answer).read()

    def _go_wrong(self, number: int, request_id: str) -> None:
        if number == self._told("error_at", 0):
            self._report(f"/invocation/{request_id}/error", "no such row")
        if number == self._told("exit_at", 0):
            print("giving up", file=sys.stderr)
            sys.exit(3)
        if number == self._told("hang_at", 0):
            time.sleep(3600)

    def _report(self, path: str, message: str) -> None:
        body = {"errorType": "Synthetic", "errorMessage": message, "stackTrace": []}
        self._ask("POST", path, json.dumps(body).encode()).read()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> HTTPResponse:
        self._client.request(method, _RUNTIME + path, body)
        return self._client.getresponse()


def _mark() -> None:
    path = os.environ.get("SPIKEBENCH_MARK")  # the emulator that we are compared with has none
    if path:
        with open(path, "wb", buffering=0) as pipe:  # noqa: PTH123 - stays small
            pipe.write(b"x")


def _leave_orphan() -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(3600)
        os._exit(0)


if __name__ == "__main__":
    Runtime(json.loads(sys.argv[1])).run()
