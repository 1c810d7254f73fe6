from __future__ import annotations

import numpy as np
import pytest

from benchmarks.kafka_end_to_end import PING_PONG
from benchmarks.rig import Rig, in_bursts
from spikebench.load.schedule import Schedule


def test_a_burst_holds_what_falls_due_within_it() -> None:
    none = np.zeros(5, np.int32)
    even = Schedule(np.array([0, 400_000, 1_200_000, 2_000_000, 3_900_000]), none, none)
    assert in_bursts(even, 0.002).offsets_ns.tolist() == [0, 0, 0, 2_000_000, 2_000_000]


@pytest.mark.slow
def test_at_ping_pong_a_message_is_sent_when_the_one_before_has_arrived_and_is_confirmed() -> None:
    with Rig(print) as rig:
        wiring = rig.wiring(PING_PONG, confirm_window=1, options={"partitions": "1"})
        with rig.generator(PING_PONG, "java", wiring) as generator:
            seen = generator.flood(200)
    received = seen.first_received_ns(0)
    assert seen.confirmed.all()
    assert (received[:-1] <= seen.sent_ns[1:]).all()
    assert (received <= seen.confirmed_ns).all()
    assert (seen.confirmed_ns[:-1] <= seen.sent_ns[1:]).all()
