"""From ``decision.yaml`` to a ``Decision``, checked against the spike it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from spikebench.decision.model import Decision, Option, Params
from spikebench.errors import ScenarioError
from spikebench.scenario.check import likely, validated
from spikebench.scenario.document import Document, Key
from spikebench.scenario.model import Scenario
from spikebench.scenario.read import DECISION
from spikebench.scenario.variant import short_names
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
    problems = [*_options(decision, spike, scenarios), *_scenarios(decision, scenarios)]
    if problems:
        raise ScenarioError("\n".join(document.problem(key, what) for key, what in problems))
    return decision, document


def kinds_asked(decision: Decision, scenarios: Mapping[str, Scenario]) -> frozenset[bool]:
    """The kinds of runs that can show what a decision asks: of faults (True), without (False).

    Where it asks for nothing that is measured, those without.
    """
    asked = frozenset(scenarios[one.scenario].breaks for one in decision.asked.values())
    return asked or frozenset({False})


def _options(
    decision: Decision, spike: Spike, scenarios: Mapping[str, Scenario]
) -> Iterator[Problem]:
    for at, option in enumerate(decision.options):
        key: Key = ("options", at)
        if option.candidate is not None:
            yield from _candidate(option, option.candidate, spike, key, "candidate")
        for scenario, candidate in option.stand_ins.items():
            if scenario not in scenarios:
                yield (*key, "stand_ins", scenario), _unknown(scenario, scenarios)
            yield from _candidate(option, candidate, spike, key, "stand_ins", scenario)


def _candidate(
    option: Option, name: str, spike: Spike, key: Key, *named_at: str
) -> Iterator[Problem]:
    """What is wrong with a candidate that an option names, and with its client for that one."""
    known = {candidate.name: candidate for candidate in spike.candidates}
    if name not in known:
        yield (*key, *named_at), _unknown(name, known)
    elif option.client is not None and option.client not in known[name].client_names:
        yield (*key, "client"), f"of {name}: {_unknown(option.client, known[name].client_names)}"


def _scenarios(decision: Decision, scenarios: Mapping[str, Scenario]) -> Iterator[Problem]:
    for key, asked in decision.asked.items():
        scenario = scenarios.get(asked.scenario)
        if scenario is None:
            yield (*key, "scenario"), _unknown(asked.scenario, scenarios)
        elif scenario.breaks:
            yield from _never_put_in((*key, "params"), asked.params, scenario)


def _never_put_in(key: Key, params: Params, scenario: Scenario) -> Iterator[Problem]:
    """Parameters that no trial of a scenario of faults has, such as a misspelt fault."""
    swept = {**scenario.sweep, **scenario.full_sweep}
    values = dict(zip(short_names(list(swept)), swept.values(), strict=True))
    for name, value in params.items():
        known = [str(one) for one in values.get(name, [])]
        if name not in values:
            what = f"is not swept by {scenario.scenario}; {likely(name, list(values))}"
            yield (*key, name), what
        elif str(value) not in known:
            what = f"{value!r} is not swept by {scenario.scenario}; {likely(str(value), known)}"
            yield (*key, name), what


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"{name!r} is not known to the spike; {likely(name, list(known))}"
