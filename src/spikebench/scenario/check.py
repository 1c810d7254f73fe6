"""Checking plain values against the model, in words that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from spikebench.errors import ScenarioError
from spikebench.scenario.document import Document, Key, shown
from spikebench.scenario.model import Scenario

Place = Callable[[Key], Key]
"""From a key of the model to the key of the file that set it."""

Model = TypeVar("Model", bound=BaseModel)
S = TypeVar("S", bound=Scenario)


def checked(
    model: type[S], values: Mapping[str, Any], document: Document, place: Place = lambda key: key
) -> S:
    """Return ``values`` as a scenario of ``document``; raise ScenarioError with all that is wrong.

    ``model`` is the spike's own kind of scenario.
    ``place`` is for values that another key of the file has set, such as those of a sweep.
    """
    return validated(model, values, document, place).read_from(document)


def validated(
    model: type[Model],
    values: Mapping[str, Any],
    document: Document,
    place: Place = lambda key: key,
) -> Model:
    """Return ``values`` as a ``model``; raise ScenarioError with all that is wrong, by line."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [(place(_key(e)), _what(model, e)) for e in error.errors(include_url=False)]
    problems.sort(key=lambda problem: document.line(problem[0]))
    lines = dict.fromkeys(document.problem(key, what) for key, what in problems)
    raise ScenarioError("\n".join(lines))


def likely(word: str, known: list[str]) -> str:
    """Return advice for an unknown ``word``: the nearest of ``known``, or all of them."""
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def _key(error: ErrorDetails) -> Key:
    own = str(error.get("ctx", {}).get("key", ""))
    if not own:
        return error["loc"]
    return (*error["loc"], *(int(part) if part.isdecimal() else part for part in own.split(".")))


def _what(model: type[BaseModel], error: ErrorDetails) -> str:
    kind, value = error["type"], error["input"]
    if kind == "scenario":
        return error["msg"]
    if kind == "extra_forbidden":
        return f"unknown key; {likely(str(error['loc'][-1]), _names(model, error['loc'][:-1]))}"
    if kind == "missing":
        return "missing; add it"
    if kind == "literal_error":
        return f"{shown(value)} is not known; write {error['ctx']['expected']}"
    if kind == "model_type":
        return f"{shown(value)} does not fit; write its keys, indented, on the lines below it"
    return f"{shown(value)} does not fit; {error['msg'].replace('Input should', 'it should')}"


def _names(model: type[BaseModel], key: Key) -> list[str]:
    for part in key:
        if isinstance(part, str):  # a place in a list leads to no other model than the list does
            model = model_of(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def model_of(annotation: object) -> type[BaseModel] | None:
    """Return the model a field holds, alone or in a list, or None for a plain value."""
    if get_origin(annotation) in (Union, UnionType, list):
        return next(filter(None, map(model_of, get_args(annotation))), None)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None
