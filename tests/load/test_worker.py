import gc
import weakref
from collections.abc import Iterator

import pytest

from spikebench.load.worker import _set_aside


class Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_there_is_no_longer_looked_through_and_garbage_is_not_kept() -> None:
    earlier = weakref.ref(Knot())
    _set_aside()
    assert earlier() is None
    assert gc.get_freeze_count() > 1_000
    kept = weakref.ref(Knot())
    gc.freeze()  # as a generator that is open is
    _set_aside()  # the next one is opened
    assert kept() is None
