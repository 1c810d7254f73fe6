"""Drawings put into a folder, by one process or two: most of a table's time is drawing.

The second is a fork, which has the table already; a process started anew would have to be sent all
that it is to draw, and import what draws it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import ECHILD
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from spikebench.report.drawing import Drawing

PLACE_BYTES = 2
"""Of a drawing's place among the others, as it stands in the pipe."""


def drawn(drawings: Sequence[Drawing], folder: Path, alone: bool = True) -> list[Path]:
    """Draw into ``folder``; return the files written, in the order of ``drawings``.

    Unless ``alone``, a forked process draws with this one where there are two cores and, in this
    process, no thread beside the one that asks: a fork has no other. The files are the same.
    Raises OSError where the folder cannot be written, or where the other process was ended.
    """
    if alone or len(drawings) < 2 or not can_fork():
        return [drawing.put(folder) for drawing in drawings]
    _draw_by_two(drawings, folder)
    return [folder / drawing.name for drawing in drawings]


def can_fork() -> bool:
    """Whether a second process serves, and a fork is safe."""
    if sys.platform != "linux":
        return False
    return threading.active_count() == 1 and len(os.sched_getaffinity(0)) > 1


def _draw_by_two(drawings: Sequence[Drawing], folder: Path) -> None:
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401 - once, not in each process

    forking = get_context("fork")
    ours, theirs = forking.Pipe(duplex=False)
    with ours, _places(len(drawings)) as todo:
        gc.freeze()  # what there is stays: looking at it all would copy it, page by page
        other = forking.Process(target=_help, args=(drawings, folder, todo, theirs))
        other.start()
        theirs.close()
        try:
            _draw_next(drawings, folder, todo)
        except BaseException:
            _leave_none(todo)
            raise
        finally:
            other.join()
        _raise_what_it_met(ours, other.exitcode)


@contextmanager
def _places(count: int) -> Iterator[int]:
    """A pipe with the place of each drawing: whoever is free takes the next one out of it."""
    reading, writing = os.pipe()
    os.write(writing, b"".join(place.to_bytes(PLACE_BYTES) for place in range(count)))
    os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


def _draw_next(drawings: Sequence[Drawing], folder: Path, todo: int) -> None:
    while place := os.read(todo, PLACE_BYTES):
        drawings[int.from_bytes(place)].put(folder)


def _leave_none(todo: int) -> None:
    while os.read(todo, 4096):
        pass


def _help(drawings: Sequence[Drawing], folder: Path, todo: int, answer: Connection) -> None:
    """Draw in the other process; an interrupt is left to the first, which leaves nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    error: Exception | None = None
    try:
        _draw_next(drawings, folder, todo)
    except Exception as had:  # it is raised in the first process
        _leave_none(todo)
        error = had
    answer.send(error)


def _raise_what_it_met(answer: Connection, code: int | None) -> None:
    try:
        error = answer.recv()
    except EOFError:
        said = f"a process that drew plots ended with exit code {code}"
        raise ChildProcessError(ECHILD, said) from None
    if error is not None:
        raise error
