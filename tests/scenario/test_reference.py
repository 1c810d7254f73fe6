"""The reference names every key there is, with its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from spikebench.scenario.check import model_of
from spikebench.scenario.messages import MessageScenario
from spikes.messaging.profiles import PROFILES

REFERENCE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([a-z0-9_.]+)` \| (.*) \|$", REFERENCE, re.MULTILINE))


def leaves(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        part = model_of(field.annotation)
        found |= leaves(part, f"{name}.") if part else {prefix + name: field}
    return found


def shown(default: Any) -> str:
    if default is None or default == {}:
        return "—"
    return str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("key", sorted(leaves(MessageScenario)))
def test_a_key_is_explained_with_its_default(key: str) -> None:
    field = leaves(MessageScenario)[key]
    expected = "required" if field.is_required() else shown(field.default)
    assert key in ROWS
    assert ROWS[key].split(" | ")[1] == expected


def test_no_key_is_explained_that_does_not_exist() -> None:
    explained = set(ROWS) - set(PROFILES)
    assert explained == set(leaves(MessageScenario))


def test_every_profile_is_explained_with_its_blocks() -> None:
    for name, profile in PROFILES.items():
        assert ROWS[name].split(" | ")[1] == str(profile.blocks)
