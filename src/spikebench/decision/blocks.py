"""Generated blocks in a text that people write: what is outside them is never touched.

A block stands between ``<!-- spikebench:begin NAME -->`` and ``<!-- spikebench:end NAME -->``, each
on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import RecordError

MARK = re.compile(
    r"^<!-- spikebench:(?P<which>begin|end) (?P<name>[a-z0-9.+-]+) -->[ \t]*\r?$", re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A generated part: its name, and its text without the marks."""

    name: str
    text: str

    def whole(self) -> str:
        """The text between its marks, with a line's end after the last."""
        marks = (f"<!-- spikebench:{which} {self.name} -->" for which in ("begin", "end"))
        begin, end = marks
        return f"{begin}\n{self.text.rstrip()}\n{end}\n"


Part = str | Block
"""A piece of a new record: a person's to change, or a block."""


@dataclass(frozen=True)
class _Place:
    """Where a block stands in a text: from its first mark to the line's end of its last."""

    name: str
    start: int
    end: int


def written(parts: Sequence[Part]) -> str:
    """The text of a record that is not there yet."""
    return "".join(part if isinstance(part, str) else part.whole() for part in parts)


def merged(old: str, parts: Sequence[Part], path: Path) -> str:
    """``old`` with its blocks as they are in ``parts``; all else byte for byte as it was.

    A block that is not there yet comes after the one it follows in ``parts``, at the end of the
    file where there is none; one that ``parts`` do not have goes. Raises RecordError, naming
    ``path`` and line, for marks that do not pair.
    """
    places = {place.name: place for place in _places(old, path)}
    blocks = [part for part in parts if isinstance(part, Block)]
    newline = "\r\n" if "\r\n" in old else "\n"
    after = _new(blocks, places)
    wholes = {block.name: block.whole().replace("\n", newline) for block in blocks}
    pieces, at = [], 0
    for place in places.values():
        pieces.append(old[at : place.start])
        pieces.append(wholes.get(place.name, ""))
        pieces += [newline + wholes[name] for name in after.get(place.name, ())]
        at = place.end
    rest = [newline + wholes[name] for name in after.get("", ())]
    return "".join([*pieces, old[at:], *rest])


def _new(blocks: Sequence[Block], places: Mapping[str, _Place]) -> dict[str, list[str]]:
    """New blocks by the one that is there which they follow; by "" where there is none."""
    found: dict[str, list[str]] = {}
    last = ""
    for block in blocks:
        if block.name in places:
            last = block.name
        else:
            found.setdefault(last, []).append(block.name)
    return found


def texts(text: str, path: Path) -> dict[str, str]:
    """The blocks of a text by name, with plain line ends; raise RecordError as ``merged`` does."""
    return {
        place.name: text[place.start : place.end].replace("\r\n", "\n")
        for place in _places(text, path)
    }


def _places(text: str, path: Path) -> Iterator[_Place]:
    seen: set[str] = set()
    begun: re.Match[str] | None = None
    for mark in MARK.finditer(text):
        name, begins = mark["name"], mark["which"] == "begin"
        if begins == (begun is not None) or (begun is not None and begun["name"] != name):
            raise _wrong(path, text, mark, "does not pair with the mark before it")
        if begins and name in seen:
            raise _wrong(path, text, mark, "is there twice")
        seen.add(name)
        if begun is not None:
            line_end = text.find("\n", mark.end())
            yield _Place(name, begun.start(), len(text) if line_end < 0 else line_end + 1)
        begun = mark if begins else None
    if begun is not None:
        raise _wrong(path, text, begun, "has no end")


def _wrong(path: Path, text: str, mark: re.Match[str], what: str) -> RecordError:
    line = text.count("\n", 0, mark.start()) + 1
    return RecordError(
        f"{path}:{line}: block {mark['name']} {what}; mend the marks "
        "<!-- spikebench:begin … --> and <!-- spikebench:end … -->"
    )
