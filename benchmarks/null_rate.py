"""What a generator process can do by itself: the null driver with every message accounted for."""

from __future__ import annotations

from benchmarks.ratio import Ratio, Target, ratio_of
from benchmarks.rig import Rig, candidate
from spikebench.measure.ledger import account
from spikebench.measure.rates import drain_rate

ASKED_PER_S = 400_000.0
WARM_UP_FLOODS = 3
MESSAGES = {"java": 1_000_000, "python": 100_000}


def null_rate(rig: Rig, rounds: int) -> list[Ratio]:
    """Messages of 1 KB a second through each language's loop, over 400,000."""
    java, python = ([_rate(rig, language) for _ in range(rounds)] for language in MESSAGES)
    return [
        ratio_of("null-rate", _asked(java), _note("Java", java), Target("at least", 1.0)),
        ratio_of("null-rate-python", _asked(python), _note("Python", python)),
    ]


def _rate(rig: Rig, client: str) -> float:
    null = candidate("null")
    with rig.generator(null, client, rig.wiring(null, confirm_window=4_096)) as generator:
        for _ in range(WARM_UP_FLOODS):
            generator.flood(MESSAGES[client] // 4)
        seen = generator.flood(MESSAGES[client])
    ledger = account(seen, "queue")
    if (ledger.sent, ledger.lost, ledger.duplicated) != (MESSAGES[client], 0, 0):
        raise RuntimeError(f"the null driver's account does not add up: {ledger}")
    return drain_rate(seen)


def _asked(rates: list[float]) -> list[float]:
    return [rate / ASKED_PER_S for rate in rates]


def _note(language: str, rates: list[float]) -> str:
    mean = sum(rates) / len(rates)
    return (
        f"{language} loop, sent to received with full account, 1 process, {mean:,.0f} msg/s; "
        f"divided by {ASKED_PER_S:,.0f}"
    )
