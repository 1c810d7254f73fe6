import os

import pytest

from spikebench.target.cores import split_cores


@pytest.mark.parametrize(
    ("available", "server", "load"),
    [
        ([0], [0], [0]),
        ([0, 1], [0], [1]),
        ([5, 3, 1], [1], [3, 5]),
        (range(8), [0, 1, 2, 3], [4, 5, 6, 7]),
    ],
)
def test_server_and_load_share_nothing_where_there_are_two(
    available: list[int], server: list[int], load: list[int]
) -> None:
    cores = split_cores(available)
    assert (list(cores.server), list(cores.load)) == (server, load)


def test_only_cores_this_process_may_use_are_split() -> None:
    cores = split_cores()
    assert {*cores.server, *cores.load} == os.sched_getaffinity(0)
