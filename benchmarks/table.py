"""The result: a table for people, and ``ratios.csv``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from benchmarks.ratio import Ratio, Target

RESULT = Path(__file__).parents[1] / "results" / "benchmarks" / "ratios.csv"
COLUMNS = ("name", "ratio", "ci_low", "ci_high", "n", "note")

_TARGET = re.compile(r"target ((?:at least|below|within) [^:;]+): [^;]+; ")
"""How a note begins where its row has a target."""


def show(rows: Iterable[Ratio], console: Console) -> None:
    """Print a row a ratio, with its interval, its target and whether that was met."""
    table = Table(title="The harness beside other tools, ratios within one run", title_style="bold")
    for heading in ("name", "ratio", "95 % interval", "n", "target", "verdict"):
        justify: Literal["left", "right"] = "right" if heading in ("ratio", "n") else "left"
        table.add_column(heading, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(row.name, figure(row.ratio), span(row), str(row.n), _asked(row), _told(row))
    console.print(table)


def write(rows: Sequence[Ratio], path: Path) -> None:
    """Write ``rows``; rows of earlier runs stay unless they have a new value here.

    What could not be measured this time keeps an earlier value. Each row is a ratio within one run,
    so that rows of different runs can stand together.
    """
    earlier = read(path)
    had = {row.name for row in earlier if row.ratio is not None}
    fresh = {row.name: row for row in rows if row.ratio is not None or row.name not in had}
    kept = [row for row in earlier if row.name not in fresh]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_cells, [*kept, *fresh.values()]))


def read(path: Path) -> list[Ratio]:
    """Return the rows that ``write`` wrote, none where there is no file; ValueError for others."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [_ratio(cells) for cells in csv.DictReader(file)]


def _ratio(cells: Mapping[str, str]) -> Ratio:
    """A row as it was measured; its verdict follows from its interval and its target."""
    asked, note = _TARGET.match(cells["note"]), cells["note"]
    return Ratio(
        name=cells["name"],
        ratio=float(cells["ratio"]) if cells["ratio"] else None,
        low=float(cells["ci_low"]) if cells["ci_low"] else None,
        high=float(cells["ci_high"]) if cells["ci_high"] else None,
        n=int(cells["n"]),
        note=note[asked.end() :] if asked else note,
        target=Target.read(asked[1]) if asked else None,
    )


def _cells(row: Ratio) -> dict[str, str]:
    verdict = f"target {row.target}: {row.verdict}; " if row.target else ""
    return {
        "name": row.name,
        "ratio": "" if row.ratio is None else figure(row.ratio),
        "ci_low": "" if row.low is None else figure(row.low),
        "ci_high": "" if row.high is None else figure(row.high),
        "n": str(row.n),
        "note": verdict + row.note,
    }


def span(row: Ratio) -> str:
    """The 95 % interval as people read it, or a dash for a single value."""
    if row.low is None or row.high is None:
        return "—"
    return f"{figure(row.low)} … {figure(row.high)}"


def figure(value: float | None) -> str:
    """A ratio to three digits or decimals, or a dash for none."""
    if value is None:
        return "—"
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}"


def _asked(row: Ratio) -> str:
    return str(row.target) if row.target else "—"


def _told(row: Ratio) -> str:
    return row.verdict or "—"
