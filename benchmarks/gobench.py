"""Go's benchmark format (golang.org/design/14313-benchmark-format), as far as it is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCALES = {"ns/op": ("sec/op", 1e-9), "MB/s": ("B/s", 1e6)}
"""What benchstat shows these units as: the unit and what a value is multiplied by."""


@dataclass(frozen=True)
class Result:
    """One line: a benchmark's ``name`` (``Name/key=value-procs``) and a value by unit.

    ``file`` is the file's name and ``note`` the latest line ``note:`` above it.
    """

    file: str
    note: str
    name: str
    values: dict[str, float]

    def part(self, key: str) -> str:
        """The value of ``/key=value`` in the name; empty where there is none."""
        found = re.search(rf"/{key}=([^/]+?)(?:-\d+)?(?=/|$)", self.name)
        return found[1] if found else ""

    def without(self, key: str) -> str:
        """The name without its ``/key=value``."""
        return re.sub(rf"/{key}=[^/-]+", "", self.name)


def read(path: Path) -> Iterator[Result]:
    """Yield the results of a file, in their order, in benchstat's units."""
    note = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("note:"):
            note = line.partition(":")[2].strip()
        elif line.startswith("Benchmark"):
            name, _, *measured = line.split()
            pairs = zip(measured[::2], measured[1::2], strict=True)
            yield Result(path.name, note, name.removeprefix("Benchmark"), dict(map(_scaled, pairs)))


def _scaled(pair: tuple[str, str]) -> tuple[str, float]:
    unit, factor = SCALES.get(pair[1], (pair[1], 1.0))
    return unit, float(pair[0]) * factor
