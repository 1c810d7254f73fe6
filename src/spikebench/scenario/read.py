"""From a scenario file to a ``Scenario``, or to errors that name file, line and key.

Every error reads ``path:line: key: what; what to do``, a line each where there are several.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from spikebench.errors import ScenarioError
from spikebench.scenario.check import checked
from spikebench.scenario.document import Document
from spikebench.scenario.model import Scenario
from spikebench.scenario.variant import for_emulator, variants

S = TypeVar("S", bound=Scenario)

DECISION = "decision.yaml"
"""A file beside the scenarios that is none: it says how their results are weighed."""


def read_scenario(path: Path, model: type[S]) -> S:
    """Return the scenario in ``path``, of a spike's kind; raise ScenarioError for anything wrong.

    Sweeps and emulator values are tried as well, so that a cell can't turn out wrong in a run.
    """
    document = Document.read(path)
    scenario = checked(model, document.values, document)
    if scenario.scenario != path.stem:
        what = f"must be the file's name; write 'scenario: {path.stem}' or rename the file"
        raise ScenarioError(document.problem(("scenario",), what))
    for tried in (scenario, for_emulator(scenario)):
        variants(tried, full=False)
        variants(tried, full=True)
    return scenario


def read_scenarios(folder: Path, model: type[S]) -> dict[str, S]:
    """Return the scenarios of ``folder`` by name, sorted.

    Raises ScenarioError for the first wrong one, or where there is none.
    """
    paths = sorted(path for path in folder.glob("*.yaml") if path.name != DECISION)
    if not paths:
        raise ScenarioError(f"{folder}:1: no scenario here; add one as <name>.yaml")
    return {path.stem: read_scenario(path, model) for path in paths}
