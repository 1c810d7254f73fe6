"""Drawing by two, in a process that has one thread for sure: what a process of tests can't promise.

``python -m tests.report.by_two HOW FOLDER`` draws into the folder and prints how it ended: the
names of the files, or the error, and how many processes are left.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from errno import ENOSPC
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from spikebench.report.drawing import Drawing
from spikebench.report.drawn import drawn

FIRST = os.getpid()
COUNT = 6
WAIT_S = 60.0

Ending = Callable[[], None]


def nothing() -> None:
    """Go on."""


def full() -> None:
    """Meet a full disk."""
    raise OSError(ENOSPC, "No space left on device")


def killed() -> None:
    """End at once, as a process that is killed does."""
    os._exit(9)


def interrupted() -> None:
    """Be interrupted from the keyboard."""
    raise KeyboardInterrupt


HOW: dict[str, tuple[Ending, Ending]] = {
    "well": (nothing, nothing),
    "full-first": (full, nothing),
    "full-other": (nothing, full),
    "killed": (nothing, killed),
    "interrupted": (interrupted, nothing),
}
"""What the first process does, and what the other one, once each has a drawing in hand."""


def figure(place: int, folder: Path, first: Ending, other: Ending) -> Figure:
    """A figure of its place, once both processes are at work."""
    (folder / f"{os.getpid()}.at-work").touch()
    until = time.monotonic() + WAIT_S
    while len(list(folder.glob("*.at-work"))) < 2:
        assert time.monotonic() < until, "the other process never drew"
        time.sleep(0.01)
    (first if os.getpid() == FIRST else other)()
    made = Figure()
    made.suptitle(f"place {place}")
    return made


def main(how: str, folder: Path) -> None:
    """Draw, and say how it ended."""
    drawings = [
        Drawing(f"plot-{place}", partial(figure, place, folder, *HOW[how]))
        for place in range(COUNT)
    ]
    os.sched_getaffinity = lambda _: {0, 1}
    try:
        print(*(path.name for path in drawn(drawings, folder, alone=False)))
    except BaseException as error:
        print(f"{type(error).__name__}: {error}")
    print(len(multiprocessing.active_children()), "left")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
