import json
from pathlib import Path

import numpy as np
import pytest

from spikebench.load.exchange import read_harvest, read_order, write_harvest, write_order
from spikebench.load.generator import Harvest, Order
from spikebench.measure import column as column_module
from spikebench.measure.observation import Delivery


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_module, "PART", 7)


def delivered(subscriber: int, count: int, foreign: int = 0) -> Delivery:
    seq = np.arange(count, dtype=np.int32)
    return Delivery(subscriber, 1, seq, 10**12 + seq.astype(np.int64), foreign)


def test_an_order_arrives_as_it_was_given_and_leaves_no_file(tmp_path: Path) -> None:
    given = Order(
        first_seq=5,
        t0_ns=10**15,
        deadline_ns=2 * 10**15,
        confirm_timeout_s=2.5,
        offsets_ns=np.arange(20, dtype=np.int64) * 10**10,
        template=np.arange(20, dtype=np.int32) % 3,
        key=np.arange(20, dtype=np.int32) % 4,
    )
    contents = json.loads(json.dumps(write_order(given, tmp_path / "order")))
    got = read_order(tmp_path / "order", contents)
    assert list(tmp_path.iterdir()) == []
    assert (got.first_seq, got.t0_ns, got.deadline_ns, got.confirm_timeout_s) == (
        5,
        10**15,
        2 * 10**15,
        2.5,
    )
    assert got.offsets_ns.tolist() == given.offsets_ns.tolist()
    assert got.template.tolist() == given.template.tolist()
    assert got.key.tolist() == given.key.tolist()


def test_a_harvest_arrives_as_it_was_given_and_leaves_no_file(tmp_path: Path) -> None:
    sent = 10**15 + np.arange(15, dtype=np.int64)
    given = Harvest(
        deliveries=(delivered(0, 15, foreign=2), delivered(1, 0), delivered(2, 8)),
        sent_ns=sent,
        confirmed_ns=sent + 1,
        held_until_ns=sent * 0,
        refusals={"full": 3},
        calls={"send": 4},
    )
    contents = json.loads(json.dumps(write_harvest(given, tmp_path / "harvest")))
    got = read_harvest(tmp_path / "harvest", contents)
    assert list(tmp_path.iterdir()) == []
    assert got.sent_ns.tolist() == sent.tolist()
    assert got.confirmed_ns.tolist() == (sent + 1).tolist()
    assert got.held_until_ns.tolist() == [0] * 15
    assert (got.refusals, got.calls) == ({"full": 3}, {"send": 4})
    for one, other in zip(got.deliveries, given.deliveries, strict=True):
        assert (one.subscriber, one.member, one.foreign) == (other.subscriber, 1, other.foreign)
        assert one.seq.tolist() == other.seq.tolist()
        assert one.received_ns.tolist() == other.received_ns.tolist()


def test_a_harvest_that_was_cut_short_is_an_error_and_no_loss(tmp_path: Path) -> None:
    nothing = np.empty(0, np.int64)
    given = Harvest((delivered(0, 15),), nothing, nothing, nothing)
    contents = write_harvest(given, tmp_path / "harvest")
    with (tmp_path / "harvest").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(OSError, match="too early"):
        _ = read_harvest(tmp_path / "harvest", contents).deliveries[0].received_ns
