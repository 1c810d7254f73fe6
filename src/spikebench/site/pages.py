"""Writing pages: templates filled with values, every one of them escaped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from spikebench.site.addresses import href
from spikebench.site.slug import slug

STATIC = ("site.css", "site.js")


class Pages:
    """Writes pages below ``out``; ``documents`` are the addresses and names of the project's texts.

    Its methods raise OSError where the folder cannot be written.
    """

    def __init__(self, out: Path, documents: Sequence[tuple[str, str]]) -> None:
        self._out = out
        self._navigation = [("index.html", "Spikes and decisions"), *documents]
        self._templates = Environment(
            loader=PackageLoader("spikebench.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"quoted": quote, "slug": slug}

    def write_static(self) -> None:
        """Lay the style sheet and the script beside the first page."""
        folder = files("spikebench.site") / "static"
        for name in STATIC:
            (self._out / name).write_bytes((folder / name).read_bytes())

    def write(self, page: str, template: str, **values: object) -> None:
        """Fill ``template`` with ``values`` and write it as ``page``, relative to the folder."""
        path = self._out / page
        path.parent.mkdir(parents=True, exist_ok=True)
        text = self._templates.get_template(template).render(
            values,
            static={name: href(page, name) for name in STATIC},
            navigation=[(href(page, to), name, to == page) for to, name in self._navigation],
        )
        path.write_text(text, encoding="utf-8")
