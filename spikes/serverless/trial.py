"""A trial as it runs: a function started in its box, handed one event after the other, watched."""

from __future__ import annotations

import gc
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from spikebench.measure.outcome import Status
from spikes.serverless.answer import difference, parse
from spikes.serverless.box import Box, last_line, peaks_bytes
from spikes.serverless.criu import reason
from spikes.serverless.function import Function
from spikes.serverless.happening import Happening, Kind
from spikes.serverless.process_account import (
    TICK_S,
    cpu_s,
    disk_read_bytes,
    since_boot_s,
    started_s,
    waited_for_core_ns,
)
from spikes.serverless.runtime_api import Endpoint

TURN_AROUND_NS, TURN_AROUND_SHARE = 1_000_000, 0.01
"""Beyond both, the time from ``next`` to the event is too much of ours for the trial to count."""

LATE_NS, LATE_SHARE = 2_000_000, 0.05
"""Beyond both, we may have been too late to stamp: the trial is void, and ours is the fault."""

WARM_READ_BYTES = 1_000_000
"""A start that is to find its files in memory may not read more than this from the disk."""

LAST_WORDS = 300
"""How many characters of a function's last words go into the reason of a failed trial."""

_STARTED_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Timeouts:
    """Seconds until a trial is given up: from start to the first ``next``, and for each invoke.

    ``init_s`` is more than Lambda's 10 s, for small sizes are slow, and a figure beyond 10 s says
    more than none; the row then says that Lambda would have started the function again.
    """

    init_s: float = 60.0
    invoke_s: float = 30.0


@dataclass
class Seen:
    """What was seen of one trial; times are those of ``time.monotonic_ns``.

    ``set_up_ns`` is how long the box took to be there, where that is worth telling; ``written_ns``
    and ``invoke_ns`` have when each event was written and how long its response took.
    ``cpu_cold_s``, ``disk_read_bytes`` and ``throttled_s`` reach from the start to the first
    response, the peaks and ``cpu_s`` to the end. None is what could not be seen.
    """

    set_up_ns: int | None = None
    start_ns: int | None = None
    mark_ns: int | None = None
    next_ns: int | None = None
    written_ns: list[int] = field(default_factory=list)
    invoke_ns: list[int] = field(default_factory=list)
    page_cache: str = ""
    confinement: str = ""
    cpu_cold_s: float | None = None
    cpu_s: float | None = None
    disk_read_bytes: int | None = None
    late_ns: int | None = None
    spoilt: bool = False
    throttled_s: float | None = None
    peak_bytes: int | None = None
    group_peak_bytes: int | None = None
    classes: int | None = None


class UnfitError(Exception):
    """The trial ends here, failed or void; ``words``: the function's last ones may say why.

    ``ours``: the harness spoilt it, and the trial may be measured once more.
    """

    def __init__(
        self, reason: str, status: Status = "failed", *, words: bool = False, ours: bool = False
    ) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.words = words
        self.ours = ours


class Trial:
    """One start of one function and its invokes; ``seen`` fills while it runs."""

    def __init__(
        self, function: Function, event: bytes, expected: object, box: Box, timeouts: Timeouts
    ) -> None:
        self._function = function
        self._event = event
        self._expected = expected
        self._box = box
        self._timeouts = timeouts
        self._happened: deque[Happening] = deque()
        self._call: Happening | None = None
        self._in_hand = ""
        self._good_body: bytes | None = None
        self.seen = Seen()

    def run(self, invokes: int) -> tuple[Status, str]:
        """Run it to its end; return its status and the reason why it is not valid.

        Whatever happens, no process, socket, pipe or control group is left.
        """
        self._began_s = since_boot_s()
        with undisturbed(self._box.cpus), selectors.DefaultSelector() as self._selector:
            port = _port_of(self._function)
            with Endpoint(self._selector, self._happened.append, port=port) as self._api:
                boxed = self._box.boxed(
                    self._function, self._api.address, self._selector, self._happened.append
                )
                with boxed as self._boxed:
                    unfit = self._attempt(invokes)
        if self.seen.cpu_s is None:
            self.seen.cpu_s = boxed.cpu_s
        if self.seen.peak_bytes is None:
            self.seen.peak_bytes = boxed.peak_bytes
        if unfit is None:
            return "valid", ""
        self.seen.spoilt = unfit.ours
        words = reason if self._function.restored else last_line
        said = words(boxed.output)[:LAST_WORDS] if unfit.words and boxed.output else ""
        return unfit.status, f"{unfit}; its last words: {said}" if said else str(unfit)

    def _attempt(self, invokes: int) -> UnfitError | None:
        self.seen.confinement = self._boxed.confinement
        self.seen.set_up_ns = self._boxed.set_up_ns
        try:
            self._start_cold()
            self._check_treatment()
            for _ in range(invokes - 1):
                self._invoke()
                self._await_call(self._timeouts.invoke_s)
            self._count_classes()
        except UnfitError as unfit:
            return unfit
        finally:
            self._close_account()
        return None

    def _start_cold(self) -> None:
        self.seen.page_cache = self._box.prepare_cache(self._function)
        if not self.seen.page_cache:
            raise UnfitError(
                "the page cache cannot be dropped here: neither way is allowed", "void"
            )
        waited_ns = waited_for_core_ns()
        self._boxed.start()
        self.seen.next_ns = self._await_call(self._timeouts.init_s).at_ns
        self._invoke(self._note_cold_account)
        if waited_ns is not None:
            self.seen.late_ns = (waited_for_core_ns() or waited_ns) - waited_ns
        if self.seen.start_ns is None:
            self._await("started", _STARTED_TIMEOUT_S)

    def _invoke(self, answered: Callable[[], None] | None = None) -> None:
        self._call = None
        number = len(self.seen.invoke_ns) + 1
        try:
            self._in_hand, written_ns = self._api.hand(self._event, self._timeouts.invoke_s)
        except OSError as error:
            reason = f"invoke {number}: the runtime did not take its event: {error}"
            raise UnfitError(reason, words=True) from error
        response = self._await("response", self._timeouts.invoke_s)
        self.seen.written_ns.append(written_ns)
        self.seen.invoke_ns.append(response.at_ns - written_ns)
        self._in_hand = ""
        if answered is not None:
            answered()
        self._check_answer(response.body, number)

    def _check_answer(self, body: bytes, number: int) -> None:
        if body == self._good_body:
            return
        try:
            got = parse(body)
        except ValueError as error:
            text = body[:80].decode(errors="replace")
            reason = f"invoke {number}: the response is no JSON: {error}: {text!r}"
            raise UnfitError(reason) from None
        if found := difference(self._expected, got):
            raise UnfitError(f"invoke {number}: a wrong answer: {found}")
        self._good_body = body

    def _await_call(self, timeout_s: float) -> Happening:
        """The open call for the next event, which may have come already."""
        return self._call or self._await("next", timeout_s)

    def _await(self, wanted: Kind, timeout_s: float) -> Happening:
        until = time.monotonic() + timeout_s
        while True:
            while self._happened:
                happening = self._happened.popleft()
                self._take(happening)
                if happening.kind == wanted:
                    return happening
            if (left := until - time.monotonic()) <= 0:
                raise self._overdue(wanted, timeout_s)
            ready = self._selector.select(left)
            # The mark first: where both came while we slept, it came before the call.
            for key, _ in sorted(ready, key=lambda each: not self._boxed.is_mark(each[0].fd)):
                key.data()

    def _take(self, happening: Happening) -> None:
        match happening.kind:
            case "started":
                self.seen.start_ns = happening.at_ns
            case "mark":
                self.seen.mark_ns = happening.at_ns
            case "next":
                self._take_call(happening)
            case "unstarted":
                raise UnfitError(f"it could not be started: {happening.text}")
            case "ended":
                raise UnfitError(self._after_death(happening.text), words=True)
            case "init_error" | "restore_error":
                at = happening.kind.removesuffix("_error")
                raise UnfitError(f"error at {at}: {told(happening.body)}")
            case "error":
                number = len(self.seen.invoke_ns) + 1
                raise UnfitError(f"invoke {number}: error: {told(happening.body)}")

    def _take_call(self, call: Happening) -> None:
        if self._call is not None or self._in_hand:
            raise UnfitError("a second call for an event came beside the first", "void")
        self._call = call

    def _after_death(self, how: str) -> str:
        if self._boxed.killed_for_memory():
            how = f"out of memory at {self._box.memory_mb} MB ({how})"
        if self.seen.next_ns is None:
            return f"it ended before its first call for an event: {how}"
        if self._in_hand:
            return f"it ended within invoke {len(self.seen.invoke_ns) + 1}: {how}"
        return f"it ended after invoke {len(self.seen.invoke_ns)}: {how}"

    def _overdue(self, wanted: Kind, timeout_s: float) -> UnfitError:
        number = len(self.seen.invoke_ns)
        within = f"within {timeout_s:g} s"
        if wanted == "response":
            reason = f"invoke {number + 1}: no response {within}"
        elif self.seen.next_ns is None:
            reason = f"no call for an event {within} of its start"
        else:
            reason = f"no call for another event {within} of invoke {number}"
        if self._boxed.killed_for_memory():
            reason += f"; a process of it was killed for want of memory at {self._box.memory_mb} MB"
        if self._api.refused:
            reason += f"; it had asked for what the Runtime API has not: {self._api.refused[0]}"
        return UnfitError(reason, words=True)

    def _note_cold_account(self) -> None:
        group, pids = self._boxed.group, self._boxed.pids
        self.seen.cpu_cold_s = group.cpu_s() if group else cpu_s(pids)
        self.seen.throttled_s = group.throttling().waited_s if group else None
        self.seen.disk_read_bytes = disk_read_bytes(pids)

    def _check_treatment(self) -> None:
        """Void what was not the cold start that was asked for.

        The process that asks for the second event is looked up: the socket is open and nothing is
        being measured.
        """
        self._check_turn_around()
        self._check_page_cache()
        call = self._await_call(self._timeouts.invoke_s)
        pid = self._boxed.owner_of(call.peer_port)
        if pid is None:
            raise UnfitError("the events went to a process that this trial did not start", "void")
        if started_s(pid) < self._began_s - TICK_S:
            raise UnfitError("the process was there before the trial began", "void")
        if self._boxed.group is not None and pid not in self._boxed.group.pids():
            raise UnfitError("the process has left its control group", "void")

    def _check_turn_around(self) -> None:
        next_ns, written_ns = self.seen.next_ns, self.seen.written_ns[0]
        start_ns = self.seen.start_ns
        if next_ns is None or start_ns is None:
            raise UnfitError("the start was not stamped", "void")
        if self._was_late(start_ns):
            late_ms = (self.seen.late_ns or 0) / 1e6
            reason = f"we waited {late_ms:.1f} ms for a processor of our own: stamps may be late"
            raise UnfitError(reason, "void", ours=True)
        ours_ns = written_ns - next_ns
        cold_ns = written_ns + self.seen.invoke_ns[0] - start_ns
        if ours_ns > max(TURN_AROUND_NS, TURN_AROUND_SHARE * cold_ns):
            reason = f"{ours_ns / 1e6:.1f} ms of {cold_ns / 1e6:.1f} were our own turn-around"
            raise UnfitError(reason, "void", ours=True)

    def _was_late(self, start_ns: int) -> bool:
        cold_ns = self.seen.written_ns[0] + self.seen.invoke_ns[0] - start_ns
        return (self.seen.late_ns or 0) > max(LATE_NS, LATE_SHARE * cold_ns)

    def _check_page_cache(self) -> None:
        read = self.seen.disk_read_bytes
        if self._box.page_cache == "dropped" and not read:
            seen = "nothing was read from the disk" if read == 0 else "reads cannot be seen here"
            raise UnfitError(f"the page cache was to be dropped, but {seen}", "void")
        if self._box.page_cache == "warm" and read is not None and read > WARM_READ_BYTES:
            reason = f"the page cache was to be warm, but {read / 1e6:.1f} MB came from the disk"
            raise UnfitError(reason, "void")

    def _count_classes(self) -> None:
        if self._function.classes_loaded is not None and self._boxed.pid is not None:
            self.seen.classes = self._function.classes_loaded(self._boxed.pid)

    def _close_account(self) -> None:
        group = self._boxed.group
        with suppress(OSError):
            self.seen.peak_bytes = peaks_bytes(self._boxed.pids)
        if group is not None:
            with suppress(OSError):
                self.seen.group_peak_bytes = group.peak_bytes()
                self.seen.cpu_s = group.cpu_s()


@contextmanager
def undisturbed(cpus: Sequence[int]) -> Iterator[None]:
    """Keep this thread off ``cpus`` where there are others, and our garbage collector at rest.

    Where we may, it goes before all ordinary threads (SCHED_FIFO): on a processor that is taken, a
    stamp would else be late by milliseconds. It sleeps but for microseconds, and starves nobody.
    """
    before = os.sched_getaffinity(0)
    collects = gc.isenabled()
    gc.freeze()  # what is there by now is not looked through, neither now nor meanwhile
    gc.disable()
    if others := before - set(cpus):
        os.sched_setaffinity(0, others)
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(OSError):
        # What we start does not inherit it.
        first = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, first, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)
        os.sched_setaffinity(0, before)
        gc.unfreeze()
        if collects:
            gc.enable()


def told(body: bytes) -> str:
    """What an error's body says, as ``errorType: errorMessage``; its text where it is no such."""
    try:
        error = parse(body)
    except ValueError:
        return body[:300].decode(errors="replace")
    if not isinstance(error, dict):
        return str(error)[:300]
    parts = (str(error[key]) for key in ("errorType", "errorMessage") if error.get(key))
    return ": ".join(parts)[:500] or "nothing said"


def _port_of(function: Function) -> int:
    """The port a snapshot expects, which has its environment from when it was made; 0: any."""
    host, _, port = function.environ.get("AWS_LAMBDA_RUNTIME_API", "").rpartition(":")
    return int(port) if function.restored and host and port.isdigit() else 0
