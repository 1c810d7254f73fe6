"""What is billed of messages: how many calls carry them, and how many polls come back empty.

Calls are derived from what a scenario states: how far its producer gathers messages, and how they
arrive. Where trials counted their calls, the derivation is set right by them: what they counted
over what is derived at their own rate is a factor, which is taken to hold at other rates too.
Receiving calls count where the service itself answered them: how much it hands out at once is its
own doing. Bytes and redeliveries are what the trials counted. Polls that come back empty are
derived always: how many there are follows from the rate, and trials are busier than a month is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, expm1, floor
from typing import Self

from scipy.special import pdtrc

from spikebench.candidate import Ordering
from spikebench.record.model import Record
from spikebench.scenario.messages import Arrivals, MessageScenario
from spikes.messaging.pattern import Pattern

MEGABYTE = 1e6

MOST_A_CALL = 10
"""Messages in a call to SQS or SNS (API references of SendMessageBatch and PublishBatch)."""

SENDS, PUBLISHES = "calls_send_message_batch", "calls_publish_batch"
RECEIVES = "calls_receive_message"
"""What a trial counted of calls to SQS and SNS, those that came back empty left out."""


@dataclass(frozen=True)
class Calls:
    """What trials counted over what is derived of them: messages a sending, a receiving call.

    None where none has counted them.
    """

    sending: float | None = None
    receiving: float | None = None


@dataclass(frozen=True)
class Traffic:
    """Messages of a mean ``size_bytes`` at ``rate_per_s``, to ``subscribers`` that get all of them.

    ``competing`` consumers share a subscriber's. The producer gathers up to ``batch_messages`` and
    ``batch_bytes`` for ``linger_s``. ``deliveries`` is how often each copy was delivered: above 1
    where the trials counted duplicates. ``calls`` is what they counted of calls.
    """

    rate_per_s: float
    size_bytes: float
    arrivals: Arrivals
    subscribers: int = 1
    competing: int = 1
    batch_messages: int = 1
    batch_bytes: int = 131_072
    linger_s: float = 0.0
    prefetch: int = 200
    ordering: Ordering = "none"
    deliveries: float = 1.0
    calls: Calls = Calls()

    def at(self, rate_per_s: float) -> Self:
        """Return the same traffic at another rate."""
        return replace(self, rate_per_s=rate_per_s)

    def per_call(self, most: int) -> float:
        """Mean messages a sending call carries, where the service takes ``most``."""
        return min(float(most), max(1.0, self._sent_together(most) * (self.calls.sending or 1)))

    def per_receive(self, most: int) -> float:
        """Mean messages a receiving call returns that does not come back empty."""
        return min(float(most), max(1.0, self._got_together(most) * (self.calls.receiving or 1)))

    def set_right_by(self, trials: Sequence[Record], most: int) -> Self:
        """Return the traffic with ``calls`` as valid ``trials`` counted them, at their own rate."""
        return replace(self, calls=_counted(self, trials, most))

    def _sent_together(self, most: int) -> float:
        """As derived: how many messages a batch gathers.

        It is open for ``linger_s`` from its first message. A burst fills batch after batch; of
        messages on their own the batch gets those that come while it is open. Bursts that meet in
        one batch are taken to do so only where that fills it more than a burst alone.
        """
        fit = max(1, min(self.batch_messages, most, floor(self.batch_bytes / self.size_bytes)))
        alone = self._gathered(fit)
        if self.arrivals.kind != "bursts":
            return alone
        sizes = range(self.arrivals.burst_min, self.arrivals.burst_max + 1)
        return max(alone, sum(sizes) / sum(ceil(size / fit) for size in sizes))

    def _gathered(self, fit: int) -> float:
        expected = self.rate_per_s * self.linger_s
        if self.arrivals.kind == "poisson":
            # 1 + E[min(N, fit - 1)], N ~ Poisson(expected)
            return 1.0 + sum(float(pdtrc(i, expected)) for i in range(fit - 1))
        return float(min(fit, 1 + floor(expected)))

    def _got_together(self, most: int) -> float:
        """As derived: what one sending call put there, and no more than may be held."""
        return min(self._sent_together(most), self.prefetch)

    def empty_polls(self, every_s: float, seconds: float) -> float:
        """Polls that come back empty in ``seconds``, of all consumers together.

        Messages or bursts come to a consumer at random, at a mean rate λ; a poll that waits for W
        is vain where the gap outlasts it, and a gap holds exp(-λW) ÷ (1 - exp(-λW)) of them on
        average (a geometric series), which is 1 ÷ λW where next to nothing comes.
        """
        events = self.rate_per_s / self._together / self.competing
        waits = events * every_s
        a_second = events * exp(-waits) / -expm1(-waits)
        return a_second * seconds * self.competing * self.subscribers

    @property
    def _together(self) -> float:
        """Mean messages that arrive at the same instant."""
        if self.arrivals.kind != "bursts":
            return 1.0
        return (self.arrivals.burst_min + self.arrivals.burst_max) / 2


def traffic(
    scenario: MessageScenario,
    pattern: Pattern,
    trials: Sequence[Record] = (),
    size_bytes: float | None = None,
) -> Traffic:
    """Return the traffic of a scenario at the pattern's rate.

    ``trials`` are those of one cell: the valid ones give deliveries and calls, any the parameters
    that it was swept to. ``size_bytes`` is that of a body, the pattern's where nothing was
    measured: the same for all candidates of a scenario, whose bodies are the same (see
    ``mean_size``).
    """
    params = trials[0].params if trials else {}

    def swept(name: str, stated: float) -> int:
        return int(params.get(name, stated))

    stated = Traffic(
        rate_per_s=pattern.rate_per_s,
        size_bytes=size_bytes or pattern.size_bytes,
        arrivals=scenario.arrivals,
        subscribers=swept("subscribers", scenario.consumers.subscribers),
        competing=swept("competing", scenario.consumers.competing),
        batch_messages=swept("batch_messages", scenario.producer.batch_messages),
        batch_bytes=scenario.producer.batch_bytes,
        linger_s=float(params.get("linger_ms", scenario.producer.linger_ms)) / 1000,
        prefetch=scenario.consumers.prefetch,
        ordering=scenario.promise.ordering,
        deliveries=_deliveries(trials),
    )
    return stated.set_right_by(trials, MOST_A_CALL)


def mean_size(trials: Iterable[Record]) -> float | None:
    """Return the mean bytes of a body over trials of a scenario; None where none was measured."""
    sent = [(_value(t, "throughput_bytes"), _value(t, "throughput"), t.duration_s) for t in trials]
    known = [(mb, rate, s) for mb, rate, s in sent if mb and rate]
    if not known:
        return None
    messages = sum(rate * s for _, rate, s in known)
    return sum(mb * MEGABYTE * s for mb, _, s in known) / messages if messages else None


def _deliveries(trials: Sequence[Record]) -> float:
    ledgers = [trial.ledger for trial in trials if trial.ledger and trial.status == "valid"]
    expected = sum(ledger.expected for ledger in ledgers)
    extra = sum(ledger.duplicated for ledger in ledgers)
    return 1.0 + extra / expected if expected else 1.0


def _counted(derived: Traffic, trials: Sequence[Record], most: int) -> Calls:
    """The factors between calls that trials counted and those derived at the rate they had."""
    sending = [t for t in trials if t.status == "valid" and t.ledger and _sending(t)]
    receiving = [t for t in sending if t.fidelity == "service" and _value(t, RECEIVES)]
    return Calls(
        sending=_factor((_sent(t, derived, most), _sending(t)) for t in sending),
        receiving=_factor((_got(t, derived, most), _value(t, RECEIVES) or 0) for t in receiving),
    )


def _factor(calls: Iterable[tuple[float, float]]) -> float | None:
    """Calls derived over calls counted, of all trials together; None where there are none."""
    pairs = list(calls)
    if not pairs:
        return None
    return sum(derived for derived, _ in pairs) / sum(counted for _, counted in pairs)


def _sent(trial: Record, derived: Traffic, most: int) -> float:
    """Sending calls as derived; SQS takes a copy for each subscriber, SNS one for all of them."""
    assert trial.ledger is not None, "what has calls has sent something"
    copies = derived.subscribers if _value(trial, SENDS) else 1
    return trial.ledger.sent * copies / _there(trial, derived)._sent_together(most)


def _got(trial: Record, derived: Traffic, most: int) -> float:
    """Receiving calls as derived."""
    assert trial.ledger is not None, "what has calls has sent something"
    got = trial.ledger.delivered + trial.ledger.duplicated
    return got / _there(trial, derived)._got_together(most)


def _there(trial: Record, derived: Traffic) -> Traffic:
    return derived.at(_value(trial, "throughput") or derived.rate_per_s)


def _sending(trial: Record) -> float:
    return (_value(trial, SENDS) or 0.0) + (_value(trial, PUBLISHES) or 0.0)


def _value(trial: Record, metric: str) -> float | None:
    found = trial.metrics.get(metric)
    return found.value if found else None
