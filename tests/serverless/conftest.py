"""What tests of cold starts share."""

from __future__ import annotations

import pytest

from spikes.serverless import trial


@pytest.fixture(autouse=True)
def _others_may_be_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials count however late we were, for tests are run on busy machines too."""
    monkeypatch.setattr(trial, "LATE_NS", 10**12)
    monkeypatch.setattr(trial, "TURN_AROUND_NS", 10**12)
