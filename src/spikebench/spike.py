"""A spike: one open question, the candidates that may answer it, and its workloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikebench.candidate import Candidate
from spikebench.errors import UsageError

MESSAGES = "spikebench.report.messages:LAYOUT"
"""The layout of tables about messages, which a spike has that names none."""


@dataclass(frozen=True)
class Spike:
    """One open question with its candidates; ``scenarios`` is the folder of scenario files.

    ``layout`` is ``package.module:ATTRIBUTE`` of a ``spikebench.report.layout.Layout``: the columns
    of its tables, its plots, and how its requirements are judged. It is imported when it is needed.
    """

    name: str
    question: str
    candidates: tuple[Candidate, ...]
    scenarios: Path
    layout: str = MESSAGES

    def candidate(self, name: str) -> Candidate:
        """Return the candidate called ``name``; raise UsageError listing the known ones."""
        for candidate in self.candidates:
            if candidate.name == name:
                return candidate
        known = ", ".join(candidate.name for candidate in self.candidates)
        raise UsageError(
            f"unknown candidate {name!r} in spike {self.name}; it has {known}: "
            "name one of these with --candidate"
        )
