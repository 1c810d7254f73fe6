"""How much of a client process's CPU is the harness's own, rather than the client library's."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.cpu_clock import main_thread_cpu_s, process_cpu_s, wake_up_cpu_s
from benchmarks.rates import require_held
from benchmarks.ratio import Ratio, Target, ratio_of
from benchmarks.rig import Rig, candidate, through
from spikebench.candidate import Candidate

RATE_PER_S = 10_000.0
WARM_UP_MESSAGES, WARM_UP_S = 150_000, 3.0
MEASURED_S = 2.0
WAKE_UPS_PER_S = 1_000.0
"""The Java loop's, above 4,000 messages a second (``Outbox.TICK_AT_HIGH_RATES_NS``)."""

NULL = "null"
CANDIDATES = ("kafka", "rabbitmq-classic")
BELOW = Target("below", 0.05)

METERED = (
    "client process at {rate:,.0f} msg/s of 1 KB, warm: CPU of our Python thread, of the sending "
    "thread outside the driver, and of the callbacks into our account (one call in 17 metered), "
    "over that of the whole process; {own:.2f} of {all:.1f} µs a message: Python {python:.2f}, "
    "loop {loop:.2f}, account {account:.2f}"
)
AWAKE = (
    "the same without what the machine asks for the loop's wake-ups, one a millisecond: a bare "
    "sleep of 1 ms takes {sleep:.1f} µs of CPU on these cores, {wake:.2f} µs a message"
)
BOUND = (
    "upper bound: CPU of a process that drives null over one that drives {name}, the null driver's "
    "own hand-over included; {own:.1f} of {all:.1f} µs a message"
)


@dataclass(frozen=True)
class Spent:
    """CPU microseconds a message: of the whole process, and of our own parts of it."""

    all_us: float
    python_us: float
    loop_us: float
    account_us: float
    sleep_us: float = 0.0

    @property
    def own_us(self) -> float:
        """What is ours rather than the client library's."""
        return self.python_us + self.loop_us + self.account_us

    @property
    def wake_us(self) -> float:
        """What the machine asks for the loop's wake-ups."""
        return self.sleep_us * WAKE_UPS_PER_S / RATE_PER_S


Round = Mapping[str, Spent]


def own_cpu_share(rig: Rig, rounds: int) -> list[Ratio]:
    """Our own CPU over the whole process's, by meter, and by the null driver as a bound."""
    names = (NULL, *CANDIDATES)
    spent = [{name: measure(rig, candidate(name)) for name in names} for _ in range(rounds)]
    rows = (_metered, _awake, _bound)
    return [row(name, spent) for name in CANDIDATES for row in rows]


def _metered(name: str, rounds: Sequence[Round]) -> Ratio:
    spent = [each[name] for each in rounds]
    note = METERED.format(
        rate=RATE_PER_S,
        own=_mean([s.own_us for s in spent]),
        all=_mean([s.all_us for s in spent]),
        python=_mean([s.python_us for s in spent]),
        loop=_mean([s.loop_us for s in spent]),
        account=_mean([s.account_us for s in spent]),
    )
    return ratio_of(f"own-cpu-share-{name}", [s.own_us / s.all_us for s in spent], note, BELOW)


def _awake(name: str, rounds: Sequence[Round]) -> Ratio:
    spent = [each[name] for each in rounds]
    note = AWAKE.format(
        sleep=_mean([s.sleep_us for s in spent]), wake=_mean([s.wake_us for s in spent])
    )
    # a loop's sleep may cost less than the bare one beside it: no more is left out than it took
    shares = [(s.own_us - min(s.wake_us, s.loop_us)) / s.all_us for s in spent]
    return ratio_of(f"own-cpu-share-awake-{name}", shares, note)


def _bound(name: str, rounds: Sequence[Round]) -> Ratio:
    own, whole = ([each[n].all_us for each in rounds] for n in (NULL, name))
    note = BOUND.format(name=name, own=_mean(own), all=_mean(whole))
    ratios = [a / b for a, b in zip(own, whole, strict=True)]
    return ratio_of(f"own-cpu-bound-{name}", ratios, note)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def measure(rig: Rig, driven: Candidate) -> Spent:
    """CPU a message of one warm segment, from handing out its schedule to the harvest."""
    with tempfile.TemporaryDirectory(prefix="spikebench-meter-") as folder:
        report = Path(folder) / "report.txt"
        options = {"report": str(report)}
        wrapped = metered(driven)
        wired = rig.wiring(wrapped, confirm_window=1_000, linger_ms=1.0, options=options)
        with rig.generator(wrapped, "java", wired) as generator:
            generator.flood(WARM_UP_MESSAGES, WARM_UP_S)
            generator.evenly(RATE_PER_S, 1.0)
            pid = generator.pid
            before = process_cpu_s(pid), main_thread_cpu_s(pid)
            seen = generator.evenly(RATE_PER_S, MEASURED_S)
            after = process_cpu_s(pid), main_thread_cpu_s(pid)
        require_held(seen, RATE_PER_S)
        sleep_us = wake_up_cpu_s(rig.cores.load) * 1e6
        spent = read_spent(report.read_text(), after[0] - before[0], after[1] - before[1])
        return replace(spent, sleep_us=sleep_us)


def metered(driven: Candidate) -> Candidate:
    """The same candidate, its Java client driven through the meter."""
    return through(driven, "java", "benchmarks.Metered")


def read_spent(report: str, process_s: float, python_s: float) -> Spent:
    """Put together the CPU seconds of a segment and the last line of the meter's report."""
    messages, loop_ns, confirms_ns, inbox_ns = map(int, report.splitlines()[-1].split())
    return Spent(
        all_us=process_s * 1e6 / messages,
        python_us=python_s * 1e6 / messages,
        loop_us=loop_ns / 1e3 / messages,
        account_us=(confirms_ns + inbox_ns) / 1e3 / messages,
    )
