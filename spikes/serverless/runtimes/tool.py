"""Running a build tool to its end: pip, npm, go, cargo and what they need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from spikebench.errors import TargetError

Failure = Callable[[str], TargetError]
"""From what a tool said last to the error that tells what to do."""

_LINES = 3


def run_tool(
    command: Sequence[str | Path], folder: Path, environ: Mapping[str, str], failure: Failure
) -> str:
    """Return what ``command``, run in ``folder``, printed; raise what ``failure`` makes of it."""
    try:
        done = subprocess.run(
            [os.fspath(word) for word in command],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise failure(f"{command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        said = telling(done.stderr or done.stdout)
        raise failure(said or f"it ended with {done.returncode} and said nothing")
    return done.stdout


def telling(output: str) -> str:
    """Return the lines of a tool's output that tell what went wrong; empty for no output."""
    lines = [text for line in output.splitlines() if (text := line.strip())]
    found = [line for line in lines if "error" in line.lower()][:_LINES] or lines[-_LINES:]
    return " / ".join(found)
