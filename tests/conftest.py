"""Warnings are errors in the tests of the harness; in a run they are not."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    """Turn warnings into errors, but for those of libraries that we cannot mend."""
    config.addinivalue_line("filterwarnings", "error")
    # kafka-python reads its protocol's schemas so when it is imported
    config.addinivalue_line(
        "filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning"
    )
