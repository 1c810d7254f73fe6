"""The promise that nothing of ours outlives us by a minute, even when we are killed outright.

A server is not our child but that of a small watch (``watch.py``), which holds one end of a pipe
from us: when we die, by whatever means, the pipe ends and the watch clears away.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from spikebench.errors import TargetError

_WATCH = Path(__file__).with_name("watch.py")
_START_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Charge:
    """What a watch starts, looks after and clears away; every part may be left out.

    ``command`` is started in ``folder`` with exactly ``environ``, its output appended to ``log``,
    as user ``uid`` and group ``gid`` (None: as we are), on the processors ``cpus`` (empty: on any).
    At the end its descendants get SIGTERM, ``grace_s`` later SIGKILL; then the folders ``remove``
    go, and ``at_death`` is run, for what no signal reaches, such as a container.
    """

    command: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    log: str = os.devnull
    uid: int | None = None
    gid: int | None = None
    cpus: Sequence[int] = ()
    grace_s: float = 5.0
    remove: Sequence[str] = ()
    at_death: Sequence[str] = ()


class Guard:
    """A watch that runs; raise TargetError where it does not start."""

    def __init__(self, charge: Charge) -> None:
        self._grace_s = charge.grace_s
        self._exit_code: int | None = None
        self._pending = b""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_WATCH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        self._tell(json.dumps(asdict(charge)))
        self.server_pid = self._await_start() if charge.command else None

    @property
    def pid(self) -> int:
        """Process number of the watch itself."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the watch still runs."""
        return self._process.poll() is None

    def exit_code(self) -> int | None:
        """The server's exit code once it has ended by itself (negative: a signal), else None."""
        self._read_reports(0)
        return self._exit_code

    def start_again(self) -> int:
        """Start the server that has ended once more; return its process number."""
        self._exit_code = None
        self._tell("again")
        self.server_pid = self._await_start()
        return self.server_pid

    def end(self) -> None:
        """End the server, clear away, run the last command; safe to call twice."""
        self._tell("stop")
        self._close()

    def dismiss(self) -> None:
        """End the watch alone: nothing is removed and the last command is not run."""
        self._tell("dismiss")
        self._close()

    def _await_start(self) -> int:
        for line in self._read_reports(_START_TIMEOUT_S):
            if line.startswith("started "):
                return int(line.split()[1])
            break
        else:
            line = "it said nothing"
        self.end()
        raise TargetError(f"the watch over a server did not start: {line}. Is the machine full?")

    def _read_reports(self, timeout_s: float) -> list[str]:
        stream = self._process.stdout
        if stream is None or stream.closed:
            return []
        if select.select([stream], [], [], timeout_s)[0]:
            self._pending += os.read(stream.fileno(), 4096)
        *lines, self._pending = self._pending.split(b"\n")
        texts = [line.decode() for line in lines]
        for text in texts:
            if text.startswith("ended "):
                self._exit_code = int(text.split()[1])
        return texts

    def _tell(self, line: str) -> None:
        stream = self._process.stdin
        if stream is not None and not stream.closed:
            with suppress(BrokenPipeError):
                stream.write(f"{line}\n".encode())

    def _close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(self._grace_s + 60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._read_reports(0)
        if self._process.stdout is not None:
            self._process.stdout.close()
