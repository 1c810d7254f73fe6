"""The folder of decision records: ``NNNN-<name>.md``, their numbers, and which took whose place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spikebench.errors import RecordError, UsageError
from spikebench.report.whole import put

FOLDER = "decisions"

FILE = re.compile(r"^(?P<number>\d{4})-(?P<name>[a-z0-9][a-z0-9+.-]*)\.md$")
FRONT = re.compile(r"\A---[ \t]*\r?\n(?P<front>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
STATUS = re.compile(r"^status:[ \t]*(?P<value>.*?)[ \t]*(?=\r?$)", re.MULTILINE)
SUPERSEDES = re.compile(r"^supersedes:[ \t]*[\"']?ADR-(?P<number>\d{4})", re.MULTILINE)
SUPERSEDED = re.compile(r"^superseded by ADR-(?P<number>\d{4})$")

KNOWN = ("proposed", "accepted", "rejected", "deprecated")


@dataclass(frozen=True)
class Kept:
    """A record as it lies there, with its number, name and text."""

    path: Path
    number: str
    name: str
    text: str

    @property
    def status(self) -> str:
        """The status in its front matter; raises RecordError where there is none that is known."""
        found = STATUS.search(self._front)
        value = found["value"].strip("\"'") if found else ""
        if value in KNOWN or SUPERSEDED.match(value):
            return value
        raise RecordError(
            f"{self.path}:2: status: {value!r} is not known; write one of {', '.join(KNOWN)}, or "
            "'superseded by ADR-NNNN'"
        )

    @property
    def superseded_by(self) -> str:
        """The number of the record that took its place; empty where none did."""
        found = SUPERSEDED.match(self.status)
        return found["number"] if found else ""

    @property
    def supersedes(self) -> str:
        """The number of the record whose place it took; empty where it took none."""
        found = SUPERSEDES.search(self._front)
        return found["number"] if found else ""

    @property
    def _front(self) -> str:
        found = FRONT.match(self.text)
        return found["front"] if found else ""

    def given_way(self, number: str) -> str:
        """The text with ``superseded by`` in its status, and nothing else changed."""
        front = FRONT.match(self.text)
        found = STATUS.search(self.text, 0, front.end("front")) if front else None
        if found is None:
            raise RecordError(f"{self.path}:1: has no status in its front matter; add 'status:'")
        start, end = found.span()
        return f"{self.text[:start]}status: superseded by ADR-{number}{self.text[end:]}"


def kept(results: Path) -> list[Kept]:
    """All records below ``results``, by number; raise RecordError where one cannot be read."""
    return sorted(_kept(results / FOLDER), key=lambda one: one.number)


def _kept(folder: Path) -> Iterator[Kept]:
    for path in folder.glob("*.md"):
        named = FILE.match(path.name)
        if named is not None:
            yield Kept(path, named["number"], named["name"], read(path))


def read(path: Path) -> str:
    """A record's text with the line ends it has; raise RecordError where it cannot be read."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: cannot be read: {error}; mend the file or its rights") from None


def write(path: Path, text: str) -> Path:
    """Put a record in place, whole; raise RecordError where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return put(path, text.encode())
    except OSError as error:
        raise RecordError(
            f"{path}: could not be written: {error.strerror}; make room or mend the permissions"
        ) from error


def current(records: list[Kept], name: str) -> Kept | None:
    """The record of a decision that nothing has taken the place of, the latest of them."""
    mine = [one for one in records if one.name == name and not one.superseded_by]
    return mine[-1] if mine else None


def numbered(records: list[Kept], number: str) -> Kept:
    """The record with a number; raise UsageError naming those there are."""
    wanted = number.removeprefix("ADR-").zfill(4)
    for one in records:
        if one.number == wanted:
            return one
    known = ", ".join(one.path.stem for one in records) or "none"
    raise UsageError(f"no decision record {wanted}; there are: {known}")


def next_number(records: list[Kept]) -> str:
    """The number after the highest there is."""
    return f"{max((int(one.number) for one in records), default=0) + 1:04}"
