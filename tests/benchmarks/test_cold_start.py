"""The comparison with a bare start: both ways run the command, and say where they cannot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.cold_start import bare_run_s, boxed_run_s
from benchmarks.tool import ToolError
from spikes.serverless.function import Function

CPUS = sorted(os.sched_getaffinity(0))[:1]


def running(*command: str) -> Function:
    return Function(command, Path("/"), {"PATH": "/usr/bin:/bin"}, package_bytes=0)


@pytest.mark.parametrize("run", [bare_run_s, boxed_run_s])
def test_a_command_takes_at_least_what_it_sleeps(
    run: Callable[[Function, list[int]], float],
) -> None:
    cores = os.sched_getaffinity(0)
    assert run(running("/bin/sleep", "0.05"), CPUS) >= 0.05
    assert os.sched_getaffinity(0) == cores


def test_what_fails_is_told() -> None:
    with pytest.raises(ToolError, match="code 1"):
        bare_run_s(running("/bin/false"), CPUS)
    with pytest.raises(ToolError, match="did not start"):
        boxed_run_s(running("/no/such"), CPUS)
