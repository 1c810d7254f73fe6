"""Sections of documents that a command writes: what lies between two marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def fill(page: Path, mark: str, text: str) -> None:
    """Put ``text`` between ``<!-- mark -->`` and ``<!-- end of mark -->`` of a page.

    Raises ValueError where the page does not have both marks.
    """
    before, _, after = _split(page, mark)
    page.write_text(f"{before}{text}{after}", encoding="utf-8")


def filled(page: Path, mark: str) -> str:
    """What lies between the two marks of a page now."""
    return _split(page, mark)[1]


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _split(page: Path, mark: str) -> tuple[str, str, str]:
    first, last = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(first)
    text, closed, after = rest.partition(last)
    if not (found and closed):
        raise ValueError(f"{page}: has no {first.strip()} … {last}; put the two lines in again")
    return before + first, text, last + after
