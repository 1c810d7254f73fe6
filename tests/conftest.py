"""Warnings are errors in the tests of the harness; in a run they are not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from spikebench.load.crew import Crew

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    """Turn warnings into errors, but for those of libraries that we cannot mend.

    Started in the background, a test run ignores SIGINT and would hand that on to the runs that
    are interrupted in tests.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("filterwarnings", "error")
    # kafka-python reads its protocol's schemas so when it is imported
    config.addinivalue_line(
        "filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning"
    )
    # and leaves a socket whose connection was refused to the collector: one without an address
    config.addinivalue_line(
        "filterwarnings",
        r"ignore:Exception ignored in. <socket.socket .*laddr=..0\.0\.0\.0.,"
        ":pytest.PytestUnraisableExceptionWarning",
    )


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """Workers that live on from test to test, as they do from trial to trial."""
    with Crew(sorted(os.sched_getaffinity(0))) as crew:
        yield crew
