"""How much of a client process's CPU is the harness's own, rather than the client library's."""

from __future__ import annotations

from benchmarks.cpu_clock import cpu_s
from benchmarks.ratio import Ratio, Target, ratio_of
from benchmarks.rig import Generator, Rig, candidate
from spikebench.candidate import Candidate

RATE_PER_S = 10_000.0
WARM_UP_S = 3.0
MEASURED_S = 3.0
CANDIDATES = ("kafka", "rabbitmq-classic")
NOTE = (
    "CPU of a generator process that drives null, over one that drives {candidate}, 1 KB at "
    "{rate:,.0f} msg/s, warm: loop, account, Python worker, schedule and harvest, with what the "
    "null driver's own hand-over takes: an upper bound; {own:.1f} of {all:.1f} µs a message"
)


def own_cpu_share(rig: Rig, rounds: int) -> list[Ratio]:
    """CPU a message with the null driver over CPU a message with a real one, a round at a time."""
    spent = [
        {name: _per_message_us(rig, candidate(name)) for name in ("null", *CANDIDATES)}
        for _ in range(rounds)
    ]
    return [_row(name, spent) for name in CANDIDATES]


def _row(name: str, spent: list[dict[str, float]]) -> Ratio:
    own, whole = (sum(each[n] for each in spent) / len(spent) for n in ("null", name))
    note = NOTE.format(candidate=name, rate=RATE_PER_S, own=own, all=whole)
    ratios = [each["null"] / each[name] for each in spent]
    return ratio_of(f"own-cpu-share-{name}", ratios, note, Target("below", 0.05))


def _per_message_us(rig: Rig, driven: Candidate) -> float:
    """CPU microseconds a message of the whole generator process, harvest and all."""
    wired = rig.wiring(driven, confirm_window=1_000, linger_ms=1.0)
    with rig.generator(driven, "java", wired) as generator:
        generator.evenly(RATE_PER_S, WARM_UP_S)
        before = _spent(generator)
        seen = generator.evenly(RATE_PER_S, MEASURED_S)
        return (_spent(generator) - before) / int(seen.confirmed.sum()) * 1e6


def _spent(generator: Generator) -> float:
    return sum(cpu_s(pid) for pid in generator.pids)
