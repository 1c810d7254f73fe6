import pytest

from spikebench.plugin.options import new_run_id, seed_of


@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1])
def test_a_runs_seed_is_read_back_from_its_id(seed: int) -> None:
    assert seed_of(new_run_id(seed)) == seed


def test_a_drawn_seed_is_in_the_id_too_and_another_each_time() -> None:
    ids = {new_run_id(None) for _ in range(50)}
    assert len({seed_of(one) for one in ids}) == 50


def test_ids_sort_by_time() -> None:
    earlier, later = "20260101-000000-ffffffff", new_run_id(0)
    assert sorted([later, earlier]) == [earlier, later]
