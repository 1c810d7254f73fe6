"""Where a file of the project stands on the site, and how one page reaches another."""

from __future__ import annotations

from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path
from posixpath import dirname, relpath
from urllib.parse import quote, unquote, urlsplit

from spikebench.site.prose import Address

CARRIED = frozenset({".csv", ".json", ".jsonl", ".png", ".svg", ".txt", ".yaml"})
"""Kinds of file that are laid on the site where a text leads to them."""


@dataclass
class Addresses:
    """The site's pages by the files they are made of, and files that pages lead to.

    ``pages`` maps a file to its page, relative to the site's folder. A file below ``results`` that
    is no page is ``carried``: copied to ``files/`` when something leads to it.
    """

    results: Path
    pages: dict[Path, str] = field(default_factory=dict)
    carried: dict[Path, str] = field(default_factory=dict)

    def put(self, file: Path, page: str) -> None:
        """Say that ``page`` is made of ``file``."""
        self.pages[_normal(file)] = page

    def of(self, source: Path, page: str) -> Address:
        """Resolve the links of ``source``, a text that stands on ``page``."""

        def address(link: str) -> str | None:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path:
                return None
            found = self._place(_normal(source.parent / unquote(parts.path)))
            if found is None:
                return None
            return href(page, found) + (f"#{parts.fragment}" if parts.fragment else "")

        return address

    def _place(self, file: Path) -> str | None:
        if file in self.pages:
            return self.pages[file]
        root = _normal(self.results)
        if file.suffix not in CARRIED or not file.is_relative_to(root) or not file.is_file():
            return None
        return self.carried.setdefault(file, f"files/{file.relative_to(root).as_posix()}")


def href(page: str, to: str) -> str:
    """The address of ``to`` from ``page``, both relative to the site's folder."""
    return quote(relpath(to, dirname(page) or "."))


def _normal(path: Path) -> Path:
    return Path(normpath(path.absolute()))
