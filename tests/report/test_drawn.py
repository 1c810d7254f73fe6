"""Drawings by one process and by two: the same files, and one error wherever it was met."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest

from spikebench.report import drawn as module
from spikebench.report.drawing import Drawing
from spikebench.report.drawn import can_fork, drawn
from tests.report.by_two import COUNT, figure, nothing

ROOT = Path(__file__).parents[2]
NAMES = [f"plot-{place}.svg" for place in range(COUNT)]


def by_two(how: str, folder: Path) -> list[str]:
    """What a process of its own prints that draws by two."""
    command = [sys.executable, "-m", "tests.report.by_two", how, str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout.splitlines()


def svgs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.svg")}


def test_two_processes_draw_what_one_does(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (one / "another.at-work").touch()
    drawings = [
        Drawing(f"plot-{place}", partial(figure, place, one, nothing, nothing))
        for place in range(COUNT)
    ]
    assert [path.name for path in drawn(drawings, one)] == NAMES
    assert by_two("well", two) == [" ".join(NAMES), "0 left"]
    assert len(list(two.glob("*.at-work"))) == 2
    assert svgs(one) == svgs(two)
    assert set(svgs(one)) == set(NAMES)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("full-first", "OSError: [Errno 28] No space left on device"),
        ("full-other", "OSError: [Errno 28] No space left on device"),
        ("killed", "a process that drew plots ended with exit code 9"),
        ("interrupted", "KeyboardInterrupt: "),
    ],
)
def test_an_error_in_either_process_is_raised_and_nobody_is_left(
    how: str, said: str, tmp_path: Path
) -> None:
    told, left = by_two(how, tmp_path)
    assert said in told
    assert left == "0 left"
    assert not list(tmp_path.glob(".*.part"))


def test_after_an_interrupt_nothing_more_is_drawn(tmp_path: Path) -> None:
    by_two("interrupted", tmp_path)
    assert len(svgs(tmp_path)) < COUNT


def test_a_process_with_threads_does_not_fork() -> None:
    done = Event()
    thread = Thread(target=done.wait)
    thread.start()
    try:
        assert not can_fork()
    finally:
        done.set()
        thread.join()


def test_who_is_alone_does_not_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "can_fork", lambda: pytest.fail("it was asked"))
    (tmp_path / "another.at-work").touch()
    drawing = Drawing("plot-0", partial(figure, 0, tmp_path, nothing, nothing))
    assert drawn([drawing, drawing], tmp_path) == [tmp_path / "plot-0.svg"] * 2
