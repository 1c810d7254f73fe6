"""AWS's own Runtime Interface Emulator: what our endpoint's figures are held against.

Its ``REPORT`` line is not to be believed (``Init Duration`` is what is left of the init phase after
it is over, 0.02 ms); ``INIT REPORT(durationMs: …)`` is: from before it starts the runtime to the
runtime's first call for an event. It starts the runtime when it gets its first event.
https://github.com/aws/aws-lambda-runtime-interface-emulator
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shlex
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self

from spikebench.errors import ArtefactError, TargetError
from spikebench.target.cache import Cache
from spikebench.target.guard import Charge, Guard
from spikebench.target.ports import LOOPBACK, answers, free_ports
from spikebench.target.software import Say
from spikebench.target.wheel import download_wheel, last_words
from spikes.serverless.function import Function

WHEEL = "aws-sam-cli==1.170.0"
WHEEL_SHA256 = "24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf"
MACHINES: Mapping[str, tuple[str, str]] = {
    "x86_64": (
        "aws-lambda-rie-x86_64",
        "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    ),
    "aarch64": (
        "aws-lambda-rie-arm64",
        "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
    ),
}

_INIT = re.compile(r"INIT REPORT\((?:[^)]*, )?durationMs: ([0-9.]+)")
_PATH = "/2015-03-31/functions/function/invocations"
_UP_TIMEOUT_S = 10.0
_INVOKE_TIMEOUT_S = 60.0


def rie(cache: Cache, say: Say, machine: str | None = None) -> Path:
    """Return the emulator's executable, fetched where it is not in the cache yet.

    Raises ArtefactError where there is none for this machine, or it cannot be fetched.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        raise ArtefactError(f"{WHEEL} has the emulator for {', '.join(MACHINES)}, not {machine}.")
    name, digest = MACHINES[machine]
    path = cache.folder("rie") / f"{WHEEL.replace('==', '-')}-{name}"
    with cache.lock("rie", say):
        if not _is(path, digest):
            say(f"fetching the Runtime Interface Emulator ({WHEEL}, 8 MB)")
            _fetch(path, name, digest)
    return path


class Emulator:
    """The emulator with one function; a context manager that ends both and removes its folder.

    The function is started by a script, the emulator taking no arguments for it. Raises TargetError
    where it does not come up.
    """

    def __init__(self, executable: Path, function: Function, cpus: Sequence[int] = ()) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="spikebench-rie-"))
        self._log = self._folder / "rie.log"
        api, self._port = free_ports(2)
        command = [
            str(executable),
            f"--runtime-api-address={LOOPBACK}:{api}",
            f"--runtime-interface-emulator-address={LOOPBACK}:{self._port}",
            str(script_for(function, self._folder)),
        ]
        self._guard = Guard(
            Charge(
                command=command,
                environ=dict(function.environ),
                folder=str(function.folder),
                log=str(self._log),
                cpus=tuple(cpus),
                grace_s=1.0,
                remove=[str(self._folder)],
            )
        )

    def __enter__(self) -> Self:
        until = time.monotonic() + _UP_TIMEOUT_S
        while not answers(LOOPBACK, self._port):
            if self._guard.exit_code() is not None or time.monotonic() > until:
                said = self._read_log()[-500:]
                self._guard.end()
                raise TargetError(f"the Runtime Interface Emulator did not come up: {said}")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._guard.end()

    def invoke(self, event: object) -> object:
        """Hand over one event and return the answer; the first one starts the function."""
        client = HTTPConnection(LOOPBACK, self._port, timeout=_INVOKE_TIMEOUT_S)
        try:
            client.request("POST", _PATH, json.dumps(event))
            body = client.getresponse().read()
        finally:
            client.close()
        return json.loads(body)

    def init_ms(self) -> float:
        """How long init took, once there was an invoke; TargetError where it is not told."""
        found = _INIT.findall(self._read_log())
        if len(found) != 1:
            raise TargetError(
                f"the Runtime Interface Emulator told {len(found)} times how long init took, not "
                f"once; its last words: {self._read_log()[-500:]}"
            )
        return float(found[0])

    def _read_log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""


def script_for(function: Function, folder: Path) -> Path:
    """Write the shell script by which a function is started without arguments."""
    path = folder / "bootstrap"
    path.write_text(f"#!/bin/sh\nexec {shlex.join(function.command)}\n")
    path.chmod(0o755)
    return path


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _fetch(path: Path, name: str, digest: str) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        wheel = download_wheel(WHEEL, [WHEEL_SHA256], Path(scratch), _unfetched)
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"samcli/local/rapid/{name}")
        unpacked = Path(scratch) / name
        unpacked.write_bytes(content)
        if not _is(unpacked, digest):
            raise ArtefactError(f"{name} in {WHEEL} is not the one that was pinned.")
        unpacked.chmod(0o755)
        unpacked.replace(path)


def _unfetched(output: str) -> ArtefactError:
    return ArtefactError(
        f"{WHEEL}, which has the Runtime Interface Emulator, could not be fetched: "
        f"{last_words(output)}. Check pip's index and proxy."
    )
