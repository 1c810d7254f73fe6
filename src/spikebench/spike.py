"""A spike: one open question, the candidates that may answer it, and its workloads."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spikebench.candidate import Candidate
from spikebench.errors import UsageError
from spikebench.scenario.messages import MessageScenario
from spikebench.scenario.model import Scenario
from spikebench.scenario.profile import USUAL, Profile
from spikebench.scenario.read import read_scenarios

if TYPE_CHECKING:
    from spikebench.method import Method

MESSAGES_LAYOUT = "spikebench.report.messages:LAYOUT"
"""The layout of tables about messages, which a spike has that names none."""


@dataclass(frozen=True)
class Spike:
    """One open question with its candidates; ``scenarios`` is the folder of scenario files.

    ``model`` is what those files are read as. ``measured_by`` names the spike's ``Method``, and
    ``layout`` its ``report.layout.Layout`` (the columns of its tables, its plots, how its
    requirements are judged), as ``package.module:ATTRIBUTE``; each is imported when it is needed.
    So is ``pricing``, a ``cost.priced.Pricing`` for ``spikebench cost``; empty where it has none.
    ``profiles`` are by name, shortest first.
    """

    name: str
    question: str
    candidates: tuple[Candidate, ...]
    scenarios: Path
    profiles: Mapping[str, Profile] = field(default_factory=lambda: USUAL)
    model: type[Scenario] = MessageScenario
    measured_by: str = "spikebench.load.method:MESSAGES"
    layout: str = MESSAGES_LAYOUT
    pricing: str = ""

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

    def profile(self, name: str) -> Profile:
        """Return the profile called ``name``; raise UsageError where there is none."""
        if name not in self.profiles:
            known = ", ".join(self.profiles) or "none"
            raise UsageError(
                f"--profile {name}: spike {self.name} has no such profile; choose one of {known}"
            )
        return self.profiles[name]

    def read_scenarios(self) -> dict[str, Scenario]:
        """Return all scenarios by name; raise ScenarioError for the first wrong one."""
        return read_scenarios(self.scenarios, self.model)

    @property
    def method(self) -> Method:
        """How it measures."""
        module, _, attribute = self.measured_by.partition(":")
        found: Method = getattr(importlib.import_module(module), attribute)
        return found
