"""Functions of which it is known how long each phase lasts, or what goes wrong: the test double."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from spikes.serverless.function import Function

SCRIPT = Path(__file__).with_name("synthetic_runtime.py")


@dataclass(frozen=True)
class Behaviour:
    """What the runtime does beyond answering each event with itself; numbers of invokes from 1.

    ``*_s`` are sleeps: before the mark, between mark and first ``next``, in the first invoke and in
    each later one. ``eat_mb`` is taken at init, ``orphan`` leaves a process in another session.
    """

    before_mark_s: float = 0.0
    init_s: float = 0.0
    first_s: float = 0.0
    invoke_s: float = 0.0
    no_mark: bool = False
    invokes: int | None = None
    answer: str | None = None
    chatter_lines: int = 0
    orphan: bool = False
    eat_mb: int = 0
    init_error: str = ""
    init_exit: int | None = None
    init_signal: int | None = None
    error_at: int = 0
    exit_at: int = 0
    hang_at: int = 0
    wrong_at: int = 0


def synthetic(folder: Path, behaviour: Behaviour | None = None) -> Function:
    """A function of the running Python that behaves as told; ``folder`` is where it is started."""
    told = json.dumps(asdict(behaviour or Behaviour()))
    return Function(
        command=(sys.executable, "-I", "-S", str(SCRIPT), told),
        folder=folder,
        environ={"PATH": "/usr/bin:/bin"},
        package_bytes=SCRIPT.stat().st_size,
        versions={"python": sys.version.split()[0]},
    )
