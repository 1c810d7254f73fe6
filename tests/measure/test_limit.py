import pytest

from spikebench.measure.limit import Load, limit_of, load_of
from spikebench.measure.observation import Usage
from spikebench.measure.outcome import Limit

BUSY, HALF = 0.95, 0.5


def test_load_is_a_share_of_the_cores_a_side_may_use() -> None:
    usage = Usage(server_cpu_s=3.0, client_cpu_s=1.0, span_s=2.0)
    assert load_of(usage, [0, 1], [2]) == Load(server=0.75, client=0.5)


def test_a_side_that_cannot_be_seen_has_no_load() -> None:
    usage = Usage(server_cpu_s=None, client_cpu_s=1.0, span_s=0.0)
    assert load_of(usage, [0], [1]) == Load(server=None, client=None)


@pytest.mark.parametrize(
    ("load", "limit"),
    [
        (Load(BUSY, HALF), "broker"),
        (Load(HALF, BUSY), "client"),
        (Load(HALF, HALF), "unknown"),
        (Load(None, HALF), "unknown"),
        (Load(None, BUSY), "client"),
        (Load(0.97, 0.92), "broker"),
        (Load(None, None), "unknown"),
    ],
)
def test_the_busier_side_is_the_limit_where_its_cores_are_full(load: Load, limit: Limit) -> None:
    assert limit_of(load, rate_met=False, rate=100, ceiling=None) == limit


@pytest.mark.parametrize(
    ("load", "limit"),
    [
        (Load(server=0.3, client=0.2, server_cores=0.4, client_cores=1.0), "client"),
        (Load(server=0.3, client=0.2, server_cores=1.0, client_cores=0.4), "broker"),
        (Load(server=0.3, client=0.2, server_cores=1.0, client_cores=1.0), "unknown"),
        (Load(server=0.95, client=0.2, server_cores=0.95, client_cores=1.0), "broker"),
        (Load(server=0.3, client=0.2, server_cores=0.4, client_cores=0.3), "unknown"),
        (Load(server=None, client=0.2, server_cores=1.0, client_cores=0.3), "unknown"),
    ],
)
def test_a_side_whose_cores_are_full_of_other_work_is_the_limit_too(
    load: Load, limit: Limit
) -> None:
    assert limit_of(load, rate_met=False, rate=100, ceiling=None) == limit


def test_cores_count_for_the_side_they_belong_to() -> None:
    busy = {0: 2.0, 1: 1.0, 2: 0.5}
    usage = Usage(server_cpu_s=1.0, client_cpu_s=0.5, span_s=2.0, cores_busy_s=busy)
    found = load_of(usage, [0, 1], [2])
    assert (found.server_cores, found.client_cores) == (0.75, 0.25)
    assert load_of(usage, [0, 3], [2]).server_cores is None


def test_a_rate_that_was_held_was_the_limit_itself() -> None:
    assert limit_of(Load(BUSY, BUSY), rate_met=True, rate=100, ceiling=100) == "target"


def test_near_the_null_drivers_rate_the_client_is_the_limit() -> None:
    assert limit_of(Load(BUSY, HALF), rate_met=False, rate=80, ceiling=100) == "client"
    assert limit_of(Load(BUSY, HALF), rate_met=False, rate=79, ceiling=100) == "broker"
