"""The folder in which a run and its workers hand things to each other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from spikebench.target.guard import Charge, Guard


class Handover:
    """A temporary folder that goes when it is closed, and when we are killed and cannot close it.

    Raises OSError where none can be made, and TargetError where its watch does not start. A watch
    of its own removes it, and no worker does: one that is hung or killed as well could not.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="spikebench-load-"))
        self._guard = Guard(Charge(remove=[str(self.path)]))

    def close(self) -> None:
        """Remove the folder and all in it; safe to call twice."""
        self._guard.end()
