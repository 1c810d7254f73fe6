"""The box a function runs in: what stands for Lambda's memory, its CPU share, and a fresh machine.

What it cannot show: the microVM (a function in Lambda sees two processors up to 3,008 MB and is
throttled from outside, whereas a runtime in a control group sees the quota and may fit itself to
it), the download of the package, and the placement.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import psutil

from spikes.serverless.function import Function
from spikes.serverless.group import Group, NoGroupError, vcpus
from spikes.serverless.happening import Deliver, Happening
from spikes.serverless.page_cache import PageCache, drop, files_of, make_warm
from spikes.serverless.process_account import owner_of

API_VARIABLE = "AWS_LAMBDA_RUNTIME_API"
MEMORY_VARIABLE = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
MARK_VARIABLE = "SPIKEBENCH_MARK"

_STARTER = Path(__file__).with_name("starter.py")
_CLEARED_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Box:
    """What a function is given: memory in MB of 2**20 bytes, and with it its share of CPU.

    ``cpus`` are the processors it may run on; ``page_cache`` what is done to its files before.
    ``confined`` may be False, for a run that asks for the whole processor and all memory.
    """

    memory_mb: int
    cpus: tuple[int, ...] = ()
    page_cache: PageCache = "warm"
    confined: bool = True

    @property
    def vcpus(self) -> float:
        """The CPU share that Lambda would give, in vCPUs."""
        return vcpus(self.memory_mb)

    def group(self) -> tuple[Group | None, str]:
        """Make the control group; return it with ``cgroup``, or None with ``none: <why>``."""
        if not self.confined:
            return None, "none: not asked for"
        try:
            return Group.create(_name(), self.memory_mb), "cgroup"
        except NoGroupError as error:
            return None, f"none: {error}"

    def shortfall(self) -> str:
        """Say where the share is more than the processors can give; empty where it is not."""
        cores = len(self.cpus or os.sched_getaffinity(0))
        if self.vcpus <= cores:
            return ""
        return f"the share of {self.vcpus:.2f} vCPU is more than the {cores} there were"

    def boxed(
        self, function: Function, api: str, selector: selectors.BaseSelector, deliver: Deliver
    ) -> Started:
        """Return what starts ``function`` in this box, for one trial; ``api``: host and port."""
        return Boxed(function, self, api, selector, deliver)

    def prepare_cache(self, function: Function) -> str:
        """Bring the page cache into the state asked for; return how, empty where not allowed."""
        files = files_of(function)
        return make_warm(files) if self.page_cache == "warm" else drop(files)


class Started(Protocol):
    """A function being started, in whatever box: what a trial asks of it.

    A context manager that leaves nothing behind. Inside it, ``mark``, ``started``, ``unstarted``
    and ``ended`` are told as they happen; ``group`` is None where no account of it can be read.
    """

    output: str
    cpu_s: float | None
    peak_bytes: int | None
    confinement: str
    set_up_ns: int | None
    group: Group | None
    pid: int | None

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def pids(self) -> list[int]: ...

    def start(self) -> None: ...

    def is_mark(self, descriptor: int) -> bool: ...

    def owner_of(self, port: int) -> int | None: ...

    def killed_for_memory(self) -> bool: ...


@dataclass
class Boxed:
    """A function being started in its box; a context manager that leaves nothing behind.

    Inside it, ``mark``, ``started``, ``unstarted`` and ``ended`` go to ``deliver`` from what it has
    registered with ``selector``; a function that cannot be executed is the happening ``unstarted``.
    Afterwards ``output`` has the function's last words, ``cpu_s`` the CPU seconds of all its
    processes, and ``peak_bytes`` the largest resident memory of its first one, if it had ended.
    """

    function: Function
    box: Box
    api: str
    selector: selectors.BaseSelector
    deliver: Deliver
    group: Group | None = None
    confinement: str = ""
    pid: int | None = None
    output: str = ""
    cpu_s: float | None = None
    peak_bytes: int | None = None
    set_up_ns: int | None = None
    _pending: bytes = b""
    _cleared: bool = False
    _registered: list[int] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._scratch = Path(tempfile.mkdtemp(prefix=f"spikebench-mark-{os.getpid()}-"))
        self._mark_path = self._scratch / "mark"
        os.mkfifo(self._mark_path)
        # Open for both, or the pipe would be at its end again with each one that closes it.
        self._mark = os.open(self._mark_path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.group, self.confinement = self.box.group()
        try:
            self._process = self._spawn()
        except BaseException:
            self._discard()
            raise
        self._register(self._mark, self._read_mark)
        stdout = self._process.stdout
        assert stdout is not None
        self._reports = stdout.fileno()
        self._register(self._reports, self._read_reports)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def start(self) -> None:
        """Have it started now: what follows is told through ``deliver``."""
        stdin = self._process.stdin
        assert stdin is not None
        with suppress(BrokenPipeError):
            stdin.write(self._charge().encode() + b"\n")

    @property
    def pids(self) -> list[int]:
        """The function's living processes, its descendants among them."""
        if self.group is not None:
            return self.group.pids()
        return _descendants(self._process.pid)

    @property
    def family(self) -> list[int]:
        """Every process below the starter: what this trial has started, in its group or not."""
        return _descendants(self._process.pid)

    def is_mark(self, descriptor: int) -> bool:
        """Whether a descriptor of the selector's is the pipe of the mark."""
        return descriptor == self._mark

    def owner_of(self, port: int) -> int | None:
        """The process of this trial's that holds the socket with the local ``port``."""
        return owner_of(port, self.family)

    def killed_for_memory(self) -> bool:
        """Whether the kernel has ended a process of it at the limit of its memory."""
        with suppress(OSError):
            return self.group is not None and self.group.killed_for_memory() > 0
        return False

    def end(self) -> None:
        """Kill what still runs, reap it, remove group and pipe; safe to call twice."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            self._await_cleared()
        for descriptor in self._registered:
            self.selector.unregister(descriptor)
        self._registered.clear()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()
        self._discard()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_STARTER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def _charge(self) -> str:
        environ = {
            **self.function.environ,
            API_VARIABLE: self.api,
            MEMORY_VARIABLE: str(self.box.memory_mb),
            MARK_VARIABLE: str(self._mark_path),
        }
        program, *arguments = self.function.command
        path = shutil.which(program, path=environ.get("PATH")) or program
        groups = self.group.distinct if self.group else ()
        charge = {
            "command": [path, *arguments],
            "environ": environ,
            "folder": str(self.function.folder),
            "cpus": list(self.box.cpus),
            "joins": list(self.group.joins) if self.group else [],
            "remove": [*map(str, groups), str(self._mark_path), str(self._scratch)],
        }
        return json.dumps(charge)

    def _register(self, descriptor: int, ready: Callable[[], None]) -> None:
        self.selector.register(descriptor, selectors.EVENT_READ, ready)
        self._registered.append(descriptor)

    def _unregister(self, descriptor: int) -> None:
        self.selector.unregister(descriptor)
        self._registered.remove(descriptor)

    def _read_mark(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._mark, 1)
            self.deliver(Happening("mark", time.monotonic_ns()))
            self._unregister(self._mark)

    def _read_reports(self) -> None:
        data = os.read(self._reports, 65_536)
        if not data:
            self._unregister(self._reports)
            if not self._cleared:
                text = "its starter ended before it"
                self.deliver(Happening("unstarted", time.monotonic_ns(), text=text))
            return
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, report: dict[str, Any]) -> None:
        match report["kind"]:
            case "started":
                self.pid = report["pid"]
                self.deliver(Happening("started", report["at_ns"]))
            case "unstarted":
                self.deliver(Happening("unstarted", report["at_ns"], text=report["text"]))
            case "ended":
                self.peak_bytes = report["peak_bytes"]
                text = how_it_ended(report["code"])
                self.deliver(Happening("ended", report["at_ns"], text=text))
            case "cleared":
                self._cleared = True
                self.output, self.cpu_s = report["output"], report["cpu_s"]

    def _await_cleared(self) -> None:
        until = time.monotonic() + _CLEARED_TIMEOUT_S
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._reports, selectors.EVENT_READ)
            while not self._cleared and (left := until - time.monotonic()) > 0:
                if waiting.select(left):
                    if self._reports not in self._registered:  # it has ended without a word
                        return
                    self._read_reports()
        if not self._cleared:
            self._process.kill()

    def _discard(self) -> None:
        with suppress(OSError):
            os.close(self._mark)
        self._mark = -1
        self._mark_path.unlink(missing_ok=True)
        with suppress(OSError):
            self._scratch.rmdir()
        if self.group is not None:
            self.group.remove()


def _name() -> str:
    return f"spikebench-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def how_it_ended(code: int) -> str:
    """An exit code in words; a negative one is a signal."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def last_line(output: str) -> str:
    """The last line of an output that says anything, at most 300 characters of it."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def peaks_bytes(pids: Sequence[int], proc: Path = Path("/proc")) -> int | None:
    """Sum of the peaks of resident memory (VmHWM) of the processes that live; None without any.

    What they share counts once for each.
    """
    found = [peak for pid in pids if (peak := _peak_bytes(proc / str(pid) / "status"))]
    return sum(found) if found else None


def _peak_bytes(status: Path) -> int | None:
    with suppress(OSError):
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def _descendants(root: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(root).children(recursive=True)]
    return []
