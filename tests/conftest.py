"""Warnings are errors in the tests of the harness; in a run they are not."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from spikebench.load.crew import Crew

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    """Turn warnings into errors, but for those of libraries that we cannot mend."""
    config.addinivalue_line("filterwarnings", "error")
    # kafka-python reads its protocol's schemas so when it is imported
    config.addinivalue_line(
        "filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning"
    )


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """Workers that live on from test to test, as they do from trial to trial."""
    with Crew(sorted(os.sched_getaffinity(0))) as crew:
        yield crew
