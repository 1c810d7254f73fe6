"""From ``decision.yaml`` to a ``Decision``, checked against the spike it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from spikebench.decision.model import Decision
from spikebench.errors import ScenarioError
from spikebench.scenario.check import likely, validated
from spikebench.scenario.document import Document, Key
from spikebench.scenario.model import Scenario
from spikebench.scenario.read import DECISION
from spikebench.spike import Spike

Problem = tuple[Key, str]


def decision_path(spike: Spike) -> Path:
    """Where a spike's decision is written, whether or not it is there."""
    return spike.scenarios / DECISION


def read_decision(spike: Spike, scenarios: Mapping[str, Scenario]) -> tuple[Decision, Document]:
    """Return a spike's decision, and its file for errors that are found later.

    Raises ScenarioError, a line for each thing that is wrong: ``file:line: key: what; what to do``.
    """
    path = decision_path(spike)
    if not path.is_file():
        raise ScenarioError(
            f"{path}:1: spike {spike.name} has no decision; write one as docs/decisions.md says"
        )
    document = Document.read(path, "decision: <name>")
    decision = validated(Decision, document.values, document)
    problems = [*_options(decision, spike), *_scenarios(decision, scenarios)]
    if problems:
        raise ScenarioError("\n".join(document.problem(key, what) for key, what in problems))
    return decision, document


def _options(decision: Decision, spike: Spike) -> Iterator[Problem]:
    known = {candidate.name: candidate for candidate in spike.candidates}
    for at, option in enumerate(decision.options):
        if option.candidate is None:
            continue
        if option.candidate not in known:
            yield ("options", at, "candidate"), _unknown(option.candidate, known)
        elif option.client is not None:
            names = known[option.candidate].client_names
            if option.client not in names:
                yield ("options", at, "client"), _unknown(option.client, names)


def _scenarios(decision: Decision, scenarios: Mapping[str, Scenario]) -> Iterator[Problem]:
    named: list[tuple[Key, str]] = [
        (("must_haves", at), one.scenario) for at, one in enumerate(decision.must_haves)
    ]
    named += [
        (("criteria", at, "measured"), one.measured.scenario)
        for at, one in enumerate(decision.criteria)
        if one.measured is not None
    ]
    for key, name in named:
        if name not in scenarios:
            yield (*key, "scenario"), _unknown(name, scenarios)
        elif scenarios[name].breaks:
            what = "is a scenario of faults, which a decision does not read; name another"
            yield (*key, "scenario"), what


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"{name!r} is not known to the spike; {likely(name, list(known))}"
