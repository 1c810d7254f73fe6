"""Processes of a killed run that are still there, told from others by their environment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.stress.subject import MARK, Place

SERVER = "SPIKEBENCH_SERVER"
LOOK_EVERY_S = 0.05


def survivors(place: Place) -> list[psutil.Process]:
    """The live processes of runs at ``place``.

    Workers and watches have the run's mark from the test runner. A server's environment is its own,
    and its home lies below the run's scratch folder.
    """
    return [process for process, environ in _environments() if _is_ours(environ, place)]


def gone_after_s(place: Place, within_s: float) -> float | None:
    """Wait until none is left; return the seconds that took, None where ``within_s`` ran out."""
    began = time.monotonic()
    while survivors(place):
        if time.monotonic() - began > within_s:
            return None
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began


def _environments() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process, process.environ()
        except (psutil.Error, OSError):
            continue


def _is_ours(environ: dict[str, str], place: Place) -> bool:
    if environ.get(MARK) == place.mark:
        return True
    home = Path(environ.get("HOME", "/"))
    return SERVER in environ and place.scratch in home.parents
