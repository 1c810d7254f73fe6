"""A broker and a client whose every message costs a known time of CPU, in processes of their own.

The broker is a loop behind a socket: it takes a message, burns, confirms it and passes it on. The
option ``socket`` is where it listens, ``burn_s`` what a message costs the client.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from spikebench.load.driver import Confirms, Deliver, Wiring
from spikebench.measure import processes
from tests.synthetic.queue import Up

HEAD = struct.Struct("!II")
"""Sequence number and length of a body."""

CONFIRM = struct.Struct("!I")


def burn(cpu_s: float) -> None:
    """Use that much CPU time of this thread."""
    until = time.thread_time() + cpu_s
    while time.thread_time() < until:
        pass


def connect(wiring: Wiring, role: bytes) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(wiring.options["socket"])
    made.sendall(role)
    return made


class BurningDriver:
    """Sends and receives over the broker's socket."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def sender(self, confirms: Confirms) -> BurningSender:
        return BurningSender(self._wiring, confirms)

    def receiver(self, subscriber: int, member: int, deliver: Deliver) -> BurningReceiver:
        del subscriber, member
        return BurningReceiver(self._wiring, deliver)

    def version(self) -> str:
        return "burning 1.0"


class BurningSender:
    def __init__(self, wiring: Wiring, confirms: Confirms) -> None:
        self._burn_s = float(wiring.options["burn_s"])
        self._confirms = confirms
        self._socket = connect(wiring, b"S")
        self._torn = b""

    def send(self, seq: int, key: bytes, body: bytes) -> None:
        del key
        burn(self._burn_s)
        self._socket.setblocking(True)
        self._socket.sendall(HEAD.pack(seq, len(body)) + body)

    def poll(self, timeout_s: float) -> None:
        self._socket.settimeout(max(timeout_s, 1e-6))
        with suppress(TimeoutError, BlockingIOError):
            data = self._torn + self._socket.recv(65536)
            whole = len(data) - len(data) % CONFIRM.size
            self._torn = data[whole:]
            for (seq,) in CONFIRM.iter_unpack(data[:whole]):
                self._confirms.confirmed(seq)

    def flush(self) -> None:
        """Nothing is gathered."""

    def close(self) -> None:
        self._socket.close()


class BurningReceiver:
    def __init__(self, wiring: Wiring, deliver: Deliver) -> None:
        self._socket = connect(wiring, b"R")
        self._deliver = deliver
        self._torn = b""

    def receive(self, timeout_s: float) -> int:
        self._socket.settimeout(timeout_s)
        with suppress(TimeoutError):
            self._torn += self._socket.recv(65536)
        bodies = list(self._bodies())
        if bodies:
            self._deliver(bodies)
        return len(bodies)

    def _bodies(self) -> Iterator[bytes]:
        while len(self._torn) >= HEAD.size:
            end = HEAD.size + HEAD.unpack_from(self._torn)[1]
            if len(self._torn) < end:
                return
            body, self._torn = self._torn[HEAD.size : end], self._torn[end:]
            yield body

    def close(self) -> None:
        self._socket.close()


def serve(path: str, burn_s: float) -> None:
    """Be the broker of one sender and one receiver until the sender is gone; then of the next."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    print("listening", flush=True)
    while True:
        roles: dict[bytes, socket.socket] = {}
        while len(roles) < 2:
            peer, _ = listening.accept()
            roles[peer.recv(1)] = peer
        with roles[b"S"] as sender, roles[b"R"] as receiver, suppress(OSError):
            _pass_on(sender, receiver, burn_s)


def _pass_on(sender: socket.socket, receiver: socket.socket, burn_s: float) -> None:
    coming = sender.makefile("rb")
    while head := coming.read(HEAD.size):
        seq, size = HEAD.unpack(head)
        body = coming.read(size)
        burn(burn_s)
        sender.sendall(CONFIRM.pack(seq))
        receiver.sendall(head + body)


@dataclass
class Broker(Up):
    """The broker's process as the harness sees a server."""

    pid: int = 0

    def cpu_s(self) -> float | None:
        return processes.cpu_s([self.pid])


@contextmanager
def broker(path: Path, burn_s: float, core: int) -> Iterator[Broker]:
    """Run a broker on one core."""
    code = f"from tests.synthetic.burning import serve; serve({str(path)!r}, {burn_s})"
    with _pinned(code, core, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield Broker(connection={"socket": str(path)}, pid=process.pid)


@contextmanager
def burners(core: int, count: int) -> Iterator[None]:
    """Let ``count`` processes compete for a core.

    Each is a session of its own: Linux shares a core out between sessions first (autogroup), and
    all in one session would get no more of it together than the one they compete with.
    """
    if count == 0:
        yield
        return
    with _pinned("while True: pass", core), burners(core, count - 1):
        yield


@contextmanager
def _pinned(code: str, core: int, stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python on one core; it is killed in the end, and dies with this process at the latest."""
    pinned = f"import os, ctypes, signal\nctypes.CDLL(None).prctl(1, signal.SIGKILL)\n{code}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", pinned],
        env=environment,
        stdout=stdout,
        start_new_session=True,
    )
    os.sched_setaffinity(process.pid, [core])
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def idle_share(cores: Sequence[int], over_s: float = 0.5) -> float:
    """How idle the busiest of some cores is at present."""
    before = processes.cores_busy_s()
    time.sleep(over_s)
    now = processes.cores_busy_s()
    return 1 - max((now[core] - before[core]) / over_s for core in cores)
