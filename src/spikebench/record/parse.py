"""A line of a record file turned into a record, or into one clear sentence about what is wrong."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from spikebench.errors import RecordError
from spikebench.record.model import SCHEMA, Record


def parse_line(line: bytes, place: str) -> Record:
    """Return the record on ``line``; raise RecordError starting with ``place`` (``file:line``)."""
    try:
        record = Record.model_validate_json(line)
    except ValidationError as error:
        raise RecordError(_what_is_wrong(line, place, error)) from None
    if record.schema_ != SCHEMA:
        raise RecordError(_other_schema(place, record.schema_))
    return record


def _what_is_wrong(line: bytes, place: str, error: ValidationError) -> str:
    schema = _declared_schema(line)
    if schema is not None and schema != SCHEMA:
        return _other_schema(place, schema)
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "line"
    return (
        f"{place}: {key}: {first['msg']}; "
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
        f"{place}: schema: this record has version {schema!s:.40}, and this spikebench reads "
        f"version {SCHEMA}; use the spikebench release that wrote it, or measure again"
    )
