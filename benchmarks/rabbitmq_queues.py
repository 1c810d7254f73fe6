"""RabbitMQ's queues for a side-by-side run: one producer, one consumer, the same on both sides."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.rig import Rig, candidate
from spikebench.candidate import Candidate
from spikebench.load.driver import Wiring
from spikes.messaging.candidates.rabbitmq import RabbitTopology

CONFIRM_WINDOW = 100
PREFETCH = 200
SETTINGS = (
    "1,024 B persistent, window 100, prefetch 200, ack each, 1 producer, 1 consumer, same queue, "
    "both fresh JVMs with the same flags and amqp-client"
)


def over_amqp(kind: str) -> Candidate:
    """RabbitMQ with one kind of queue, driven by the AMQP client whatever the kind."""
    return replace(candidate("rabbitmq-classic"), name=f"rabbitmq-{kind}", options={"kind": kind})


def wiring(rig: Rig, rabbit: Candidate) -> Wiring:
    """A wiring with the settings that every side-by-side run uses."""
    return rig.wiring(rabbit, confirm_window=CONFIRM_WINDOW, prefetch=PREFETCH, ack_batch=1)


class SingleQueue(RabbitTopology):
    """The queue ``<name>.0`` of any kind, a stream too: one name for every AMQP client."""

    @property
    def _queues(self) -> list[str]:
        return [f"{self._wiring.name}.0"]
