"""The cells of a scenario: each combination of the values it sweeps; and its gentler forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from spikebench.errors import ScenarioError
from spikebench.scenario.check import checked, likely, model_of
from spikebench.scenario.document import Document, Key, shown
from spikebench.scenario.model import Scenario

Param = str | int | float

_MOST_CELLS = 200


S = TypeVar("S", bound=Scenario)


@dataclass(frozen=True)
class Variant(Generic[S]):
    """A scenario with one value of each swept key; ``params`` are those values by short name."""

    params: dict[str, Param]
    scenario: S


class _Setting(NamedTuple):
    """A value for a dotted key of the scenario, and the key of the file that gave it."""

    key: str
    value: Any
    place: Key


def variants(scenario: S, full: bool) -> list[Variant[S]]:
    """Return a variant for each combination of ``sweep`` (and ``full_sweep`` in a ``full`` run).

    A scenario that sweeps nothing has one variant without params. Raises ScenarioError with file,
    line and key for a key that can't be swept or a value that does not fit.
    """
    axes = _axes(scenario, full)
    names = short_names([axis[0].key for axis in axes])
    return [
        Variant(
            params=dict(zip(names, (_param(setting.value) for setting in settings), strict=True)),
            scenario=_changed(scenario, settings, sweep={}, full_sweep={}),
        )
        for settings in product(*axes)
    ]


def for_emulator(scenario: S) -> S:
    """Return the scenario as it is run on an emulator; take its ``variants`` afterwards.

    A swept key that ``emulator`` sets keeps that one value in the sweep, and so in the params.
    """
    parts = (*scenario.SWEPT, "timing")
    for key in scenario.emulator:
        _require_known(scenario, ("emulator", key), parts)
    settings = [_Setting(key, value, ("emulator", key)) for key, value in scenario.emulator.items()]
    return _pinned(scenario, settings, emulator={})


def pinned(scenario: S, values: Mapping[str, Any]) -> S:
    """Return the scenario with a value for each dotted key; a sweep of them has no other value."""
    return _pinned(scenario, [_Setting(key, value, (key,)) for key, value in values.items()])


def short_names(keys: Sequence[str]) -> list[str]:
    """Return the last component of each dotted key, with more of it where that is not unique."""
    for length in range(1, max((key.count(".") for key in keys), default=0) + 1):
        names = [".".join(key.split(".")[-length:]) for key in keys]
        if len(set(names)) == len(names):
            return names
    return list(keys)


def _param(value: object) -> Param:
    return str(value).lower() if isinstance(value, bool) else value  # type: ignore[return-value]


def _axes(scenario: Scenario, full: bool) -> list[list[_Setting]]:
    swept = {key: ("sweep", values) for key, values in scenario.sweep.items()}
    if full:
        swept |= {key: ("full_sweep", values) for key, values in scenario.full_sweep.items()}
    axes = [_axis(scenario, part, key, values) for key, (part, values) in swept.items()]
    if prod(map(len, axes)) > _MOST_CELLS:
        part = "full_sweep" if full and scenario.full_sweep else "sweep"
        raise _error(scenario, (part,), f"over {_MOST_CELLS} combinations; sweep fewer values")
    return axes


def _axis(scenario: Scenario, part: str, key: str, values: list[Any]) -> list[_Setting]:
    _require_known(scenario, (part, key), scenario.SWEPT)
    if not values:
        raise _error(scenario, (part, key), "no values; list at least one, or remove the key")
    for at, value in enumerate(values):
        if not isinstance(value, str | int | float):
            what = f"{shown(value)} can't be swept; list numbers and words"
            raise _error(scenario, (part, key, at), what)
        if value in values[:at]:
            raise _error(scenario, (part, key, at), f"{shown(value)} is listed twice; keep one")
    return [_Setting(key, value, (part, key, at)) for at, value in enumerate(values)]


def _require_known(scenario: Scenario, place: Key, parts: Sequence[str]) -> None:
    known = _leaves(type(scenario), parts)
    if place[-1] not in known:
        advice = likely(str(place[-1]), known)
        raise _error(scenario, place, f"no such key of the scenario to set; {advice}")


def _leaves(scenario: type[Scenario], parts: Sequence[str]) -> list[str]:
    leaves = []
    for part in parts:
        model = model_of(scenario.model_fields[part].annotation)
        leaves += [f"{part}.{name}" for name in model.model_fields] if model else [part]
    return leaves


def _pinned(scenario: S, settings: Sequence[_Setting], **others: Any) -> S:
    """Return the scenario with ``settings``; a sweep of their keys has no other value."""
    values = {setting.key: [setting.value] for setting in settings}
    sweeps = {
        part: {key: values.get(key, swept) for key, swept in getattr(scenario, part).items()}
        for part in ("sweep", "full_sweep")
    }
    return _changed(scenario, settings, **sweeps, **others)


def _changed(scenario: S, settings: Sequence[_Setting], **others: Any) -> S:
    values = scenario.model_dump() | others
    for setting in settings:
        *parents, name = setting.key.split(".")
        part = values[parents[0]] if parents else values
        part[name] = setting.value
    made = checked(type(scenario), values, _document(scenario), lambda key: _place(key, settings))
    return made.read_from(scenario.document)


def _place(key: Key, settings: Sequence[_Setting]) -> Key:
    """Return where the file set ``key``: a setting's place, for those are what changed."""
    by_key: Mapping[Key, Key] = {tuple(s.key.split(".")): s.place for s in settings}
    last: Key = settings[-1].place if settings else key
    return by_key.get(key, last)


def _document(scenario: Scenario) -> Document:
    return scenario.document or Document(Path(f"{scenario.scenario}.yaml"), {}, {})


def _error(scenario: Scenario, place: Key, what: str) -> ScenarioError:
    return ScenarioError(_document(scenario).problem(place, what))
