"""Whether a function answered what it should: JSON values, compared as JSON means them."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def parse(body: bytes) -> Any:
    """Return the JSON value of a body; raise ValueError where it is none (RFC 8259)."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def difference(expected: object, got: object, where: str = "$") -> str:
    """Say where two JSON values first differ; empty where they do not.

    1 and 1.0 are one number, as in JSON; true and 1 are not. The order of an object's keys does not
    count.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        return _difference_of_objects(expected, got, where)
    if isinstance(expected, list) and isinstance(got, list):
        return _difference_of_arrays(expected, got, where)
    numbers = isinstance(expected, int | float) and isinstance(got, int | float)
    same_kind = type(expected) is type(got) or (
        numbers and not isinstance(expected, bool) and not isinstance(got, bool)
    )
    if same_kind and expected == got:
        return ""
    return f"{where} should be {_short(expected)}, not {_short(got)}"


def _difference_of_objects(expected: dict[str, Any], got: dict[str, Any], where: str) -> str:
    if missing := sorted(expected.keys() - got.keys()):
        return f"{where} has no {missing[0]!r}"
    if spare := sorted(got.keys() - expected.keys()):
        return f"{where} should not have {spare[0]!r}"
    found = (difference(value, got[key], f"{where}.{key}") for key, value in expected.items())
    return next(filter(None, found), "")


def _difference_of_arrays(expected: list[Any], got: list[Any], where: str) -> str:
    if len(expected) != len(got):
        return f"{where} should have {len(expected)} elements, not {len(got)}"
    pairs = enumerate(zip(expected, got, strict=True))
    found = (difference(a, b, f"{where}[{index}]") for index, (a, b) in pairs)
    return next(filter(None, found), "")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
