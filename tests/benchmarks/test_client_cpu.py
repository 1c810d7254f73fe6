from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from benchmarks import client_cpu

BUSY = """
import time
end = time.monotonic() + 60
while time.monotonic() < end:
    pass
"""


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_cpu, "WARM_UP_S", 0.1)
    monkeypatch.setattr(client_cpu, "MEASURED_S", 0.3)


@pytest.fixture
def busy() -> Iterator[Future[int]]:
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    told: Future[int] = Future()
    told.set_result(process.pid)
    yield told
    process.kill()
    process.wait()


def test_cpu_is_that_of_the_process(busy: Future[int]) -> None:
    assert client_cpu.measured_cpu_s(busy) > 0


def test_a_run_is_watched_from_when_it_tells_its_process(busy: Future[int]) -> None:
    def run(started: Callable[[int], None]) -> str:
        started(busy.result())
        return "said"

    said, used_s = client_cpu.watched(run)
    assert said == "said"
    assert used_s > 0


def test_a_process_that_ends_early_has_no_figure() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    told: Future[int] = Future()
    told.set_result(child.pid)
    with pytest.raises(OSError, match="No such process"):
        client_cpu.measured_cpu_s(told)


def test_cpu_seconds_become_microseconds_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_cpu, "MEASURED_S", 8)
    assert client_cpu._us_a_message(2.0, 5_000) == pytest.approx(50.0)
    with pytest.raises(RuntimeError, match="came to 4,000 of 5,000"):
        client_cpu._us_a_message(2.0, 4_000)
