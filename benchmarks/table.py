"""The result: a table for people, and ``ratios.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.ratio import Ratio

COLUMNS = ("name", "ratio", "ci_low", "ci_high", "n", "note")


def show(rows: Iterable[Ratio], console: Console) -> None:
    """Print a row a ratio, with its interval, its target and whether that was met."""
    table = Table(title="The harness beside other tools, ratios within one run", title_style="bold")
    for heading in ("name", "ratio", "95 % interval", "n", "target", "verdict"):
        table.add_column(heading, justify="right" if heading in ("ratio", "n") else "left")
    for row in rows:
        table.add_row(row.name, _figure(row.ratio), _span(row), str(row.n), _asked(row), _told(row))
    console.print(table)


def write(rows: Sequence[Ratio], path: Path) -> None:
    """Write ``rows``; rows of earlier runs stay unless they have a new value here.

    Each row is a ratio within one run, so that rows of different runs can stand together.
    """
    fresh = {row.name: _cells(row) for row in rows}
    kept = {name: cells for name, cells in _read(path).items() if name not in fresh}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept.values(), *fresh.values()])


def _read(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def _cells(row: Ratio) -> dict[str, str]:
    verdict = f"target {row.target}: {row.verdict}; " if row.target else ""
    return {
        "name": row.name,
        "ratio": _figure(row.ratio),
        "ci_low": "" if row.low is None else _figure(row.low),
        "ci_high": "" if row.high is None else _figure(row.high),
        "n": str(row.n),
        "note": verdict + row.note,
    }


def _span(row: Ratio) -> str:
    if row.low is None or row.high is None:
        return "—"
    return f"{_figure(row.low)} … {_figure(row.high)}"


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}"


def _asked(row: Ratio) -> str:
    return str(row.target) if row.target else "—"


def _told(row: Ratio) -> str:
    return row.verdict or "—"
