"""A consumer of ours alone, on a topology that somebody else made and filled."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from benchmarks.rig import Rig
from spikebench.candidate import Candidate
from spikebench.load.crew import Crew, Hand
from spikebench.load.driver import Wiring
from spikebench.measure.ledger import account
from spikebench.measure.observation import Delivery, Observation

LOOK_EVERY_S = 0.1
SILENT_AFTER_S = 10.0
NAME = "consumer"


@dataclass(frozen=True)
class Consumed:
    """What a consumer got, and when it was ready to get it (ns of the monotonic clock)."""

    ready_ns: int
    delivery: Delivery

    def per_s(self, warm_up: int = 0) -> float:
        """Messages a second from the arrival of number ``warm_up`` to the last.

        From when the consumer was ready where there is no warm-up.
        """
        at_ns = self.delivery.received_ns
        began_ns = int(at_ns[warm_up - 1]) if warm_up else self.ready_ns
        return (len(at_ns) - warm_up) / ((int(at_ns[-1]) - began_ns) / 1e9)


def consume(
    rig: Rig, candidate: Candidate, client: str, wiring: Wiring, subscriber: int, messages: int
) -> Consumed:
    """Receive ``messages`` in a process of its own, as fresh as a tool that is started anew.

    ``subscriber`` is one that has not yet read. RuntimeError where fewer come.
    """
    with Crew(rig.cores.load) as crew:
        (hand,) = crew.hands(rig.runtime(candidate, client), 1)
        _open(hand, rig, candidate, client, wiring, subscriber)
        ready_ns = time.monotonic_ns()
        _await(hand, messages)
        (delivery,) = hand.harvest(NAME).deliveries
        hand.ask("close", name=NAME, within_s=20.0)
    return Consumed(ready_ns, delivery)


def check_account(filled: Observation, consumed: Consumed) -> None:
    """Raise RuntimeError unless all of ``filled`` was consumed, each message once and in order."""
    delivery = replace(consumed.delivery, subscriber=0, member=0)
    ledger = account(replace(filled, subscribers=1, deliveries=(delivery,)), "queue")
    flaws = (ledger.lost, ledger.duplicated, ledger.reordered, ledger.foreign, ledger.failed)
    if any(flaws) or ledger.delivered != len(filled.sent_ns):
        raise RuntimeError(f"the account of what was consumed does not add up: {ledger}")


def _open(
    hand: Hand, rig: Rig, candidate: Candidate, client: str, wiring: Wiring, subscriber: int
) -> None:
    hand.ask(
        "open",
        name=NAME,
        language=candidate.client(client).language,
        driver=candidate.client(client).driver,
        wiring=wiring.to_json(),
        cargo=hand.hand_over(rig.cargo(wiring), "cargo"),
        sends=False,
        receives=[[subscriber, 0]],
    )


def _await(hand: Hand, messages: int) -> None:
    """Wait until ``messages`` have come; RuntimeError where it breaks or nothing comes any more."""
    received, since = 0, time.monotonic()
    while received < messages:
        time.sleep(LOOK_EVERY_S)
        told = hand.ask("progress", name=NAME)
        if told["error"]:
            raise RuntimeError(told["error"])
        if told["received"] > received:
            received, since = told["received"], time.monotonic()
        elif time.monotonic() - since > SILENT_AFTER_S:
            raise RuntimeError(
                f"{received} of {messages} messages came, and none for {SILENT_AFTER_S:.0f} s"
            )
