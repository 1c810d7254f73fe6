"""Reading a built site as a browser would follow it, without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
LOADS = {"img": "src", "script": "src", "link": "href"}


@dataclass
class Page(HTMLParser):
    """What a page holds; ``faults`` are ends that match no beginning, and ids that come twice."""

    path: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.path.read_text(encoding="utf-8"))
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]
        self.faults += [f"id {one} twice" for one in set(self.ids) if self.ids.count(one) > 1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in found.items()]
        if tag not in VOID:
            self._open.append(tag)
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag in LOADS and LOADS[tag] in found:
            self.loads.append(found[LOADS[tag]])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.faults.append(f"</{tag}> within {self._open[-3:]}")

    def handle_data(self, data: str) -> None:
        self.text += data


def pages_of(site: Path) -> dict[Path, Page]:
    """Every page of a site by its path."""
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def leads_nowhere(pages: dict[Path, Page]) -> list[str]:
    """Links and loaded files that are not there, or whose id is not; those elsewhere left out."""
    lost = []
    for path, page in pages.items():
        for address in [*page.links, *page.loads]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not to.is_file() or address.startswith("/"):
                lost.append(f"{path.name}: {address}")
            elif parts.fragment and parts.fragment not in pages[to].ids:
                lost.append(f"{path.name}: {address}: no such id")
    return lost
