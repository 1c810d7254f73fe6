"""A line of a record file turned into a record, or into one clear sentence about what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from spikebench.errors import RecordError
from spikebench.record.model import SCHEMA, Record
from spikebench.scenario.document import dotted, shown

_PLACE = re.compile(r" at line \d+ column (\d+)")
"""Where a parser stopped; it counts lines within the one line it was given."""


def parse_line(line: bytes, place: str) -> Record:
    """Return the record on ``line``; raise RecordError starting with ``place`` (``file:line``).

    Types are not bent: a number in quotes is a word, and an error.
    """
    try:
        record = Record.model_validate_json(line, strict=True)
    except ValidationError as error:
        raise RecordError(_what_is_wrong(line, place, error)) from None
    if "schema_" not in record.model_fields_set:
        raise RecordError(_malformed(place, "schema", "missing"))
    if record.schema_ != SCHEMA:
        raise RecordError(_other_schema(place, record.schema_))
    return record


def _what_is_wrong(line: bytes, place: str, error: ValidationError) -> str:
    schema = _declared_schema(line)
    if schema is not None and schema != SCHEMA:
        return _other_schema(place, schema)
    first = error.errors(include_url=False, include_input=False)[0]
    return _malformed(place, dotted(first["loc"]) or "line", _said(first))


def _said(error: ErrorDetails) -> str:
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return "unknown key"
    if error["type"] == "missing":
        return "missing"
    return _PLACE.sub(r" at character \1", error["msg"])


def _malformed(place: str, key: str, what: str) -> str:
    return (
        f"{place}: {key}: {what}; "
        "mend the line or remove it (every line stands for itself), then try again"
    )


def _declared_schema(line: bytes) -> Any:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return values.get("schema") if isinstance(values, dict) else None


def _other_schema(place: str, schema: object) -> str:
    return (
        f"{place}: schema: this record has version {shown(schema)}, and this spikebench reads "
        f"version {SCHEMA}; use the spikebench release that wrote it, or measure again"
    )
