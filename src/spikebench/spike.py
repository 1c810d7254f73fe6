"""A spike: one open question, the candidates that may answer it, and its workloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikebench.candidate import Candidate
from spikebench.errors import UsageError


@dataclass(frozen=True)
class Spike:
    """One open question with its candidates; ``scenarios`` is the folder of scenario files."""

    name: str
    question: str
    candidates: tuple[Candidate, ...]
    scenarios: Path

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
