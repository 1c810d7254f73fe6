"""A decision record: a MADR file with front matter, read from ``results/decisions/``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from spikebench.errors import RecordError
from spikebench.report.column import NOTHING
from spikebench.site.prose import Address, inline, render

FENCE = "---"

IN_FORCE = ("proposed", "accepted")

REVIEW = re.compile(r"^To be looked at again by (\d{4}-\d{2}-\d{2})\.$", re.MULTILINE)
"""The sentence of a record's block ``review``."""


@dataclass(frozen=True)
class Decision:
    """One record: its file, the keys of its front matter, and its text, as Markdown."""

    path: Path
    matter: Mapping[str, str]
    text: str

    @property
    def name(self) -> str:
        """Its number and title as the file has them."""
        return self.path.stem

    @property
    def title(self) -> str:
        """Its heading; the file's name where it has none."""
        return render(self.text, lambda _: None).title or self.name

    @property
    def review(self) -> str:
        """When it is to be looked at again; empty where it says nothing or is in force no more."""
        found = REVIEW.search(self.text) if self.matter.get("status") in IN_FORCE else None
        return found[1] if found else ""

    def told(self, name: str, address: Address) -> str:
        """A key of its front matter as HTML, ``—`` for none: a status may lead to what follows."""
        return inline(self.matter.get(name, NOTHING), address)

    def html(self, address: Address) -> str:
        """Its text without the heading; ``address`` says where its links lead."""
        return render(self.text, address).html


def read_decisions(folder: Path) -> list[Decision]:
    """Read all decisions of a folder, by number; none where there is no folder.

    Raises RecordError for one that cannot be read, or whose front matter is not YAML.
    """
    return [_read(path) for path in sorted(folder.glob("*.md")) if path.name != "README.md"]


def _read(path: Path) -> Decision:
    try:
        whole = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: cannot be read: {error}; mend or remove the file") from error
    matter, text = _split(whole)
    try:
        found = YAML(typ="safe", pure=True).load(matter)
    except YAMLError as error:
        told = " ".join(str(error).split())
        raise RecordError(f"{path}: front matter is not YAML: {told}; mend it") from error
    had = found if isinstance(found, dict) else {}
    return Decision(path, {str(name): _plain(value) for name, value in had.items()}, text)


def _split(whole: str) -> tuple[str, str]:
    """Front matter and the rest; the former is empty where the file does not begin with it."""
    lines = whole.lstrip("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != FENCE:
        return "", whole
    for place, line in enumerate(lines[1:], 1):
        if line.rstrip() == FENCE:
            return "\n".join(lines[1:place]), "\n".join(lines[place + 1 :])
    return "", whole


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    return NOTHING if value is None else str(value)
