"""What a handler is asked, and what it must answer: the same in every language."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HANDLERS = Path(__file__).with_name("handlers")


@dataclass(frozen=True)
class Exchange:
    """An event as it is sent, and the JSON value that answers it."""

    event: bytes
    expected: object


@cache
def exchange(handler: str) -> Exchange:
    """Return what the handler of this name is asked and answers: ``handlers/README.md``."""
    folder = HANDLERS / handler
    event = json.dumps(json.loads((folder / "event.json").read_bytes()), separators=(",", ":"))
    return Exchange(event.encode(), json.loads((folder / "response.json").read_bytes()))
