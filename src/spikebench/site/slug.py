"""Names as ids of a page, as GitHub makes them of headings."""

from __future__ import annotations

import re


def slug(text: str) -> str:
    """Lower case, words joined by hyphens, everything else left out; ``section`` for nothing."""
    kept = re.sub(r"[^\w\- ]", "", text.strip().lower())
    return kept.replace(" ", "-") or "section"


class Slugs:
    """Ids of one page: a name that comes again gets a number, as on GitHub."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def unique(self, text: str) -> str:
        """Return the id of ``text``, another one each time."""
        found = slug(text)
        again = self._seen.get(found, -1) + 1
        self._seen[found] = again
        return f"{found}-{again}" if again else found
